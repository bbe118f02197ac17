"""How far a run is."""

from collections.abc import Sequence
from typing import Final, Self

from msgspec import Struct

from loadtest.percentiles import percentile
from loadtest.records import OK, Sample

#: The requests that the percentiles are of: the last ones.
RECENT: Final = 500


class Progress(Struct, frozen=True, kw_only=True):
    """How far a run is, and how it goes; latencies in seconds, null before the first answer."""

    #: `alone`, while each recording is sent once by itself, or `load`.
    phase: str
    done: int
    #: Null where nobody knows: the rate is raised until a limit breaks.
    total: int | None
    at_s: float
    open: int = 0
    requests_per_s: float = 0
    rtfx: float = 0
    p50_s: float | None = None
    p95_s: float | None = None
    errors: int = 0
    #: Of the step, where the rate is raised.
    rate_per_s: float | None = None

    @classmethod
    def of(
        cls,
        samples: Sequence[Sample],
        *,
        at_s: float,
        total: int | None,
        open_now: int,
        rate_per_s: float | None,
    ) -> Self:
        """How the load goes."""
        took_s = sorted(sample.latency_s for sample in samples[-RECENT:] if sample.outcome == OK)
        well_s = [sample.audio_s for sample in samples if sample.outcome == OK]
        return cls(
            phase="load",
            done=len(samples),
            total=total,
            at_s=at_s,
            open=open_now,
            requests_per_s=len(well_s) / at_s,
            rtfx=sum(well_s) / at_s,
            p50_s=percentile(took_s, 0.5) if took_s else None,
            p95_s=percentile(took_s, 0.95) if took_s else None,
            errors=len(samples) - len(well_s),
            rate_per_s=rate_per_s,
        )
