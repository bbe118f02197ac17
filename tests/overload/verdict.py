"""What was promised of an overload, and whether it was kept."""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Final

from msgspec import Struct

from loadtest.percentiles import Durations, durations
from loadtest.records import OK, Run
from tests.overload.probe import Asked

#: Refusals come at once: their 95th percentile.
REFUSED_P95_S: Final = 1.0

#: The service is as it was so long after the load.
BACK_S: Final = 10.0

#: A lone request is as it was when it takes at most so many times as long, or so much longer.
AS_BEFORE: Final = 2.0
AS_BEFORE_S: Final = 0.5

#: Share of the time-out that an accepted request may take: it may wait for a third at the speed of before,
#: which the load halves, as sending and refusing it takes cores from the instances.
ACCEPTED_SHARE: Final = 2 / 3

REFUSED: Final = "429"


class Found(Struct, frozen=True, kw_only=True):
    """What an overload showed."""

    capacity_per_s: float
    alone_s: float
    outcomes: Counter[str]
    accepted: Durations | None
    refused: Durations | None
    #: From the end of the load until a lone request was as before; null where none was.
    back_s: float | None
    #: Jobs that have neither ended nor been refused once all was over.
    left: int


def found(
    run: Run, capacity_per_s: float, alone: Sequence[Asked], beside: Sequence[Asked], left: int
) -> Found:
    """The figures of the run, of lone requests before it, and of those beside and after it."""
    alone_s = median(one.took_s for one in alone)
    ended_ms = run.began_ms + run.plan.duration_s * 1000
    normal = [
        one.sent_ms
        for one in beside
        if one.sent_ms >= ended_ms
        and one.status == 200
        and one.took_s <= max(AS_BEFORE * alone_s, alone_s + AS_BEFORE_S)
    ]
    return Found(
        capacity_per_s=capacity_per_s,
        alone_s=alone_s,
        outcomes=Counter(sample.outcome for sample in run.samples) + Counter(_outcome(one) for one in beside),
        accepted=durations(sample.latency_s for sample in run.samples if sample.outcome == OK),
        refused=durations(sample.service_s for sample in run.samples if sample.outcome == REFUSED),
        back_s=(min(normal) - ended_ms) / 1000 if normal else None,
        left=left,
    )


def broken(seen: Found, request_timeout_s: float) -> list[str]:
    """The promises that were broken, each as a sentence."""
    others = {outcome: count for outcome, count in seen.outcomes.items() if outcome not in {OK, REFUSED}}
    bound_s = request_timeout_s * ACCEPTED_SHARE
    said = []
    if others:
        said.append(f"neither answered nor refused: {others}")
    if not seen.refused:
        said.append("nothing was refused: that was no overload")
    elif seen.refused.p95_s > REFUSED_P95_S:
        said.append(f"refusals took {seen.refused.p95_s:.2f} s (p95), not {REFUSED_P95_S:g} s at most")
    if not seen.accepted:
        said.append("nothing was accepted")
    elif seen.accepted.p95_s > bound_s:
        said.append(f"accepted requests took {seen.accepted.p95_s:.1f} s (p95), not {bound_s:.0f} s at most")
    if seen.back_s is None or seen.back_s > BACK_S:
        said.append(f"a lone request was not as before within {BACK_S:g} s: {seen.back_s}")
    if seen.left:
        said.append(f"{seen.left} jobs have not ended")
    return said


def _outcome(one: Asked) -> str:
    return {200: OK, 0: "connection"}.get(one.status, str(one.status))
