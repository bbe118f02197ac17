"""Small files that claim a great deal, and great ones that hold nothing."""

import io
import struct
from collections.abc import Callable
from typing import Final

import av
import numpy as np

from actors.audio.resample import Pcm
from actors.records import SAMPLE_RATE_HZ
from loadtest.corpus.clips import clips, samples_of
from loadtest.corpus.encoding import add_sound, encode

#: What lies in the media data of each MP4 here.
_MEDIA: Final = bytes(3200)


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of an MP4."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, *numbers: int, body: bytes = b"", flags: int = 0) -> bytes:
    """A box that begins with version and flags; the numbers have 32 bits."""
    return box(kind, struct.pack(f">{1 + len(numbers)}I", flags, *numbers), body)


def _track(packets: int, reference: bytes) -> bytes:
    """AMR, of as many packets of two bytes as it says."""
    entry = box(b"samr", bytes(6) + struct.pack(">H8xHHHHI", 1, 1, 16, 0, 0, 8_000 << 16))
    tables = box(
        b"stbl",
        full(b"stsd", 1, body=entry),
        full(b"stts", 1, packets, 160),
        full(b"stsz", 2, packets),
        full(b"stsc", 1, 1, packets, 1),
        full(b"stco", 1, 24),
    )
    information = box(b"minf", full(b"smhd", 0), box(b"dinf", reference), tables)
    handler = full(b"hdlr", 0, body=b"soun" + bytes(13))
    media = box(b"mdia", full(b"mdhd", 0, 0, 8_000, 8_000, 0x55C40000), handler, information)
    return box(b"trak", full(b"tkhd", 0, 0, 1, 0, 8_000, body=bytes(60), flags=7), media)


#: That the media of a track lies in the same file.
_HERE: Final = full(b"dref", 1, body=full(b"url ", flags=1))


def mp4(packets: int, tracks: int = 1, reference: bytes = _HERE) -> bytes:
    """Tracks that each claim so many packets, for which FFmpeg makes an index of 24 bytes each."""
    start = box(b"ftyp", b"M4A \0\0\0\0") + box(b"mdat", _MEDIA)
    header = full(b"mvhd", 0, 0, 8_000, 8_000, body=bytes(80))
    return start + box(b"moov", header, *[_track(packets, reference)] * tracks)


def tagged(picture_bytes: int) -> bytes:
    """An MP3 with a cover picture of zeros."""
    frame = b"APIC" + struct.pack(">I", picture_bytes) + b"\0\0" + b"\0image/png\0\3\0"
    body = frame + bytes(picture_bytes - 13)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + body + _mp3()


def tail_of_zeros(zeros: int) -> bytes:
    """An MP3, and then nothing for long."""
    return _mp3() + bytes(zeros)


def many_streams(count: int) -> bytes:
    """So many of the same, side by side."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        streams = [container.add_stream("pcm_s16le", rate=16_000) for _ in range(count)]
        for stream in streams:
            stream.layout = "mono"
        container.start_encoding()
        for stream in streams:
            add_sound(container, stream, _speech())
    return file.getvalue()


def silence(hours: float, muxer: str, codec: str, rate_hz: int) -> bytes:
    """Hours in kilobytes."""
    samples = np.zeros(int(hours * 3600) * SAMPLE_RATE_HZ, np.int16)
    return encode(samples, muxer, codec, rate_hz=rate_hz)


#: All that are made at once.
BOMBS: Final[dict[str, Callable[[], bytes]]] = {
    "an MP4 of 80 million packets": lambda: mp4(80_000_000),
    "an MP4 of a thousand million packets": lambda: mp4(1_000_000_000),
    "an MP4 of 50 tracks of 4 million packets": lambda: mp4(4_000_000, 50),
    "an MP4 of 5000 tracks": lambda: mp4(1, 5_000),
    "a cover picture of 200 MB": lambda: tagged(200 << 20),
    "200 MB of zeros behind an MP3": lambda: tail_of_zeros(200 << 20),
    "64 streams": lambda: many_streams(64),
}


def _speech() -> Pcm:
    return samples_of(clips("en")[2].audio)


def _mp3() -> bytes:
    return encode(_speech(), "mp3", "libmp3lame", rate_hz=44_100)
