"""SenseVoice run by us is FunASR's SenseVoice, row by row, whatever stands beside a row."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pytest
import torch

from actors.engines import sensevoice_loading
from actors.engines.base import Row
from actors.engines.sensevoice import SenseVoiceEngine
from actors.engines.sensevoice_features import MIN_SAMPLES, Frontend
from actors.engines.sensevoice_model import SenseVoiceModel
from actors.engines.sensevoice_words import tokens
from actors.records import Language
from loadtest.bench import full_size, funasr_model
from tests.sensevoice import MODEL
from tests.sensevoice.company import batches

LANGUAGES: Final[tuple[Language, ...]] = ("auto", "zh", "en", "ja", "ko", "yue")

CPU: Final = torch.device("cpu")


class Both:
    """One set of weights, run by FunASR's `AutoModel.generate()` and by us."""

    def __init__(self, folder: Path) -> None:
        self.loaded = funasr_model.load(folder, "cpu", torch.get_num_threads())
        parts = sensevoice_loading.parts(folder)
        parts.model.load_state_dict(sensevoice_loading.weights(parts.model, folder), assign=True)
        self.frontend = Frontend(parts.cmvn, CPU)
        self.ours = SenseVoiceModel(parts.model, self.frontend, CPU, torch.float32)
        self._hidden: Any = None
        self._ids: list[int] = []
        self.loaded.model.encoder.register_forward_hook(self._see_hidden)
        self._processor = self.loaded.kwargs["tokenizer"].sp

    def theirs(self, row: Row) -> tuple[list[int], torch.Tensor]:
        """FunASR's token ids for a row, and its logits."""
        tokenizer = self.loaded.kwargs["tokenizer"]
        with pytest.MonkeyPatch.context() as patch:
            # generate() works on copies of the tokenizer, so the class is what has to be watched.
            patch.setattr(type(tokenizer), "decode", self._see_ids)
            self.loaded.generate(row.samples, language=row.language, use_itn=row.itn, disable_pbar=True)
        with torch.inference_mode():
            return self._ids, self.loaded.model.ctc.ctc_lo(self._hidden[0])

    def _see_hidden(self, _module: Any, _inputs: Any, outputs: Any) -> None:
        self._hidden = outputs[0]

    def _see_ids(self, ids: list[int], **_: Any) -> str:
        self._ids = list(ids)
        return cast("str", self._processor.DecodeIds(ids))


@pytest.fixture(scope="module")
def small() -> Both:
    """The trained model of the tests."""
    return Both(MODEL)


@pytest.fixture(scope="module")
def engine() -> SenseVoiceEngine:
    """The trained model of the tests as an engine, exact."""
    engine = SenseVoiceEngine(MODEL, "float32")
    engine.load("cpu", torch.get_num_threads())
    return engine


def _rows(count: int, seed: int, longest_s: float = 30.0) -> list[Row]:
    """Segments of 0.2 s to `longest_s`, languages and ITN mixed."""
    rng = np.random.default_rng(seed)
    durations_s = np.exp(rng.uniform(np.log(0.2), np.log(longest_s), count))
    durations_s[-1] = 0.2
    durations_s[0] = longest_s
    rng.shuffle(durations_s)
    return [
        Row(
            samples=full_size.voice(duration_s, rng),
            language=LANGUAGES[rng.integers(len(LANGUAGES))],
            itn=bool(rng.integers(2)),
        )
        for duration_s in durations_s.tolist()
    ]


def _ids(path: Any) -> list[int]:
    return [token.id for token in tokens(path)]


def _differing(both: Both, rows: Sequence[Row]) -> list[int]:
    """The rows, by number, whose token ids are not FunASR's."""
    ours = [_ids(path) for batch in batches(rows, 5) for path in both.ours.paths(batch)]
    return [index for index, row in enumerate(rows) if both.theirs(row)[0] != ours[index]]


@pytest.mark.timeout(1200)
def test_token_ids_are_funasrs_on_the_small_model(small: Both) -> None:
    """500 segments of 0.2 to 30 s, batched in random company, languages and ITN mixed."""
    assert _differing(small, _rows(500, seed=1)) == []


