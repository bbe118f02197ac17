"""How long a recording may be, before anybody has decoded it."""

import struct
from typing import Final

from actors.audio.sniff import container

#: Containers of lossy sound, and brands of an MP4 file that make it one.
_LOSSY: Final = {"mp3", "aac", "ogg", "ac3", "amr"}
_LOSSY_BRANDS: Final = {b"M4A ", b"M4B "}

#: 128 kbit/s and at most 320.
_LOSSY_BYTES_PER_S: Final = 16_000
_MOST_LOSSY_BYTES_PER_S: Final = 40_000

#: Video, 2 Mbit/s, which lossless sound has too; little of any kind has more than 20.
_BYTES_PER_S: Final = 250_000
MOST_BYTES_PER_S: Final = 2_500_000

#: Where a FLAC file has its STREAMINFO (RFC 9639, section 8.2): rate in 20 bits, samples in 36.
_FLAC_RATE: Final = slice(18, 26)


def expected_ms(head: bytes, size_bytes: int) -> int:
    """The length of a file of this size in milliseconds: as WAV and FLAC give it, else a guess.

    `head` are its first bytes, as many as `sniff.container` looks at.
    """
    return _known_ms(head, size_bytes) or size_bytes * 1000 // (
        _LOSSY_BYTES_PER_S if _is_lossy(head) else _BYTES_PER_S
    )


def shortest_ms(head: bytes, size_bytes: int) -> int:
    """The length that such a file has at least, unless it is a strange one."""
    return _known_ms(head, size_bytes) or size_bytes * 1000 // (
        _MOST_LOSSY_BYTES_PER_S if _is_lossy(head) else MOST_BYTES_PER_S
    )


def _known_ms(head: bytes, size_bytes: int) -> int:
    match container(head):
        case "wav":
            bytes_per_s = _wav_bytes_per_s(head)
            return size_bytes * 1000 // bytes_per_s if bytes_per_s else 0
        case "flac":
            return _flac_ms(head)
        case _:
            return 0


def _is_lossy(head: bytes) -> bool:
    return container(head) in _LOSSY or (head[4:8] == b"ftyp" and head[8:12] in _LOSSY_BRANDS)


def _wav_bytes_per_s(head: bytes) -> int:
    at = head.find(b"fmt ")
    # Behind its name and size a format chunk has codec, channels and rate, then the bytes of a second.
    return struct.unpack_from("<I", head, at + 16)[0] if 0 <= at <= len(head) - 20 else 0


def _flac_ms(head: bytes) -> int:
    if not head.startswith(b"fLaC") or len(head) < _FLAC_RATE.stop:
        return 0
    bits = int.from_bytes(head[_FLAC_RATE], "big")
    rate_hz, samples = bits >> 44, bits & ((1 << 36) - 1)
    return samples * 1000 // rate_hz if rate_hz else 0
