"""FunASR's VAD finds the same speech however the audio reaches it."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from actors.audio.edges import MAX_START_DELAY_MS, Edge, SpeechEnd, SpeechStart
from actors.audio.vad import VoiceActivityDetector
from actors.errors import StartupError
from actors.records import SAMPLE_RATE_HZ

Pcm = NDArray[np.int16]

NOTHING = np.empty(0, np.int16)

#: What FunASR 1.4.16 hears in the fixture `conversation`; its own offline inference, which reads
#: blocks of 60 s, with a fixed end silence of 800 ms and no cap on the length, gives the same.
GOLDEN = [
    (0, 2870),
    (3150, 7310),
    (7730, 10480),
    (11320, 14420),
    (15380, 18140),
    (19480, 21100),
    (23020, 24340),
]


def edges(vad: VoiceActivityDetector, audio: Pcm, block_samples: int) -> list[Edge]:
    """All edges of a recording that is fed in equal blocks."""
    stream = vad.stream()
    found: list[Edge] = []
    for start in range(0, len(audio), block_samples):
        found += stream.feed(audio[start : start + block_samples], final=False)
    return found + stream.feed(NOTHING, final=True)


def spans(found: list[Edge]) -> list[tuple[int, int]]:
    """Alternating edges as (start_ms, end_ms)."""
    pairs = []
    for start, end in zip(found[::2], found[1::2], strict=True):
        assert isinstance(start, SpeechStart)
        assert isinstance(end, SpeechEnd)
        pairs.append((start.at_ms, end.at_ms))
    return pairs


def test_golden_spans(vad: VoiceActivityDetector, conversation: Pcm) -> None:
    """An upgrade that moves any edge by a frame is noticed."""
    assert spans(edges(vad, conversation, 60 * SAMPLE_RATE_HZ)) == GOLDEN


@pytest.mark.parametrize("block_samples", [1_111, 12_345, 16_000, 160_000])
def test_streaming_equals_offline(vad: VoiceActivityDetector, conversation: Pcm, block_samples: int) -> None:
    """The length of the blocks changes nothing."""
    assert spans(edges(vad, conversation, block_samples)) == GOLDEN


def test_funasr_itself_agrees(vad: VoiceActivityDetector, conversation: Pcm) -> None:
    """Calling the model as we do gives what FunASR's own inference gives with the same settings."""
    model = vad.stream()._model

    results, _ = model.inference(
        [conversation.astype(np.float32) / (1 << 15)],
        key=["conversation"],
        frontend=vad._frontend,
        cache={},
        chunk_size=60_000,
        device="cpu",
        dynamic_silence=False,
        is_final=True,
    )

    assert [tuple(span) for span in results[0]["value"]] == GOLDEN


def test_streams_in_many_threads_share_nothing(vad: VoiceActivityDetector, conversation: Pcm) -> None:
    """Recordings of different lengths in blocks of different lengths do not disturb each other."""
    jobs = [
        (conversation[second * SAMPLE_RATE_HZ :], block)
        for second, block in zip(range(4), (1_600, 16_000, 5_000, 160_000), strict=True)
    ]
    alone = [edges(vad, audio, block) for audio, block in jobs]

    with ThreadPoolExecutor(len(jobs)) as threads:
        together = list(threads.map(lambda job: edges(vad, *job), jobs))

    assert together == alone
    # A race shows only now and then, so look at its cause as well.
    assert vad.stream()._model.vad_opts is not vad.stream()._model.vad_opts


def test_starts_are_reported_in_time(vad: VoiceActivityDetector, conversation: Pcm) -> None:
    """The cutter forgets audio older than `MAX_START_DELAY_MS`, so no start may come later."""
    stream = vad.stream()
    delays_ms: list[int] = []
    for start in range(0, len(conversation), 800):
        heard_ms = start // 16
        found = stream.feed(conversation[start : start + 800], final=False)
        delays_ms += [heard_ms - edge.at_ms for edge in found if isinstance(edge, SpeechStart)]

    assert len(delays_ms) == len(GOLDEN)
    assert max(delays_ms) <= MAX_START_DELAY_MS


def test_speech_that_runs_into_the_end_is_closed(
    vad: VoiceActivityDetector, speech: Callable[[str], Pcm]
) -> None:
    """A recording that stops within a word ends with an edge."""
    audio = speech("en/counting")[: 2 * SAMPLE_RATE_HZ]

    found = edges(vad, audio, SAMPLE_RATE_HZ)

    assert isinstance(found[-1], SpeechEnd)
    assert 1900 <= found[-1].at_ms <= 2000


def test_speech_without_pauses_is_not_cut(vad: VoiceActivityDetector, speech: Callable[[str], Pcm]) -> None:
    """Cutting long speech is the cutter's business, which finds a quiet point."""
    clip = speech("en/quick_brown_fox")[8_000:40_000]
    audio = np.tile(clip, 50)

    found = spans(edges(vad, audio, 10 * SAMPLE_RATE_HZ))

    assert max(end_ms - start_ms for start_ms, end_ms in found) > 65_000


@pytest.mark.parametrize(
    "audio",
    [
        NOTHING,
        np.array([7], np.int16),
        np.zeros(399, np.int16),
        np.zeros(400, np.int16),
        np.zeros(160_000, np.int16),
        np.full(160_000, 32_767, np.int16),
        (20_000 * np.sin(np.arange(160_000) * 0.2)).astype(np.int16),
    ],
    ids=["empty", "one sample", "under a frame", "one frame", "silence", "full scale", "tone"],
)
def test_what_is_no_speech_has_no_edges(vad: VoiceActivityDetector, audio: Pcm) -> None:
    """Silence, tones and recordings shorter than a frame are neither speech nor an error."""
    assert edges(vad, audio, 16_000) == []


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_a_certain_network_is_no_error(
    vad: VoiceActivityDetector, speech: Callable[[str], Pcm], logit: float
) -> None:
    """A probability of exactly 0 or 1, whose logarithm FunASR takes, does not fail the job."""
    bias = vad._model.encoder.out_linear2.linear.bias
    before = bias.data.clone()
    bias.data[0] += logit
    try:
        edges(vad, speech("en/hello_world"), 16_000)
    finally:
        bias.data.copy_(before)


def test_missing_weights_fail_the_start(tmp_path: Path) -> None:
    """FunASR would search its hub for a folder that is not there; we say what is missing."""
    with pytest.raises(StartupError, match=r"model\.pt"):
        VoiceActivityDetector.load(tmp_path, threads=1)


def test_damaged_weights_fail_the_start(tmp_path: Path) -> None:
    """A file that is not a model is reported with its folder."""
    for name in ("model.pt", "am.mvn", "config.yaml", "configuration.json"):
        (tmp_path / name).write_text("{}")

    with pytest.raises(StartupError, match="cannot be loaded"):
        VoiceActivityDetector.load(tmp_path, threads=1)


def test_loading_leaves_stdout_and_the_root_logger_alone(
    vad: VoiceActivityDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """FunASR's banners and log settings stay inside."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level

    test_damaged_weights_fail_the_start(tmp_path)

    assert vad is not None
    assert capsys.readouterr().out == ""
    assert (logging.getLogger().handlers, logging.getLogger().level) == (handlers, level)
