"""SenseVoice in a reduced precision hears what it hears in float32."""

from collections.abc import Sequence

import jiwer
import pytest
import torch

from actors.engines.base import Precision, Row
from actors.engines.int8 import processor
from actors.engines.sensevoice import SenseVoiceEngine, precisions
from actors.engines.sensevoice_words import tokens
from actors.errors import StartupError
from tests.sensevoice import MODEL, rooms
from tests.sensevoice.company import batches
from tests.sensevoice.marks import needs_avx2


@pytest.mark.parametrize(
    ("precision", "most"),
    [("float16", 0.002), ("bfloat16", 0.01), pytest.param("int8", 0.005, marks=needs_avx2)],
)
def test_reduced_precision_hears_the_same(
    precision: Precision, most: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spoken digits in twenty rooms: the tokens, tags included, are float32's but for this share."""
    rows = rooms.rows(20)
    exact = _spelled(_loaded("float32"), rows)

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
    monkeypatch.setattr(processor, "multiplies_integers", lambda: True)
    assert (precisions("cpu")[0], precisions("cuda")[0]) == ("int8", "float16")

    monkeypatch.setattr(processor, "multiplies_integers", lambda: False)
    assert precisions("cpu")[0] == "float32"
    with pytest.raises(StartupError, match="calculates in float32, bfloat16, float16, not in int8"):
        SenseVoiceEngine(MODEL, "int8").load("cpu", 1)


def _loaded(precision: Precision) -> SenseVoiceEngine:
    engine = SenseVoiceEngine(MODEL, precision)
    engine.load("cpu", torch.get_num_threads())
    return engine


def _spelled(engine: SenseVoiceEngine, rows: Sequence[Row]) -> list[str]:
    """The token ids of each row, separated by spaces."""
    paths = [path for batch in batches(rows, 5) for path in engine._model.paths(batch)]
    return [" ".join(str(token.id) for token in tokens(path)) for path in paths]
