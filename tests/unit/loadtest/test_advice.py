"""Advice comes with the figure that led to it, and not without a cause."""

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from actors.settings import Settings
from loadtest.advice import Advice, advice
from loadtest.figures import figures
from loadtest.plan import Endpoint, Plan
from loadtest.records import GpuUsage, Look, Run, Usage
from tests.doubles.runs import (
    INSTANCES,
    OPEN,
    counted,
    counts,
    hurt,
    look,
    refused,
    run,
    sample,
    saturated,
)

GOOD = [sample(at, 0.5) for at in range(200)]
BUSY = dict.fromkeys(INSTANCES, True)
WAITED = counts(*[2.0] * 100)
AT_ONCE = counts(*[0.01] * 100)


def given(one: Run) -> tuple[Advice, ...]:
    """The advice on a run."""
    return advice(one, figures(one))


def watched(looks: Iterable[Look], queue: tuple[int, ...] = AT_ONCE, wait: tuple[int, ...] = AT_ONCE) -> Run:
    """Two hundred good answers, and this to be seen."""
    return run(GOOD, looks, counted=counted(200, 1000, queue=queue, wait=wait))


def using(**cores: float) -> dict[str, Usage]:
    """Processes that use so many cores; each instance the same."""
    shares = dict.fromkeys(INSTANCES, cores.pop("instance", 0.1)) | cores
    return {name: Usage(cpu_cores=each, rss_mb=300) for name, each in shares.items()}


def looks(**changes: Any) -> list[Look]:
    """A service that was the same all the time."""
    return [look(at, **changes) for at in range(200)]


def test_nothing_wrong() -> None:
    """A clean run is told that no limit was reached, and how far it was."""
    (only,) = given(watched(looks()))

    assert (
        only.finding == "No limit was reached: the processor was 20% busy, the instances were 0% busy, "
        "at most 0 jobs waited."
    )


