"""Advice on what limits the service."""

import statistics
from collections.abc import Iterator
from typing import Final

from loadtest.advice.piece import FULL, Advice, Rule
from loadtest.figures import Figures
from loadtest.records import Run
from loadtest.watched import Watched
from monitoring.axes import duration

#: Waiting is worth a remedy above so many seconds, and above such a share of the median answer.
_WAIT_S: Final = 0.5
_WAIT_SHARE: Final = 0.2

#: Latency has grown when it is so many times what it was, and so many seconds more.
_GROWN: Final = 2
_GROWN_S: Final = 1

#: Below this a GPU whose instances are all busy is badly used.
_IDLE_GPU: Final = 0.6


def _processor(run: Run, figures: Figures) -> Iterator[Advice]:
    seen = figures.watched
    if seen is None or not _computes(run, seen):
        return
    cores, service = seen.cores("instance"), seen.cores("")
    finding = (
        f"The processor was {seen.cpu.mean:.0%} busy; of {run.hardware.cores} cores the instances used "
        f"{cores:.1f}, and the whole service {service:.1f}."
    )
    if service < run.hardware.cores / 2:
        yield Advice(
            finding=finding, remedy="Something else on this machine takes the rest: measure without it."
        )
    else:
        yield Advice(
            finding=finding,
            remedy="Computing limits it: send less at once, use a GPU or a smaller model, or add a machine.",
            settings=("ASR_DEVICES", "ASR_MODEL"),
        )


def _gpus(_run: Run, figures: Figures) -> Iterator[Advice]:
    seen = figures.watched
    # Without processes the service is on another machine, and these are the runner's own GPUs.
    for name, gpu in seen.gpus.items() if seen and seen.processes else ():
        if gpu.utilisation and gpu.utilisation.mean >= FULL:
            yield Advice(
                finding=f"{name} was {gpu.utilisation.mean:.0%} busy.",
                remedy="The GPU limits it: add another, or send less at once.",
                settings=("ASR_DEVICES",),
            )


def _segmenters(run: Run, figures: Figures) -> Iterator[Advice]:
    seen = figures.watched
    if seen and seen.busy and seen.busy.mean < FULL and not _computes(run, seen):
        wait_s = _wait_s(figures, "queue")
        if wait_s:
            yield Advice(
                finding=f"Jobs waited {duration(wait_s)} (p95) for a segmenter while the instances were only "
                f"{seen.busy.mean:.0%} busy.",
                remedy="Decoding and cutting limit it: run more segmenters.",
                settings=("ASR_SEGMENTERS",),
            )


def _instances(run: Run, figures: Figures) -> Iterator[Advice]:
    seen = figures.watched
    wait_s = _wait_s(figures, "wait")
    if not (seen and seen.processes and seen.busy and seen.busy.mean >= FULL and wait_s):
        return
    finding = (
        f"Segments waited {duration(wait_s)} (p95) for an instance, and all were {seen.busy.mean:.0%} busy"
    )
    idle = [gpu.utilisation.mean for gpu in seen.gpus.values() if gpu.utilisation]
    if idle and max(idle) < _IDLE_GPU:
        yield Advice(
            finding=f"{finding}, but the GPU only {max(idle):.0%}.",
            remedy="Recognise more at once, or run more instances a GPU.",
            settings=("ASR_BATCH_ROWS", "ASR_BATCH_S", "ASR_INSTANCES"),
        )
    elif not idle and not _computes(run, seen):
        yield Advice(
            finding=f"{finding}, but the processor only {seen.cpu.mean:.0%}.",
            remedy="Run more instances.",
            settings=("ASR_INSTANCES",),
        )


def _single(_run: Run, figures: Figures) -> Iterator[Advice]:
    """Processes that can use one core each, however many there are."""
    remedies = {
        "api": "The API can use one core: another machine on the same Redis has an API of its own",
        "redis": "Redis can use one core: a Redis of your own on a faster machine may do more",
    }
    for name, remedy in remedies.items():
        cores = figures.watched.cores(name) if figures.watched else 0
        if cores >= FULL:
            yield Advice(
                finding=f"The process {name} used {cores:.2f} cores.",
                remedy=f"{remedy}.",
                settings=("ASR_REDIS_URL",),
            )


