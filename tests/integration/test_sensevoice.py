"""SenseVoice run by us is FunASR's SenseVoice, row by row, whatever stands beside a row."""

import pickle
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import jiwer
import numpy as np
import psutil
import pytest
import torch

from actors import weights
from actors.engines import catalog, int8_linear, sensevoice_loading
from actors.engines.base import Precision, Row
from actors.engines.sensevoice import SenseVoiceEngine, precisions
from actors.engines.sensevoice_features import MIN_SAMPLES, Frontend
from actors.engines.sensevoice_model import SenseVoiceModel
from actors.engines.sensevoice_words import tokens
from actors.errors import StartupError
from actors.records import Language
from deploy import preflight
from loadtest.bench import full_size, funasr_model
from tests.sensevoice import MODEL, rooms

LANGUAGES: Final[tuple[Language, ...]] = ("auto", "zh", "en", "ja", "ko", "yue")

CPU: Final = torch.device("cpu")

LARGEST_BATCH = 12

needs_avx2 = pytest.mark.skipif(not int8_linear.supported(), reason="this processor has no AVX2")


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


def _batches(rows: Sequence[Row], seed: int) -> Iterator[list[Row]]:
    """Random company: rows of any length, 1 to `LARGEST_BATCH` of them."""
    rng = np.random.default_rng(seed)
    start = 0
    while start < len(rows):
        end = start + int(rng.integers(1, LARGEST_BATCH + 1))
        yield list(rows[start:end])
        start = end


def _ids(path: Any) -> list[int]:
    return [token.id for token in tokens(path)]


def _differing(both: Both, rows: Sequence[Row]) -> list[int]:
    """The rows, by number, whose token ids are not FunASR's."""
    ours = [_ids(path) for batch in _batches(rows, 5) for path in both.ours.paths(batch)]
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


def test_the_weights_are_the_file_itself(engine: SenseVoiceEngine) -> None:
    """On a CPU they are mapped, so that several instances hold them once together."""
    weight = engine._model._model.encoder.encoders[0].feed_forward.w_1.weight

    mapped = [
        tuple(int(address, 16) for address in area.addr.split("-"))
        for area in psutil.Process().memory_maps(grouped=False)
        if area.path == str(MODEL / "model.pt")
    ]

    assert any(start <= weight.data_ptr() < end for start, end in mapped)


@pytest.mark.parametrize(
    ("precision", "most"),
    [("float16", 0.002), ("bfloat16", 0.01), pytest.param("int8", 0.005, marks=needs_avx2)],
)
def test_reduced_precision_hears_the_same(
    engine: SenseVoiceEngine, precision: Precision, most: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spoken digits in twenty rooms: the tokens, tags included, are float32's but for this share."""
    rows = rooms.rows(20)
    exact = _spelled(engine, rows)

    coarse = _spelled(_loaded(precision), rows)

    found = jiwer.wer(exact, coarse)
    with capsys.disabled():
        print(f" {precision}: {found:.2%} of {sum(len(row.split()) for row in exact)} tokens differ")  # noqa: T201
    assert found <= most


@needs_avx2
def test_in_integers_no_row_feels_those_beside_it() -> None:
    """Each frame has a scale of its own, and sums of integers are exact."""
    engine = _loaded("int8")
    rows = rooms.rows(2)

    together = engine.recognize(rows)

    assert together == [heard for row in rows for heard in engine.recognize([row])]


def test_the_processor_decides_the_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Integers where it multiplies them fastest, else float32; a GPU halves."""
    monkeypatch.setattr(int8_linear, "supported", lambda: True)
    assert (precisions("cpu")[0], precisions("cuda")[0]) == ("int8", "float16")

    monkeypatch.setattr(int8_linear, "supported", lambda: False)
    assert precisions("cpu")[0] == "float32"
    with pytest.raises(StartupError, match="calculates in float32, bfloat16, float16, not in int8"):
        SenseVoiceEngine(MODEL, "int8").load("cpu", 1)


def _loaded(precision: Precision) -> SenseVoiceEngine:
    engine = SenseVoiceEngine(MODEL, precision)
    engine.load("cpu", torch.get_num_threads())
    return engine


def _spelled(engine: SenseVoiceEngine, rows: Sequence[Row]) -> list[str]:
    """The token ids of each row, separated by spaces."""
    paths = [path for batch in _batches(rows, 5) for path in engine._model.paths(batch)]
    return [" ".join(map(str, _ids(path))) for path in paths]


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("/tmp/quintet-evil-pickle"),))  # pragma: no cover


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the trained model to be damaged."""
    return Path(shutil.copytree(MODEL, tmp_path / "mine"))


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_a_pickle_is_never_executed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, plain: bool, unsafe: bool
) -> None:
    """Weights that would run code are refused, also where torch was told to trust everything."""
    evil = Path("/tmp/quintet-evil-pickle")
    evil.unlink(missing_ok=True)
    if plain:
        (folder / "model.pt").write_bytes(pickle.dumps(_Evil()))
    else:
        torch.save({"state_dict": _Evil()}, folder / "model.pt")
    if unsafe:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")

    with pytest.raises(StartupError, match="damaged, or holds more than weights"):
        SenseVoiceEngine(folder).load("cpu", 1)

    assert not evil.exists()


def test_code_in_the_folder_is_never_executed(folder: Path) -> None:
    """A configuration cannot ask for code of its own."""
    ran = folder / "ran"
    (folder / "model.py").write_text(f"open({str(ran)!r}, 'w')")
    with (folder / "config.yaml").open("a") as config:
        config.write(f"\ntrust_remote_code: true\nremote_code: {folder / 'model.py'}\n")

    SenseVoiceEngine(folder).load("cpu", 1)

    assert not ran.exists()


def test_weights_that_do_not_fit_are_refused(folder: Path) -> None:
    """FunASR would go on with random ones."""
    state = torch.load(folder / "model.pt", weights_only=True)
    del state["encoder.after_norm.weight"]
    torch.save(state, folder / "model.pt")

    with pytest.raises(StartupError, match=r"1 weights are missing .* encoder\.after_norm\.weight"):
        SenseVoiceEngine(folder).load("cpu", 1)


def test_a_folder_is_named_and_its_gaps_too(folder: Path) -> None:
    """A folder's model has the folder's name; the start names the file that it lacks."""
    assert catalog.create(str(folder)).capabilities.model == "mine"
    (folder / "model.pt").unlink()

    with pytest.raises(StartupError, match=r"mine lacks model\.pt"):
        catalog.create(str(folder)).load("cpu", 1)
    with pytest.raises(StartupError, match=r"mine lacks model\.pt"):
        preflight.check_model(str(folder))


def test_auto_takes_sensevoice_when_it_is_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the embedded Whisper; and the preflight looks at the one that is taken."""
    looked_at: list[str] = []
    monkeypatch.setattr(weights, "verify", looked_at.append)
    for present, expected in ((True, "sensevoice-small"), (False, "whisper-base")):
        monkeypatch.setattr(
            weights, "present", lambda name, here=present: here and name == "sensevoice-small"
        )

        assert catalog.create("auto").capabilities.model == expected
        preflight.check_model("auto")

        assert looked_at[-1] == expected


def test_missing_weights_are_a_startup_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its weights the engine refuses to load, and says how to get them."""
    monkeypatch.setattr("actors.settings.STATE_DIR", tmp_path)

    with pytest.raises(StartupError, match="fetch sensevoice-small"):
        catalog.create("sensevoice-small").load("cpu", 1)