@pytest.mark.parametrize(
    ("one", "figure", "setting"),
    [
        (
            watched(looks(cpu=0.98, busy=BUSY, processes=using(instance=0.75)), wait=WAITED),
            "The processor was 98% busy; of 4 cores the instances used 3.8",
            "ASR_DEVICES",
        ),
        (watched(looks(cpu=0.4), queue=WAITED), "Jobs waited 1.98 s (p95) for a segmenter", "ASR_SEGMENTERS"),
        (
            watched(looks(cpu=0.4, busy=BUSY), wait=WAITED),
            "1.98 s (p95) for an instance, and all were 100% busy, but the processor only 40%",
            "ASR_INSTANCES",
        ),
        (
            watched(looks(busy=BUSY, gpus=(GpuUsage(index=0, utilisation=0.3, memory_mb=1.0),)), wait=WAITED),
            "but the GPU only 30%",
            "ASR_BATCH_ROWS",
        ),
        (
            watched(looks(gpus=(GpuUsage(index=2, utilisation=0.97, memory_mb=1.0),))),
            "GPU 2 was 97% busy",
            "ASR_DEVICES",
        ),
        (watched(looks(processes=using(api=0.96))), "The process api used 0.96 cores", "ASR_REDIS_URL"),
        (
            replace(watched(looks()), hardware=replace(run().hardware, memory_mb=2500)),
            "used up to 2,400 of 2,500 MiB",
            "ASR_INSTANCES",
        ),
        (run([*GOOD, refused(1, "full (ASR_KEY_JOBS)")]), "1 of 201 requests ended in '429'", "ASR_KEY_JOBS"),
        (run([*GOOD, sample(9, 30, outcome="504", status=504)]), "ended in '504'", "ASR_REQUEST_TIMEOUT_S"),
        (run([*GOOD, sample(9, 1, outcome="wrong text")]), "ended in 'wrong text'", "ASR_BATCH_ROWS"),
        (run([sample(at, 1, error_rate=0.8) for at in range(200)]), "80% of the words", "ASR_MODEL"),
        (run([*GOOD, sample(9, 1, outcome="timeout", status=0)]), "ended in 'timeout'", None),
        (run([*GOOD, sample(9, 1, outcome="503", status=503)]), "ended in '503'", None),
        (run(GOOD[:30]), "Only 30 requests", None),
        (run(GOOD, interrupted=True), "ended early, after 200 s and 200 requests", None),
        (
            run([sample(at, 0.5, late_s=0.2) for at in range(200)], plan=OPEN),
            "up to 200 ms (p99) after",
            None,
        ),
        (run(GOOD, runner_cpu_s=190), "The runner used 0.95 cores", None),
        (run(GOOD, counted=counted(210, 1000)), "200 requests and the service 210, 4.8% apart", None),
        (
            run(GOOD, counted=counted(200, 1100), plan=Plan(endpoint=Endpoint.ASR_SIMPLE)),
            "1,000.0 s of audio were answered and the service recognised 1,100.0 s, 9.1% apart",
            None,
        ),
        (
            run(GOOD, counted=counted(200, 860, 0.4)),
            "took 500 ms on average, of which the service saw 400 ms",
            None,
        ),
        (hurt(), "The service was not healthy for 20 s; at worst 4 of 5 instances worked", None),
        (saturated(), "2 requests/s were borne; at 4/s a limit broke: p95 8 s", None),
        (
            run([sample(at, 0.1 + at / 10) for at in range(100)], plan=OPEN),
            "latency (p50) grew from",
            None,
        ),
        (
            run(
                GOOD,
                [look(at * 10, processes={"api": Usage(cpu_cores=0, rss_mb=at)}) for at in range(200)],
                took_s=2000.0,
            ),
            "The memory of api grew by 100 MiB",
            None,
        ),
        (run([refused(1)]), "None of 1 requests was answered well", None),
        (run(), "No request was sent", None),
        (run(GOOD), "The service was not watched", None),
    ],
)
def test_a_cause(one: Run, figure: str, setting: str | None) -> None:
    """One piece names the figure, and the setting if one is at fault."""
    found = [piece for piece in given(one) if figure in piece.finding]

    assert len(found) == 1, given(one)
    assert setting is None or setting in found[0].settings


@pytest.mark.parametrize(
    ("one", "figure"),
    [
        (watched(looks(cpu=0.97, processes=using(instance=0.75)), queue=WAITED), "segmenter"),
        (watched(looks(cpu=0.97, busy=BUSY, processes=using(instance=0.75)), wait=WAITED), "for an instance"),
        (watched(looks(cpu=0.97, processes={})), "The processor"),
        (run(GOOD, counted=counted(203, 860)), "apart"),
        (run(GOOD, counted=counted(200, 860, 0.46)), "on average"),
        (run(GOOD, plan=OPEN), "grew"),
        (run([*GOOD, refused(1)], looks()), "No limit"),
        (run(GOOD[:30], looks(processes={"api": Usage(cpu_cores=0.0, rss_mb=900)})), "grew"),
    ],
)
def test_no_cause(one: Run, figure: str) -> None:
    """What would not help is not advised."""
    assert not [piece for piece in given(one) if figure in piece.finding]


def test_somebody_else() -> None:
    """A processor that others use is not the service's limit."""
    found = [piece for piece in given(watched(looks(cpu=0.97))) if "The processor" in piece.finding]

    assert [piece.remedy for piece in found] == [
        "Something else on this machine takes the rest: measure without it."
    ]


def test_settings_exist() -> None:
    """What is to be set can be, be it named by the service or by us."""
    known = {f"ASR_{name.upper()}" for name in Settings.__struct_fields__}
    codes = ("429", "504", "503", "413", "401", "wrong text", "connection", "timeout", "other")
    errors = [sample(1, 1, outcome=code, reason=f"see ASR_{code} and ASR_NO_SUCH") for code in codes]

    assert {name for piece in given(run([*GOOD, *errors])) for name in piece.settings} <= known