def _memory(run: Run, figures: Figures) -> Iterator[Advice]:
    seen = figures.watched
    if seen and run.hardware.memory_mb and seen.rss_mb / run.hardware.memory_mb >= FULL:
        yield Advice(
            finding=f"The service used up to {seen.rss_mb:,.0f} of {run.hardware.memory_mb:,} MiB of memory.",
            remedy="Run fewer instances, or a smaller model, before the system ends processes.",
            settings=("ASR_INSTANCES", "ASR_MODEL"),
        )


def _backlog(run: Run, figures: Figures) -> Iterator[Advice]:
    known = [value for value in figures.series.latency_p50_s if value is not None]
    quarter = len(known) // 4
    if not (run.plan.is_open and not run.steps and quarter):
        return
    early_s, late_s = statistics.fmean(known[:quarter]), statistics.fmean(known[-quarter:])
    if late_s > max(_GROWN * early_s, early_s + _GROWN_S):
        yield Advice(
            finding=f"At {run.plan.rate_per_s:.3g} requests/s latency (p50) grew from {duration(early_s)} "
            f"in the first quarter of the run to {duration(late_s)} in the last.",
            remedy="More arrives than can be answered: lower the rate, or add capacity.",
        )


def _knee(run: Run, figures: Figures) -> Iterator[Advice]:
    if not figures.steps:
        return
    limits = f"p95 {duration(run.plan.limit_p95_s)}, {run.plan.limit_errors:.3%} errors"
    first = next((step for step in figures.steps if not step.borne), None)
    if first is None:
        finding = f"{figures.steps[-1].rate_per_s:.3g} requests/s were borne, and no limit broke ({limits})."
        yield Advice(finding=finding, remedy="Raise the rate further to find the limit.")
        return
    p95 = f"p95 {duration(first.latency.p95_s)}" if first.latency else "no answer"
    broke = f"at {first.rate_per_s:.3g}/s a limit broke: {p95}, {first.errors:.1%} errors ({limits})"
    if figures.knee_per_s is None:
        yield Advice(finding=f"Already {broke}.", remedy="Begin at a lower rate to find the knee.")
    else:
        yield Advice(
            finding=f"{figures.knee_per_s:.3g} requests/s were borne; {broke}.",
            remedy=f"Plan for {figures.knee_per_s:.3g} requests/s at most.",
        )


def no_limit(figures: Figures) -> Advice:
    """What to say where no rule found a limit."""
    seen = figures.watched
    if seen is None:
        return Advice(
            finding="The service was not watched during the run.", remedy="What limits it is not known."
        )
    known = [f"the processor was {seen.cpu.mean:.0%} busy"] if seen.processes else []
    known += [f"the instances were {seen.busy.mean:.0%} busy"] if seen.busy else []
    known += [f"at most {seen.waiting_jobs.max:.0f} jobs waited"] if seen.waiting_jobs else []
    if not known:
        return Advice(
            finding="The service does not say how busy it was.", remedy="What limits it is not known."
        )
    return Advice(
        finding=f"No limit was reached: {', '.join(known)}.", remedy="Send more at once to find the limit."
    )


def _computes(run: Run, seen: Watched) -> bool:
    """Whether the processor of the machine that it runs on is all used."""
    all_used = max(seen.cpu.mean, seen.cores("instance") / run.hardware.cores)
    return bool(seen.processes) and all_used >= FULL


def _wait_s(figures: Figures, stage: str) -> float | None:
    """How long a stage of waiting took, if that is worth a remedy."""
    waited, answers = figures.stages.get(stage), figures.latency
    if waited is None or answers is None:
        return None
    return waited.p95_s if waited.p95_s > max(_WAIT_S, _WAIT_SHARE * answers.p50_s) else None


RULES: Final[tuple[Rule, ...]] = (
    _knee,
    _processor,
    _gpus,
    _segmenters,
    _instances,
    _single,
    _memory,
    _backlog,
)
