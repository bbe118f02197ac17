"""Files that name other files open none of them."""

import contextlib
import io
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Never

import av
import pytest
from av.error import FFmpegError
from msgspec import Struct

from actors.errors import UnreadableAudio, UnsupportedContainer
from loadtest.corpus.clips import decode
from tests.bombs import box, full, mp4


class Canary(Struct, frozen=True):
    """A pipe and a port that nobody may open."""

    path: Path
    listener: socket.socket

    @property
    def url(self) -> str:
        """Where the port is."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/speech.ts"

    def is_alive(self) -> bool:
        """Whether nobody has opened either."""
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            pass
        else:
            return False
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # nobody reads it
            return True
        return False


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    """Whoever reads the pipe would hang: nothing ever comes out of it. It lies where relative names lead."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "canary.wav"
    os.mkfifo(path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield Canary(path, listener)


def hls(canary: Canary) -> bytes:
    """A playlist of a URL and a file."""
    urls = "".join(f"#EXTINF:9,\n{url}\n" for url in (canary.url, f"file:{canary.path}"))
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n{urls}#EXT-X-ENDLIST\n".encode()


def concat(canary: Canary) -> bytes:
    """FFmpeg's own playlist."""
    return f"ffconcat version 1.0\nfile '{canary.path}'\nfile '{canary.url}'\n".encode()


def sdp(_: Canary) -> bytes:
    """A session to be joined."""
    return b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n"


def dash(canary: Canary) -> bytes:
    """A manifest."""
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="audio/mp4"><Representation id="a" '
        f'bandwidth="1"><BaseURL>{canary.url}</BaseURL></Representation></AdaptationSet></Period></MPD>'
    ).encode()


def alias(canary: Canary) -> bytes:
    """A QuickTime file whose sound lies in another."""
    path = str(canary.path).encode()
    name = canary.path.name.encode()
    record = bytes(10) + bytes([0]) + bytes(27) + bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0")
    record += bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    record += struct.pack(">HH", 2, len(path)) + path + bytes(len(path) % 2) + struct.pack(">HH", 0xFFFF, 0)
    return mp4(100, reference=full(b"dref", 1, body=box(b"alis", bytes(4) + record)))


#: What a file may be disguised as: a playlist behind the first bytes of something that is taken.
DISGUISES = [
    b"",
    b"ID3\3\0\0\0\0\0\0",
    b"RIFF\xff\xff\xff\xffWAVE",
    b"OggS",
    b"\x1a\x45\xdf\xa3",
    b"fLaC",
    bytes(4) + b"ftyp",
]


def test_alias_is_live(canary: Canary) -> None:
    """FFmpeg, left alone, would follow it: the other tests do not test nothing."""
    opened: list[str] = []

    def note(url: str, *_: object) -> Never:
        opened.append(url)
        raise FileNotFoundError

    options = {"enable_drefs": "1", "use_absolute_path": "1"}
    with (
        contextlib.suppress(OSError, FFmpegError),
        av.open(
            io.BytesIO(alias(canary)), "r", format="mov", container_options=options, io_open=note
        ) as container,
    ):
        list(container.demux())

    assert canary.path.name in opened


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("refer", [hls, concat, sdp, dash, alias])
def test_reference(refer: Callable[[Canary], bytes], disguise: bytes, canary: Canary) -> None:
    """It is refused, and what it names is left alone."""
    with pytest.raises((UnreadableAudio, UnsupportedContainer)):
        list(decode(io.BytesIO(disguise + refer(canary))))

    assert canary.is_alive()
