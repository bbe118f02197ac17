"""How long a recording is expected to be, before it is decoded."""

import numpy as np
import pytest

from actors.audio.length import expected_ms, shortest_ms
from actors.audio.sniff import HEAD_BYTES
from actors.records import SAMPLE_RATE_HZ
from loadtest.corpus.encoding import encode

LENGTH_MS = 7_300
NOISE = np.random.default_rng(1).integers(-9999, 9999, SAMPLE_RATE_HZ * LENGTH_MS // 1000).astype(np.int16)


@pytest.mark.parametrize(
    ("muxer", "codec", "rate_hz", "layout", "error"),
    [
        ("wav", "pcm_s16le", 16_000, "mono", 0.01),
        ("wav", "pcm_s24le", 48_000, "stereo", 0.01),
        ("wav", "pcm_mulaw", 8_000, "mono", 0.01),
        ("flac", "flac", 44_100, "stereo", 0.01),
        ("mp3", "libmp3lame", 44_100, "stereo", 0.5),
        ("ogg", "libopus", 48_000, "mono", 0.5),
    ],
)
def test_expected_length(muxer: str, codec: str, rate_hz: int, layout: str, error: float) -> None:
    """Right where the file says it, of the right size where it does not."""
    file = encode(NOISE, muxer, codec, rate_hz=rate_hz, layout=layout)

    assert expected_ms(file[:HEAD_BYTES], len(file)) == pytest.approx(LENGTH_MS, rel=error)


@pytest.mark.parametrize("head", [b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt ", b"fLaC", b"fLaC" + bytes(40)])
def test_broken_heads(head: bytes) -> None:
    """What a broken file does not say is guessed."""
    assert expected_ms(head, 500_000) == 2_000


@pytest.mark.parametrize(
    ("muxer", "codec", "options"),
    [
        ("mp3", "libmp3lame", {"b": "320000"}),
        ("ipod", "aac", {"b": "256000"}),
        ("aiff", "pcm_s16be", {}),
        ("wav", "pcm_s16le", {}),
    ],
)
def test_no_shorter(muxer: str, codec: str, options: dict[str, str]) -> None:
    """No file is taken to be longer than it is, however large it is for its length."""
    file = encode(NOISE, muxer, codec, rate_hz=44_100, layout="stereo", options=options)

    assert shortest_ms(file[:HEAD_BYTES], len(file)) <= LENGTH_MS * 1.02


def test_a_phone_video_may_be_short() -> None:
    """Half a minute of it is 60 MB, which would be an hour of sound."""
    head = b"\0\0\0\x18ftypmp42" + bytes(100)

    assert shortest_ms(head, 60 << 20) < 60_000
    assert expected_ms(head, 60 << 20) < 300_000
