"""Sends the load: `run` carries a plan out. Locust and gevent are imported when it is called, not before."""

from collections.abc import Callable, Mapping, Sequence

from loadtest.corpus import Recording
from loadtest.load.progress import Progress
from loadtest.plan import Plan
from loadtest.records import Run

__all__ = ["Progress", "run"]


def run(
    plan: Plan,
    recordings: Sequence[Recording],
    tell: Callable[[Progress], None],
    headers: Mapping[str, str] | None = None,
) -> Run:
    """Carry a plan out and return what was measured; twice a second `tell` is told how far it is.

    SIGINT and SIGTERM end it at once: requests without an answer are then left out, and jobs cancelled.
    `headers`, such as who asks, go with every request.

    Raises:
        NotServed: nothing answers at the plan's URL, or it refuses what the plan asks for.
        OSError: a recording cannot be read.
    """
    from loadtest.load import runner

    return runner.run(plan, recordings, tell, headers or {})
