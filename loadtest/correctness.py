"""What the answers were worth: whether the load changes the text, and how far it is from the reference."""

import statistics
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from loadtest.records import Sample

#: So many recordings are listed, from the worst.
_WORST: Final = 10


class RecordingFigures(Struct, frozen=True, kw_only=True):
    """How well a recording was recognised."""

    name: str
    answers: int
    exact: float | None
    error_rate: float | None


class Correctness(Struct, frozen=True, kw_only=True):
    """What the answers were worth; null where nothing is known to compare them with."""

    #: Answers with a text of the recording alone, and the share of them that equals it.
    compared: int
    exact: float | None
    #: Answers with a reference, and the mean of their error rates.
    referenced: int
    error_rate: float | None
    worst: tuple[RecordingFigures, ...]


def correctness(samples: Iterable[Sample]) -> Correctness:
    """Of the answers with which a text could be compared, those counted as errors included."""
    answers = [sample for sample in samples if sample.exact is not None or sample.error_rate is not None]
    by_name: dict[str, list[Sample]] = {}
    for sample in answers:
        by_name.setdefault(sample.recording, []).append(sample)
    found = (_recording(name, heard) for name, heard in by_name.items())
    imperfect = [one for one in found if one.error_rate or (one.exact is not None and one.exact < 1)]
    together = _recording("", answers)
    return Correctness(
        compared=sum(sample.exact is not None for sample in answers),
        exact=together.exact,
        referenced=sum(sample.error_rate is not None for sample in answers),
        error_rate=together.error_rate,
        worst=tuple(sorted(imperfect, key=_quality)[:_WORST]),
    )


def _recording(name: str, samples: Sequence[Sample]) -> RecordingFigures:
    return RecordingFigures(
        name=name,
        answers=len(samples),
        exact=_mean([sample.exact for sample in samples]),
        error_rate=_mean([sample.error_rate for sample in samples]),
    )


def _quality(one: RecordingFigures) -> tuple[float, float, str]:
    """The worst first: inconsistent before inaccurate, as only the former is the service's doing."""
    return 1 if one.exact is None else one.exact, -(one.error_rate or 0), one.name


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
