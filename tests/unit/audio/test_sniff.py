"""The container of an upload is told by its first bytes alone."""

import subprocess
import sys

import pytest

from actors.audio.sniff import HEAD_BYTES, container

ADTS = bytes.fromhex("fff150801f5ffc") + bytes(243)  # a frame of 250 bytes
MP3 = bytes.fromhex("fffb9064") + bytes(413)  # 128 kbit/s, 44.1 kHz: 417 bytes


def id3(size_bytes: int, flags: int = 0) -> bytes:
    """An ID3v2.4 tag with a body of zeros."""
    size = bytes(size_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    footer = bytes(10) if flags & 0x10 else b""
    return b"ID3\x04\x00" + bytes([flags]) + size + bytes(size_bytes) + footer


@pytest.mark.parametrize(
    ("head", "demuxer"),
    [
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "wav"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "wav"),
        (b"RIFF\x24\x00\x00\x00AVI LIST", "avi"),
        (b"FORM\x00\x00\x00\x24AIFFCOMM", "aiff"),
        (b"FORM\x00\x00\x00\x24AIFCFVER", "aiff"),
        (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00", "w64"),
        (b"fLaC\x00\x00\x00\x22", "flac"),
        (b"OggS\x00\x02", "ogg"),
        (b"\x1a\x45\xdf\xa3\x01", "matroska"),
        (b"\x00\x00\x00\x20ftypM4A ", "mov"),
        (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", "mov"),
        (b"\x00\x00\x00\x18moov", "mov"),
        (b"#!AMR\n", "amr"),
        (b"#!AMR-WB\n", "amr"),
        (b"caff\x00\x01\x00\x00desc", "caf"),
        (b"FLV\x01\x05", "flv"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "asf"),
        (b".snd\x00\x00\x00\x18", "au"),
        (b"\x00\x00\x01\xba\x44", "mpeg"),
        ((b"\x47" + bytes(187)) * 4, "mpegts"),
        ((bytes(4) + b"\x47" + bytes(187)) * 4, "mpegts"),
        (ADTS * 4, "aac"),
        (MP3 * 10, "mp3"),
        (MP3, "mp3"),
    ],
)
def test_known_containers_are_named(head: bytes, demuxer: str) -> None:
    """Each supported format is given to the FFmpeg demuxer that reads it."""
    assert container(head) == demuxer


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"R",
        b"ID3",
        b"\xff",
        b"hello, this is no audio" * 100,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<?xml version='1.0'?><MPD></MPD>",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\n",
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"\xff\xfe" + "0123456789 UTF-16 text".encode("utf-16-le") * 200,
        bytes(HEAD_BYTES),
    ],
)
def test_everything_else_is_unknown(head: bytes) -> None:
    """Playlists, references, texts and pictures are not taken for audio."""
    assert container(head) is None


@pytest.mark.parametrize(
    ("behind", "demuxer"), [(b"fLaC\x00\x00\x00\x22", "flac"), (ADTS * 4, "aac"), (MP3 * 10, "mp3")]
)
@pytest.mark.parametrize("tags", [id3(0), id3(300), id3(300, flags=0x10), id3(20) + id3(700)])
def test_id3_tags_in_front_are_skipped(tags: bytes, behind: bytes, demuxer: str) -> None:
    """What follows the tags decides, not the tags."""
    assert container(tags + behind) == demuxer


def test_id3_tag_larger_than_the_head_means_mp3() -> None:
    """A tag with a cover picture hides the audio from the head; such files are MP3."""
    assert container(id3(100_000) + b"fLaC") == "mp3"


def test_padding_behind_an_id3_tag_means_mp3() -> None:
    """Some writers leave zeros between the tag and the first frame."""
    assert container(id3(30) + bytes(500)) == "mp3"


def test_importing_it_loads_no_decoder() -> None:
    """The API sniffs uploads and must not load FFmpeg or numpy for it."""
    code = (
        "import sys, actors.audio.sniff; print(sorted({'av', 'numpy', 'torch', 'funasr'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
