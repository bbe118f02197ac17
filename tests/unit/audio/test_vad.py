"""The VAD finds the same speech however the audio reaches it."""

import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from numpy.typing import NDArray

from actors.audio.edges import MAX_START_DELAY_MS, Edge, SpeechEnd, SpeechStart
from actors.audio.vad import VoiceActivityDetector
from actors.errors import StartupError
from actors.records import SAMPLE_RATE_HZ
from actors.settings import STATE_DIR
from loadtest.bench.funasr_vad import FunasrVad

Pcm = NDArray[np.int16]

WEIGHTS = STATE_DIR / "weights" / "fsmn-vad"

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


def test_funasr_itself_agrees(funasr: FunasrVad, conversation: Pcm) -> None:
    """FunASR's own inference with the same settings."""
    assert funasr.offline(conversation) == GOLDEN


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
    """A probability of exactly 0 or 1 does not fail the job."""
    bias = vad._network._output.bias
    assert bias is not None
    usual = bias[0].item()
    bias[0] += logit
    try:
        found = edges(vad, speech("en/hello_world"), 16_000)
    finally:
        bias[0] = usual
    assert len(found) == (2 if logit < 0 else 0)


def test_missing_weights_fail_the_start(tmp_path: Path) -> None:
    """The message names the files that are not there."""
    with pytest.raises(StartupError, match=r"lack model\.pt, am\.mvn"):
        VoiceActivityDetector.load(tmp_path, threads=1)


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("/tmp/quintet-evil-vad"),))  # pragma: no cover


def _change(folder: Path, name: str, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    state = torch.load(folder / "model.pt", weights_only=True)
    state[name] = change(state[name])
    torch.save(state, folder / "model.pt")


def _remove(folder: Path, name: str) -> None:
    state = torch.load(folder / "model.pt", weights_only=True)
    del state[name]
    torch.save(state, folder / "model.pt")


def _cut(path: Path, word: str) -> None:
    path.write_text(path.read_text().replace(word, "", 1))


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder: (folder / "model.pt").write_text("{}"), ""),
        (lambda folder: (folder / "model.pt").write_bytes(b""), ""),
        (lambda folder: _truncate(folder / "model.pt"), ""),
        (lambda folder: (folder / "model.pt").write_bytes(pickle.dumps(_Evil())), ""),
        (lambda folder: torch.save([1, 2], folder / "model.pt"), "no weights"),
        (lambda folder: _remove(folder, "encoder.out_linear2.linear.bias"), r"encoder\.out_linear2"),
        (lambda folder: _change(folder, "encoder.in_linear1.linear.weight", torch.t), "of 140 x 400"),
        (lambda folder: _change(folder, "encoder.in_linear1.linear.bias", torch.log), r"encoder\.in_linear1"),
        (lambda folder: (folder / "am.mvn").write_text("{}"), "am.mvn has no 400 numbers under <AddShift>"),
        (lambda folder: (folder / "am.mvn").write_bytes(b"\xff\xfe"), "utf-8"),
        (lambda folder: _truncate(folder / "am.mvn"), "am.mvn has no 400 numbers under <AddShift>"),
        (lambda folder: _cut(folder / "am.mvn", "<Rescale>"), "am.mvn has no 400 numbers under <Rescale>"),
        (lambda folder: _cut(folder / "am.mvn", "0.155775"), "am.mvn has no 400 numbers under <Rescale>"),
    ],
    ids=[
        "text", "empty", "truncated", "code", "no dict", "weight missing", "other shape", "not finite",
        "mvn empty", "mvn binary", "mvn truncated", "mvn without scale", "mvn short",
    ],
)  # fmt: skip
def test_damaged_weights_fail_the_start(
    tmp_path: Path, damage: Callable[[Path], object], reason: str
) -> None:
    """What is no model of ours is reported with its folder and the reason, and nothing in it is executed."""
    folder = Path(shutil.copytree(WEIGHTS, tmp_path / "fsmn-vad"))
    damage(folder)

    with pytest.raises(StartupError, match=f"{folder} cannot be loaded: .*{reason}"):
        VoiceActivityDetector.load(folder, threads=1)

    assert not Path("/tmp/quintet-evil-vad").exists()


def test_funasr_is_not_loaded() -> None:
    """Its import takes seconds and hundreds of megabytes."""
    code = f"""if True:
        import sys, torch
        from pathlib import Path
        from actors.audio.vad import VoiceActivityDetector
        VoiceActivityDetector.load(Path({str(WEIGHTS)!r}), threads=1)
        print(torch.get_num_threads(), {{"funasr", "transformers", "numba"}} & sys.modules.keys())
    """

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "1 set()\n"


def test_a_stream_stays_small(vad: VoiceActivityDetector) -> None:
    """Ten minutes in one block take no more memory than ten seconds, and leave a few kilobytes behind."""
    audio = np.random.default_rng(0).integers(-300, 300, 10 * 60 * SAMPLE_RATE_HZ, np.int16)
    stream = vad.stream()
    process = psutil.Process()
    stream.feed(audio[: 20 * SAMPLE_RATE_HZ], final=False)
    before = process.memory_info().rss

    stream.feed(audio, final=False)

    assert process.memory_info().rss - before < 8 << 20
    kept = [stream._features._samples, stream._features._frames, *stream._memory]
    assert sum(tensor.untyped_storage().nbytes() for tensor in kept) < 50_000
