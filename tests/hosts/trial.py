"""A host is cut off under load and joined again, and what came of it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from tests.chaos import promises
from tests.chaos.ledger import Event, Ledger, Outcome, counts
from tests.chaos.target import until
from tests.chaos.users import Known, Requests, User
from tests.hosts.cluster import Cluster, Host

#: Longer than anything takes on a busy machine.
PATIENCE_S: Final = 90.0

#: After this time pools have the connections that they will have.
WARM_S: Final = 5.0

WELL: Final = {"idle", "busy"}


class Cut(Struct, frozen=True, kw_only=True):
    """What came of cutting a host off; times in seconds."""

    host: str
    #: From the cut until all its workers were told to be lost, and until it was joined again.
    noticed_s: float
    lasted_s: float
    #: From then on until all of them were ready, and one of them at work.
    ready_s: float
    at_work_s: float
    #: The requests that were begun from just before the cut until then.
    events: list[Event]
    wrong: list[str]

    @property
    def slowest_s(self) -> float:
        """How long the slowest of them took."""
        return max((event.took_s for event in self.events), default=0.0)


class Late(Exception):
    """Something has not happened in time; the message says what."""


@contextmanager
def using(url: str, known: Sequence[Known], ledger: Ledger, users: int) -> Iterator[None]:
    """Users at work; in the end each gets what it has asked for."""
    stop = threading.Event()
    mixes: list[Sequence[Known]] = [known[-1:], *([known[:-1]] * (users - 1))]
    at_work = [
        User(f"user-{number}", Requests(url, ledger), mix, ledger, stop) for number, mix in enumerate(mixes)
    ]
    for user in at_work:
        user.start()
    try:
        time.sleep(WARM_S)
        yield
    finally:
        stop.set()
        for user in at_work:
            user.join()


def cut_off(cluster: Cluster, host: Host, ledger: Ledger, least_s: float = 0) -> Cut:
    """Cut a host off that has work in hand, for so long or until others have gone on, and join it again.

    Raises:
        Late: it is not noticed, the others do not go on, or it does not come back.
    """
    pids = host.pids()
    _await(lambda: "busy" in cluster.states(host), "it has no work in hand")
    began_s = time.monotonic()
    host.cut()
    wrong = list[str]()
    try:
        _await(lambda: cluster.states(host) == {"lost"}, "nobody notices that it is cut off")
        noticed_s = time.monotonic()
        seen = {other.name: cluster.states(other) for other in cluster.workers if other is not host}
        wrong += [f"{name} is {states} meanwhile" for name, states in seen.items() if not states <= WELL]
        _await(lambda: _answered(ledger, noticed_s) >= 1, "nobody is answered meanwhile")
        time.sleep(max(0.0, began_s + least_s - time.monotonic()))
    finally:
        host.join(pids)
    joined_s = time.monotonic()
    _await(lambda: WELL >= cluster.states(host) != set(), "it does not come back")
    ready_s = time.monotonic()
    _await(lambda: "busy" in cluster.states(host), "it takes no work again")
    at_work_s = time.monotonic()
    if host.pids() != pids:
        wrong.append(f"processes of {host.name} have not lived on")
    return Cut(
        host=host.name,
        noticed_s=noticed_s - began_s,
        lasted_s=joined_s - began_s,
        ready_s=ready_s - joined_s,
        at_work_s=at_work_s - joined_s,
        events=ledger.between(began_s - 5, at_work_s),
        wrong=wrong,
    )


def broken(cluster: Cluster, ledger: Ledger, descriptors_before: dict[str, int]) -> list[str]:
    """Every promise that was broken, once the users have gone."""
    events = ledger.between(0, float("inf"))
    wrong = [f"{one.outcome.value}: {one.note}" for one in events if not _is_allowed(one)]
    wrong += [f"job {job} has ended twice" for job in promises.ended_twice(cluster)]
    until(lambda: not promises.leaked_keys(cluster), PATIENCE_S)
    wrong += [f"left: {key}" for key in promises.leaked_keys(cluster)]
    wrong += promises.leaked_descriptors(descriptors_before, cluster.descriptors())
    if not until(lambda: cluster.forgotten_connections() <= 0, PATIENCE_S):
        wrong.append(f"left: {cluster.forgotten_connections()} connections of Redis")
    return wrong


def _is_allowed(event: Event) -> bool:
    """Whether a request was answered, or refused because there is too much to do (429), but not with 503."""
    return event.outcome is Outcome.ANSWERED or (event.outcome is Outcome.REFUSED and "503" not in event.note)


def _answered(ledger: Ledger, since_s: float) -> int:
    return counts(ledger.between(since_s, float("inf")))[Outcome.ANSWERED]


def _await(happened: Callable[[], bool], or_else: str) -> None:
    if not until(happened, PATIENCE_S):
        raise Late(or_else)
