"""From what a run left behind to its figures."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from actors import histogram
from loadtest import saturation
from loadtest.correctness import Correctness, correctness
from loadtest.percentiles import Durations, durations
from loadtest.plan import Endpoint
from loadtest.records import OK, TIMEOUT, Counted, Run, Sample, Step
from loadtest.series import Series, series
from loadtest.watched import Watched, watched


class Errors(Struct, frozen=True, kw_only=True):
    """The requests that failed in the same way."""

    #: As in `Sample.outcome`.
    outcome: str
    count: int
    #: Of all requests.
    share: float
    #: The most frequent reason, and where it came first.
    reason: str
    first_s: float


class Throughput(Struct, frozen=True, kw_only=True):
    """What was done from the first request sent until the last one ended."""

    took_s: float
    #: All requests, whatever became of them.
    sent_per_s: float
    #: Those answered well, and the seconds of their audio: times real time.
    requests_per_s: float
    rtfx: float


class StageFigures(Struct, frozen=True, kw_only=True):
    """A stage by the service's own histogram: right to within a quarter of the value."""

    count: int
    p50_s: float
    p90_s: float
    p95_s: float
    p99_s: float


class Agreement(Struct, frozen=True, kw_only=True):
    """What the runner counted beside what the service did."""

    #: Answered, or given up by the runner, which the service counts as refused.
    requests: int
    service_requests: int
    requests_difference: float
    #: Of requests answered well; the service counts what it recognises, without pauses.
    audio_s: float
    service_audio_s: float
    #: Null where the endpoint leaves pauses out.
    audio_difference: float | None
    #: How long answers with 200 took on average, by the runner from when a request was sent, by the service
    #: from its head. Null where there are none, and for jobs, which are answered before they are done.
    mean_s: float | None
    service_mean_s: float | None
    mean_difference: float | None


class RunnerFigures(Struct, frozen=True, kw_only=True):
    """What the runner cost, and how late it was."""

    cpu_cores: float
    #: From when a request was due until it was sent; null in a closed loop.
    late: Durations | None


class StepFigures(Struct, frozen=True, kw_only=True):
    """A step of a rate that is raised."""

    rate_per_s: float
    began_s: float
    ended_s: float
    requests: int
    #: Share of the requests.
    errors: float
    throughput: Throughput | None
    latency: Durations | None
    watched: Watched | None
    #: Whether it kept within the limits.
    borne: bool


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of a run; null where nothing was measured."""

    requests: int
    ok: int
    success: float | None
    errors: tuple[Errors, ...]
    throughput: Throughput | None
    #: Of requests answered well. In open loop from when they were due, that is corrected for coordinated
    #: omission, and `service` from when they were sent; in a closed loop the two are the same.
    latency: Durations | None
    service: Durations | None
    #: Of requests that failed.
    failed: Durations | None
    first_segment: Durations | None
    stages: Mapping[str, StageFigures]
    correctness: Correctness
    watched: Watched | None
    agreement: Agreement | None
    runner: RunnerFigures
    series: Series
    steps: tuple[StepFigures, ...]
    knee_per_s: float | None


def figures(run: Run) -> Figures:
    """The figures of a run, be it empty, cut short or all errors."""
    good = [sample for sample in run.samples if sample.outcome == OK]
    bad = [sample for sample in run.samples if sample.outcome != OK]
    first = [sample.first_segment_s - sample.due_s for sample in good if sample.first_segment_s is not None]
    knee = saturation.knee(run)
    return Figures(
        requests=len(run.samples),
        ok=len(good),
        success=len(good) / len(run.samples) if run.samples else None,
        errors=_errors(bad, len(run.samples)),
        throughput=throughput(run.samples),
        latency=durations(sample.latency_s for sample in good),
        service=durations(sample.service_s for sample in good),
        failed=durations(sample.latency_s for sample in bad),
        first_segment=durations(first),
        stages=_stages(run),
        correctness=correctness(run.samples),
        watched=watched(run.looks, run.took_s),
        agreement=_agreement(run, good),
        runner=_runner(run),
        series=series(run),
        steps=tuple(_step(run, step) for step in run.steps),
        knee_per_s=knee.rate_per_s if knee else None,
    )


def throughput(samples: Sequence[Sample]) -> Throughput | None:
    """Of some requests; None where there is none, or they took no time."""
    if not samples:
        return None
    took_s = max(sample.ended_s for sample in samples) - min(sample.sent_s for sample in samples)
    if took_s <= 0:
        return None
    good = [sample.audio_s for sample in samples if sample.outcome == OK]
    return Throughput(
        took_s=took_s,
        sent_per_s=len(samples) / took_s,
        requests_per_s=len(good) / took_s,
        rtfx=math.fsum(good) / took_s,
    )


def _errors(bad: Iterable[Sample], requests: int) -> tuple[Errors, ...]:
    """The classes, the most frequent one first."""
    classes: dict[str, list[Sample]] = {}
    for sample in bad:
        classes.setdefault(sample.outcome, []).append(sample)
    found = (
        Errors(
            outcome=outcome,
            count=len(samples),
            share=len(samples) / requests,
            reason=statistics.mode(sample.reason for sample in samples),
            first_s=min(sample.ended_s for sample in samples),
        )
        for outcome, samples in classes.items()
    )
    return tuple(sorted(found, key=lambda errors: (-errors.count, errors.outcome)))


def _stages(run: Run) -> dict[str, StageFigures]:
    """The stages that anything went through, in the service's order."""
    known = run.counted.stages.items() if run.counted else ()
    return {name: found for name, counts in known if (found := _stage(counts))}


