"""Advice on how far the figures hold."""

from collections.abc import Iterator
from typing import Final

from loadtest.advice.piece import FULL, Advice, Rule
from loadtest.figures import Figures
from loadtest.records import Run
from monitoring.axes import duration

#: The least number of values of which one is beyond the 99th percentile.
_ENOUGH: Final = 100

#: How far the runner and the service may differ.
_DIFFERENCE: Final = 0.02

#: How late the runner may be, in seconds and as a share of the median latency.
_LATE_S: Final = 0.05
_LATE_SHARE: Final = 0.1

#: A process grows that has so much more memory, in a run of so many seconds.
_GROWN: Final = 0.1
_GROWN_MB: Final = 50
_GROWS_S: Final = 600


def _interrupted(run: Run, figures: Figures) -> Iterator[Advice]:
    if run.interrupted:
        yield Advice(
            finding=f"The run was ended early, after {duration(run.took_s)} and {figures.requests} requests.",
            remedy="These are the figures of what ran: let it end to compare them with others.",
        )


def _nothing(_run: Run, figures: Figures) -> Iterator[Advice]:
    if not figures.requests:
        yield Advice(
            finding="No request was sent.",
            remedy="Nothing is known: let it run for longer, and see that the service answers.",
        )
    elif not figures.ok:
        yield Advice(
            finding=f"None of {figures.requests} requests was answered well.",
            remedy="Neither latency nor throughput is known: see that one request is answered first.",
        )


def _few(_run: Run, figures: Figures) -> Iterator[Advice]:
    if figures.latency and figures.latency.count < _ENOUGH:
        yield Advice(
            finding=f"Only {figures.latency.count} requests were answered well, so that p99 is the slowest.",
            remedy=f"Run longer: {_ENOUGH} are the least that a p99 needs.",
        )


def _slow_runner(_run: Run, figures: Figures) -> Iterator[Advice]:
    late, took = figures.runner.late, figures.latency
    if late and late.p99_s > max(_LATE_S, _LATE_SHARE * (took.p50_s if took else 0)):
        yield Advice(
            finding=f"The runner sent requests up to {duration(late.p99_s)} (p99) after they were due.",
            remedy="Part of the latency is the runner's own: give it a core or a machine of its own.",
        )
    if figures.runner.cpu_cores >= FULL:
        yield Advice(
            finding=f"The runner used {figures.runner.cpu_cores:.2f} cores, and can use one.",
            remedy="The runner limits the throughput: spread the load over several.",
        )


def _disagreement(run: Run, figures: Figures) -> Iterator[Advice]:
    # What was under way when a run was ended early the service has counted, and the runner has not.
    seen = None if run.interrupted else figures.agreement
    if seen and seen.requests_difference > _DIFFERENCE:
        yield Advice(
            finding=f"The runner counted {seen.requests} requests and the service {seen.service_requests}, "
            f"{seen.requests_difference:.1%} apart.",
            remedy="Somebody else used the service, or it was restarted: measure again.",
        )
    elif seen and seen.audio_difference is not None and seen.audio_difference > _DIFFERENCE:
        yield Advice(
            finding=f"{seen.audio_s:,.1f} s of audio were answered and the service recognised "
            f"{seen.service_audio_s:,.1f} s, {seen.audio_difference:.1%} apart.",
            remedy="Somebody else used the service, or it recognised what nobody waited for: measure again.",
        )


def _elsewhere(_run: Run, figures: Figures) -> Iterator[Advice]:
    seen = figures.agreement
    if seen is None or seen.mean_s is None or seen.service_mean_s is None:
        return
    if seen.mean_s - seen.service_mean_s > max(_LATE_S, _DIFFERENCE * seen.mean_s):
        yield Advice(
            finding=f"An answer took {duration(seen.mean_s)} on average, of which the service saw "
            f"{duration(seen.service_mean_s)}.",
            remedy="The rest is the network, the runner, or waiting to be taken in by the API.",
        )


def _growth(run: Run, figures: Figures) -> Iterator[Advice]:
    processes = figures.watched.processes.items() if figures.watched and run.took_s >= _GROWS_S else ()
    for name, used in processes:
        if used.rss_grown_mb and used.rss_grown_mb > max(_GROWN_MB, _GROWN * used.rss_max_mb):
            yield Advice(
                finding=f"The memory of {name} grew by {used.rss_grown_mb:,.0f} MiB between the second and "
                "the last quarter of the run.",
                remedy="It may go on: run longer, and see whether it ends.",
            )


RULES: Final[tuple[Rule, ...]] = (
    _interrupted,
    _nothing,
    _few,
    _slow_runner,
    _disagreement,
    _elsewhere,
    _growth,
)
