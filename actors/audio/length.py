"""How long a recording may be, before anybody has decoded it."""

import struct
from typing import Final

from actors.audio.sniff import container

#: 128 kbit/s, the usual rate of speech and music in lossy formats; of video it makes far too much.
_BYTES_PER_S: Final = 16_000

#: Few recordings are larger for their length: 16 bit stereo at 48 kHz.
MAX_BYTES_PER_S: Final = 192_000

#: Where a FLAC file has its STREAMINFO (RFC 9639, section 8.2): rate in 20 bits, samples in 36.
_FLAC_RATE: Final = slice(18, 26)


def expected_ms(head: bytes, size_bytes: int) -> int:
    """The length of a file of this size in milliseconds: as WAV and FLAC give it, else a guess.

    `head` are its first bytes, as many as `sniff.container` looks at.
    """
    match container(head):
        case "wav":
            return size_bytes * 1000 // (_wav_bytes_per_s(head) or _BYTES_PER_S)
        case "flac":
            return _flac_ms(head) or size_bytes * 1000 // _BYTES_PER_S
        case _:
            return size_bytes * 1000 // _BYTES_PER_S


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