def _stage(counts: Sequence[int]) -> StageFigures | None:
    p50, p90, p95, p99 = (histogram.percentile(counts, share) for share in (0.5, 0.9, 0.95, 0.99))
    if p50 is None or p90 is None or p95 is None or p99 is None:
        return None
    return StageFigures(count=sum(counts), p50_s=p50, p90_s=p90, p95_s=p95, p99_s=p99)


def _agreement(run: Run, good: Sequence[Sample]) -> Agreement | None:
    if run.counted is None:
        return None
    heard = sum(sample.status > 0 or sample.outcome == TIMEOUT for sample in run.samples)
    counted = sum(run.counted.requests.values())
    audio_s = math.fsum(sample.audio_s for sample in good)
    whole = run.plan.endpoint == Endpoint.ASR_SIMPLE
    means_s = _means_s(run, run.counted)
    return Agreement(
        requests=heard,
        service_requests=counted,
        requests_difference=_difference(heard, counted),
        audio_s=audio_s,
        service_audio_s=run.counted.audio_s,
        audio_difference=_difference(audio_s, run.counted.audio_s) if whole else None,
        mean_s=means_s[0] if means_s else None,
        service_mean_s=means_s[1] if means_s else None,
        mean_difference=_difference(*means_s) if means_s else None,
    )


def _means_s(run: Run, counted: Counted) -> tuple[float, float] | None:
    """How long an answer took on average by the runner and by the service, where that can be compared."""
    answered = counted.requests["2xx"]
    took_s = [sample.service_s for sample in run.samples if sample.status == 200]
    if not took_s or not answered or run.plan.endpoint == Endpoint.JOBS:
        return None
    return statistics.fmean(took_s), counted.answered_s / answered


def _difference(here: float, there: float) -> float:
    return abs(there - here) / max(here, there) if max(here, there) > 0 else 0.0


def _runner(run: Run) -> RunnerFigures:
    late = (sample.sent_s - sample.due_s for sample in run.samples)
    return RunnerFigures(
        cpu_cores=run.runner_cpu_s / run.took_s if run.took_s > 0 else 0.0,
        late=durations(late) if run.plan.is_open else None,
    )


def _step(run: Run, step: Step) -> StepFigures:
    samples = saturation.during(run, step)
    good = [sample.latency_s for sample in samples if sample.outcome == OK]
    looks = [look for look in run.looks if step.began_s <= look.at_s < step.ended_s]
    return StepFigures(
        rate_per_s=step.rate_per_s,
        began_s=step.began_s,
        ended_s=step.ended_s,
        requests=len(samples),
        errors=1 - len(good) / len(samples) if samples else 0.0,
        throughput=throughput(samples),
        latency=durations(good),
        watched=watched(looks, step.ended_s),
        borne=step.borne,
    )