@pytest.fixture(scope="module")
def large() -> Both:
    """The real architecture at full size with random weights."""
    return Both(full_size.kept())


@pytest.mark.timeout(7200)
def test_token_ids_are_funasrs_at_full_size(large: Both, pytestconfig: pytest.Config) -> None:
    """A few segments; `--full-size-segments` says how many."""
    count = cast("int", pytestconfig.getoption("--full-size-segments"))

    assert _differing(large, _rows(count, seed=2, longest_s=30.0 if count > 100 else 10.0)) == []


def test_logits_are_funasrs(small: Both) -> None:
    """In a batch of unequal rows no logit is off by 1e-3."""
    rows = _rows(5, seed=3, longest_s=8.0)

    for row, logits in zip(rows, small.ours.logits(rows), strict=True):
        _, theirs = small.theirs(row)
        assert logits.shape == theirs.shape
        assert float((logits - theirs).abs().max()) < 1e-3


def _signals() -> Iterator[np.ndarray[Any, np.dtype[np.float32]]]:
    rng = np.random.default_rng(6)
    for samples in (MIN_SAMPLES, MIN_SAMPLES + 159, MIN_SAMPLES + 160, 1_360, 3_200, 80_001, 480_000):
        yield full_size.voice(samples / 16_000, rng)
        yield np.zeros(samples, dtype=np.float32)
        yield (rng.standard_normal(samples) * 10.0 ** rng.uniform(-5, -1)).astype(np.float32)
        yield np.sin(np.arange(samples) * 0.17).astype(np.float32) * np.float32(0.5)


@pytest.mark.parametrize("padded", [False, True])
def test_features_are_funasrs(small: Both, *, padded: bool) -> None:
    """Speech, silence, noise and tones of any length, by the way of the CPU and by that of a GPU."""
    signals = list(_signals())
    lengths = [1 + (len(samples) - MIN_SAMPLES) // 160 for samples in signals]
    features, frames = small.frontend(signals)
    if padded:
        features = small.frontend._padded(signals, lengths, frames)

    for row, count, samples in zip(features, frames, signals, strict=True):
        theirs, length = small.loaded.kwargs["frontend"](torch.tensor(samples)[None], [len(samples)])
        assert int(length[0]) == count
        assert float((row[:count] - theirs[0]).abs().max()) < 1e-3
        assert not row[count:].any()


def test_features_are_torchaudios(small: Both) -> None:
    """Where torchaudio can be imported, as on a machine with a GPU, its Kaldi fbank agrees."""
    kaldi = pytest.importorskip("torchaudio.compliance.kaldi", exc_type=ImportError)
    samples = full_size.voice(3.0, np.random.default_rng(8))

    theirs = kaldi.fbank(
        torch.tensor(samples)[None] * 32_768,
        num_mel_bins=80,
        dither=0.0,
        energy_floor=0.0,
        window_type="hamming",
    )

    assert float((small.frontend._log_mel(torch.tensor(samples)) - theirs).abs().max()) < 1e-3


def test_a_row_does_not_depend_on_its_batch(engine: SenseVoiceEngine) -> None:
    """Text, tags and word times are the same alone, in any batch and in any order."""
    rows = _rows(24, seed=7, longest_s=20.0)

    together = engine.recognize(rows)

    assert together == [engine.recognize([row])[0] for row in rows]
    assert together == engine.recognize(rows[::-1])[::-1]


def test_a_row_without_a_window_is_silent(engine: SenseVoiceEngine) -> None:
    """Nothing can be heard in 25 ms; the rows beside it are recognised."""
    (long,) = _rows(1, seed=9, longest_s=3.0)
    short = Row(samples=np.zeros(MIN_SAMPLES - 1, dtype=np.float32), language="auto", itn=True)
    empty = Row(samples=np.zeros(0, dtype=np.float32), language="ja", itn=False)

    first, heard, second = engine.recognize([short, long, empty])

    assert (first.text, first.language, first.words) == ("", "nospeech", ())
    assert (second.text, second.language) == ("", "ja")
    assert [heard] == engine.recognize([long])
    assert engine.recognize([short])[0] == first
    assert engine.recognize([]) == []
