"""Real weights on real speech: the embedded engine hears what was said, and only that."""

import importlib.util
import subprocess
import sys
import unicodedata
from pathlib import Path

import av
import jiwer
import numpy as np
import pytest

from actors import weights
from actors.engines.base import Engine, Row, Samples
from actors.engines.catalog import create
from actors.engines.whisper import NO_SPEECH, WhisperEngine
from actors.errors import RecognitionFailed, StartupError
from actors.records import SAMPLE_RATE_HZ, Language

#: Clip, language, and the highest character error rate that is not a regression. The Japanese pangram is a
#: poem, whose words Whisper writes in characters of its own choice: others where a CPU rounds int8 otherwise.
CLIPS: list[tuple[str, Language, float]] = [
    ("en/quick_brown_fox", "en", 0.0),
    ("en/hello_world", "en", 0.0),
    ("zh/nihao_shijie", "zh", 0.5),
    ("zh/pangrama", "zh", 0.5),
    ("ja/konnichiwa_sekai", "ja", 0.0),
    ("ja/pangrama", "ja", 0.85),
]


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The embedded engine, loaded once."""
    weights.fetch("whisper-base")
    engine = create("whisper-base")
    engine.load("cpu", 1)
    return engine


def test_int8_hears_what_float32_does(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """Real speech: the characters are float32's but for a few; int8 is usual on a CPU."""
    exact = create("whisper-base", "float32")
    exact.load("cpu", 2)
    rows = [_row(_clip(name), language) for name, language, _ in CLIPS]

    found = jiwer.cer(
        [_characters(row.text) for row in exact.recognize(rows)],
        [_characters(row.text) for row in engine.recognize(rows)],
    )

    with capsys.disabled():
        print(f" int8: {found:.2%} of the characters differ")  # noqa: T201
    assert found <= 0.15


def _clip(name: str) -> Samples:
    with av.open(str(_audio() / f"{name}.wav")) as container:
        chunks = [frame.to_ndarray() for frame in container.decode(audio=0)]
    samples: Samples = np.concatenate(chunks, axis=1)[0].astype(np.float32)
    return samples


def _audio() -> Path:
    spec = importlib.util.find_spec("pytest_audioeval.samples")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations))) / "audio"


def _row(samples: Samples, language: Language = "auto") -> Row:
    return Row(samples=samples, language=language, itn=True)


def _characters(text: str) -> str:
    return "".join(
        character for character in unicodedata.normalize("NFKC", text).lower() if character.isalnum()
    )


def _error_rate(name: str, text: str) -> float:
    reference = (_audio() / f"{name}.txt").read_text(encoding="utf-8")
    return float(jiwer.cer(_characters(reference), _characters(text)))


@pytest.mark.parametrize(("name", "language", "bound"), CLIPS)
@pytest.mark.parametrize("hinted", [False, True])
def test_speech_is_recognised(
    engine: Engine, name: str, language: Language, bound: float, *, hinted: bool
) -> None:
    """Clean speech gives its text within the bound, and its language when none was named."""
    (heard,) = engine.recognize([_row(_clip(name), language if hinted else "auto")])

    assert heard.language == language
    assert _error_rate(name, heard.text) <= bound


def test_a_row_does_not_depend_on_its_batch(engine: Engine) -> None:
    """Rows of any length and language, hinted, silent or not, give in one batch what each gives alone."""
    rows = [
        _row(_clip(name), language if index % 2 else "auto")
        for index, (name, language, _) in enumerate(CLIPS)
    ]
    rows.append(_row(np.concatenate([row.samples for row in rows]), "en"))
    rows.insert(2, _row(np.zeros(SAMPLE_RATE_HZ, np.float32)))

    together = engine.recognize(rows)

    assert together == [engine.recognize([row])[0] for row in rows]
    assert together == engine.recognize(rows[::-1])[::-1]


def _noise(amplitude: float, duration_s: float) -> Samples:
    samples = np.random.default_rng(7).standard_normal(int(duration_s * SAMPLE_RATE_HZ)) * amplitude
    return samples.astype(np.float32)


@pytest.mark.parametrize("duration_s", [0.0, 0.001, 0.05, 0.3, 3.0, 30.0])
@pytest.mark.parametrize("amplitude", [0.0, 1e-3, 0.1])
def test_what_is_not_speech_stays_empty(engine: Engine, duration_s: float, amplitude: float) -> None:
    """Silence, noise and clips too short for a word give no text instead of an invented one."""
    unknown, hinted = engine.recognize(
        [_row(_noise(amplitude, duration_s)), _row(_noise(amplitude, duration_s), "zh")]
    )

    assert (unknown.text, unknown.language) == ("", NO_SPEECH)
    assert (hinted.text, hinted.language) == ("", "zh")


def test_endless_repetition_is_broken(engine: Engine) -> None:
    """A stammered syllable, which sends a greedy decoder into a loop, gives a text of sensible length."""
    syllable = _clip("zh/jishu")[3000:6200]

    (heard,) = engine.recognize([_row(np.resize(syllable, 3 * SAMPLE_RATE_HZ), "zh")])

    assert len(heard.text) < 40


def test_an_unknown_language_is_an_error(engine: Engine) -> None:
    """Whisper base has no Cantonese: the row is refused, not taken for something else."""
    assert "yue" not in engine.capabilities.languages
    with pytest.raises(RecognitionFailed, match="yue"):
        engine.recognize([_row(_noise(0.1, 1.0), "yue")])


def test_capabilities_cost_no_library() -> None:
    """Whoever reads the capabilities loads neither the runtime nor torch."""
    code = (
        "import sys; from actors.engines.catalog import create; create('auto').capabilities; "
        "print([name for name in ('ctranslate2', 'tokenizers', 'torch', 'av') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_the_catalog_knows_names_and_own_engines() -> None:
    """An engine is found by its name, or as one's own class; anything else names what there is."""
    assert isinstance(create("whisper-base"), WhisperEngine)
    assert isinstance(create("actors.engines.whisper:WhisperEngine"), WhisperEngine)
    with pytest.raises(StartupError, match="whisper-base"):
        create("whisper-huge")
    with pytest.raises(StartupError, match="nowhere"):
        create("nowhere:Engine")


def test_missing_weights_are_a_startup_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its weights the engine refuses to load, and says how to get them."""
    monkeypatch.setattr("actors.settings.STATE_DIR", tmp_path)

    with pytest.raises(StartupError, match="fetch whisper-base"):
        create("whisper-base").load("cpu", 1)
