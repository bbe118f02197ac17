"""Names the container of an upload by its first bytes, so that FFmpeg need not guess.

Playlists and other formats that refer to further files are not in the table, and so cannot be decoded.
"""

from collections.abc import Callable

#: How much of a file `container` looks at.
HEAD_BYTES = 4096

#: FFmpeg demuxers of the formats that a fixed string at a fixed offset gives away: (offset, bytes, demuxer).
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00", "w64"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "asf"),
    (0, b"#!AMR", "amr"),
    (0, b"caff\x00\x01", "caf"),
    (0, b"FLV\x01", "flv"),
    (0, b".snd", "au"),
    (0, b"wvpk", "wv"),
    (0, b"TTA1", "tta"),
    (0, b"MAC ", "ape"),
    (0, b"\x0b\x77", "ac3"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    *((4, atom, "mov") for atom in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"moof")),
)

#: Formats whose type stands after the length of an outer chunk: (outer id, inner ids, demuxer).
_CHUNKED: tuple[tuple[bytes, frozenset[bytes], str], ...] = (
    (b"RIFF", frozenset({b"WAVE"}), "wav"),
    (b"RF64", frozenset({b"WAVE"}), "wav"),
    (b"BW64", frozenset({b"WAVE"}), "wav"),
    (b"RIFF", frozenset({b"AVI ", b"AVIX"}), "avi"),
    (b"FORM", frozenset({b"AIFF", b"AIFC"}), "aiff"),
)

_ID3_HEADER_BYTES = 10
_ID3_FOOTER_FLAG = 0x10

#: Sizes of a transport stream packet: as broadcast, with time codes before, with error correction after.
_TS_STRIDES_BYTES = (188, 192, 204)
_TS_SYNC = 0x47

#: The longest MPEG audio frame, layer II at 384 kbit/s and 32 kHz.
_MAX_MPEG_FRAME_BYTES = 1728


def container(head: bytes) -> str | None:
    """The FFmpeg demuxer for a file that begins with `head` (up to `HEAD_BYTES` of it); None if unknown."""
    head = head[:HEAD_BYTES]
    body = _after_id3(head)
    found = _by_magic(body) or _by_frames(body)
    return found or ("mp3" if len(body) < len(head) else None)


def _after_id3(head: bytes) -> bytes:
    """What follows the ID3v2 tags in front, empty if they pass the end of the head."""
    while head.startswith(b"ID3") and len(head) >= _ID3_HEADER_BYTES:
        # The size is written in seven bits a byte, and counts neither header nor footer.
        size_bytes = sum(
            (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
        )
        footer_bytes = _ID3_HEADER_BYTES if head[5] & _ID3_FOOTER_FLAG else 0
        head = head[_ID3_HEADER_BYTES + size_bytes + footer_bytes :]
    return head


def _by_magic(head: bytes) -> str | None:
    for offset, magic, demuxer in _MAGIC:
        if head.startswith(magic, offset):
            return demuxer
    for outer, inner, demuxer in _CHUNKED:
        if head.startswith(outer) and head[8:12] in inner:
            return demuxer
    return None


def _by_frames(head: bytes) -> str | None:
    """Formats without a header, told by their repeating frames."""
    # MPEG audio last: its sync word is the weakest.
    for demuxer, matches in _FRAMED:
        if matches(head):
            return demuxer
    return None


def _is_mpegts(head: bytes) -> bool:
    # Blu-ray puts four bytes in front of each packet.
    return any(
        len(head) > start + 2 * stride and all(head[start + n * stride] == _TS_SYNC for n in range(3))
        for stride in _TS_STRIDES_BYTES
        for start in (0, stride - 188)
    )


def _is_adts(head: bytes) -> bool:
    if not _has_adts_header(head):
        return False
    frame_bytes = (head[3] & 0x03) << 11 | head[4] << 3 | head[5] >> 5
    return frame_bytes > 7 and (len(head) < frame_bytes + 7 or _has_adts_header(head[frame_bytes:]))


def _has_adts_header(head: bytes) -> bool:
    # Sync word, layer 0, one of thirteen sample rates.
    return len(head) >= 7 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 0x0F < 13


def _is_mpeg_audio(head: bytes) -> bool:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, sample_rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 0 or bit_rate == 15 or sample_rate == 3:  # the reserved values
        return False
    # A UTF-16 text begins like a frame; only audio has a second one.
    return len(head) < 2 * _MAX_MPEG_FRAME_BYTES or head.find(head[:2], 4, 2 * _MAX_MPEG_FRAME_BYTES) > 0


_FRAMED: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("mpegts", _is_mpegts),
    ("aac", _is_adts),
    ("mp3", _is_mpeg_audio),
)
