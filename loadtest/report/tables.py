"""The tables of a report, as text and as HTML show them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from loadtest.figures import Figures, StepFigures
from loadtest.percentiles import Durations
from loadtest.records import Run
from loadtest.report.words import number, share
from loadtest.watched import Level
from monitoring.axes import duration

_PERCENTILES: Final = ("p50", "p90", "p95", "p99")
_NONE: Final = "-"


class Table(Struct, frozen=True, kw_only=True):
    """Rows of cells under a head; the last columns, so many, hold words instead of numbers."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 0


def of(run: Run, figures: Figures) -> list[Table]:
    """All that have any row."""
    every = (
        _answers(figures),
        _errors(figures),
        _latency(run, figures),
        _steps(figures),
        _stages(figures),
        _texts(figures),
        _processes(figures),
        _seen(figures),
        _counted(figures),
    )
    return [table for table in every if table.rows]


def _answers(figures: Figures) -> Table:
    done = figures.throughput
    row = (
        str(figures.requests),
        str(figures.ok),
        _share(figures.success),
        number(done.sent_per_s) if done else _NONE,
        number(done.requests_per_s) if done else _NONE,
        number(done.rtfx) if done else _NONE,
    )
    head = ("requests", "answered well", "share", "sent/s", "answered well/s", "RTFx")
    return Table(title="Throughput", head=head, rows=[row])


def _errors(figures: Figures) -> Table:
    rows = [
        (one.outcome, str(one.count), share(one.share), duration(one.first_s), one.reason)
        for one in figures.errors
    ]
    head = ("error", "requests", "share", "first after", "most frequent reason")
    return Table(title="Errors", head=head, rows=rows, words=1)


def _latency(run: Run, figures: Figures) -> Table:
    health = figures.watched.health.latency if figures.watched else None
    named = [
        ("answered well, since due" if run.plan.is_open else "answered well", figures.latency),
        ("answered well, since sent", figures.service if run.plan.is_open else None),
        ("first segment", figures.first_segment),
        ("failed", figures.failed),
        ("/health", health),
        ("sent late", figures.runner.late),
    ]
    rows = [
        (
            name,
            str(took.count),
            duration(took.mean_s),
            *_percentiles(took),
            duration(took.max_s),
        )
        for name, took in named
        if took
    ]
    head = ("", "number", "mean", *_PERCENTILES, "max")
    title = "Latency, corrected for coordinated omission" if run.plan.is_open else "Latency"
    return Table(title=title, head=head, rows=rows)


def _steps(figures: Figures) -> Table:
    head = (
        "requests/s",
        "requests",
        "answered well/s",
        "RTFx",
        "errors",
        "p50",
        "p95",
        "p99",
        "busy",
        "limits",
    )
    rows = [_step(step, figures.knee_per_s) for step in figures.steps]
    return Table(title="Rates", head=head, rows=rows, words=1)


def _step(step: StepFigures, knee_per_s: float | None) -> tuple[str, ...]:
    done, took = step.throughput, step.latency
    busy = step.watched.busy if step.watched else None
    held = "kept, the knee" if step.rate_per_s == knee_per_s else "kept"
    return (
        number(step.rate_per_s),
        str(step.requests),
        number(done.requests_per_s) if done else _NONE,
        number(done.rtfx) if done else _NONE,
        share(step.errors),
        *((duration(took.p50_s), duration(took.p95_s), duration(took.p99_s)) if took else (_NONE,) * 3),
        share(busy.mean) if busy else _NONE,
        held if step.borne else "broken",
    )


def _stages(figures: Figures) -> Table:
    rows = [
        (name, str(stage.count), *(duration(getattr(stage, f"{percent}_s")) for percent in _PERCENTILES))
        for name, stage in figures.stages.items()
    ]
    title = "Stages, by the service's own histograms"
    return Table(title=title, head=("stage", "number", *_PERCENTILES), rows=rows)


def _texts(figures: Figures) -> Table:
    texts = figures.correctness
    if not (texts.compared or texts.referenced):
        return Table(title="Texts", head=(), rows=[])
    together = (
        "all",
        str(max(texts.compared, texts.referenced)),
        _share(texts.exact),
        _share(texts.error_rate),
    )
    worst = [(one.name, str(one.answers), _share(one.exact), _share(one.error_rate)) for one in texts.worst]
    head = ("recording", "answers", "as alone", "error rate")
    return Table(title="Texts, the worst first", head=head, rows=[together, *worst])


def _processes(figures: Figures) -> Table:
    seen = figures.watched
    processes = seen.processes.items() if seen else ()
    rows = [
        (
            name,
            number(one.cpu_cores.mean),
            number(one.cpu_cores.max),
            number(one.rss_max_mb),
            _NONE if one.gpu_max_mb is None else number(one.gpu_max_mb),
        )
        for name, one in processes
    ]
    head = ("process", "cores, mean", "cores, max", "MiB, max", "GPU MiB, max")
    return Table(title="Processes", head=head, rows=rows)


def _seen(figures: Figures) -> Table:
    return Table(title="Service and runner", head=("", "mean", "max"), rows=list(_levels(figures)))


def _levels(figures: Figures) -> Iterator[tuple[str, str, str]]:
    if seen := figures.watched:
        yield "processor", *_level(seen.cpu, share)
        if seen.busy:
            yield "instances at work", *_level(seen.busy, share)
        for name, gpu in seen.gpus.items():
            if gpu.utilisation:
                yield name, *_level(gpu.utilisation, share)
        for name, level in (
            ("jobs waiting", seen.waiting_jobs),
            ("jobs running", seen.running_jobs),
            ("segments waiting", seen.segments_waiting),
        ):
            if level:
                yield name, *_level(level, number)
        if seen.oldest_max_s is not None:
            yield "oldest job", _NONE, duration(seen.oldest_max_s)
        yield "not healthy, in all", _NONE, duration(seen.health.unhealthy_s)
    yield "cores of the runner", number(figures.runner.cpu_cores), _NONE


def _counted(figures: Figures) -> Table:
    seen = figures.agreement
    rows = []
    if seen:
        requests = (str(seen.requests), str(seen.service_requests), share(seen.requests_difference))
        audio = (number(seen.audio_s), number(seen.service_audio_s), _share(seen.audio_difference))
        rows = [("requests", *requests), ("seconds of audio", *audio)]
        if seen.mean_s is not None and seen.service_mean_s is not None:
            means = (duration(seen.mean_s), duration(seen.service_mean_s))
            rows.append(("mean latency", *means, _share(seen.mean_difference)))
    head = ("", "by the runner", "by the service", "apart")
    return Table(title="What was counted (the service counts audio without its pauses)", head=head, rows=rows)


def _percentiles(took: Durations) -> tuple[str, ...]:
    return tuple(duration(getattr(took, f"{percent}_s")) for percent in _PERCENTILES)


def _level(level: Level, write: Callable[[float], str]) -> tuple[str, str]:
    return write(level.mean), write(level.max)


def _share(value: float | None) -> str:
    return _NONE if value is None else share(value)
