"""Faults, one after the other, on a service under load, and what is judged of each."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from loadtest.corpus import Recording
from tests.chaos import promises
from tests.chaos.faults import REDIS_AWAY, Fault, Struck
from tests.chaos.ledger import Event, Ledger, Outcome, late_refusals
from tests.chaos.target import Target, until
from tests.chaos.users import Known, Requests, User, alone
from tests.receiver import Receiver, receiving

#: After a fault everything is to be well within this time.
BACK_WITHIN_S: Final = 120.0

#: When the users have gone, what may take its time has this long: uploads that were never taken in are swept,
#: and callbacks that nobody sees to any more are asked for again.
QUIET_WITHIN_S: Final = 150.0


class Load(Struct, frozen=True, kw_only=True):
    """What is asked of the service meanwhile; the same seed gives the same."""

    shorts: Sequence[Recording]
    #: One of the users sends this one only.
    long: Recording
    users: int = 10
    seed: int = 1
    #: Time without a fault before the first one and after each, so that consequences show.
    pause_s: float = 4.0
    #: A refusal that comes later than this is no prompt one.
    refused_within_s: float = 1.0


class Round(Struct, frozen=True, kw_only=True):
    """A fault, and what came of it; times in seconds."""

    fault: str
    #: From its end until everything was well; None: not in time.
    back_s: float | None
    events: list[Event]
    wrong: list[str]


class Result(Struct, frozen=True, kw_only=True):
    """What a trial has shown."""

    rounds: list[Round]
    #: What became of all requests, those between the faults included.
    events: list[Event]
    #: What is left when nobody asks for anything any more, and when the service is stopped.
    leaks: list[str]
    #: Every promise that was broken, the leaks included.
    broken: list[str]


class Trial:
    """The load on a service, and the faults."""

    def __init__(self, target: Target, load: Load, say: Callable[[str], None] = lambda _: None) -> None:
        self._target = target
        self._load = load
        self._say = say
        self._rng = random.Random(load.seed)
        self._ledger = Ledger()

    def run(self, faults: Iterable[Fault]) -> Result:
        """Start the service, put the load on it, strike, and stop it; it is stopped in any case."""
        wrong, leaks, rounds = self._command("start"), list[str](), list[Round]()
        try:
            if not wrong:
                with receiving() as receiver:
                    with self._users(receiver.url):
                        before = promises.descriptors(self._target)
                        rounds += self._rounds(faults)
                    wrong += [f"nobody was told of job {job}" for job in self._untold(receiver)]
                leaks += self._leaks(before)
                wrong += [f"job {job} has ended twice" for job in promises.ended_twice(self._target)]
        finally:
            wrong += self._command("stop")
        leaks += promises.left_behind(self._target)
        events = self._ledger.between(0, float("inf"))
        wrong += [*_broken(rounds, events), *(f"left: {one}" for one in leaks)]
        return Result(rounds=rounds, events=events, leaks=leaks, broken=wrong)

    def _command(self, command: str) -> list[str]:
        done = self._target.service.run("deploy.service", command)
        return [f"{command} exits with {done.returncode}: {done.stdout}{done.stderr}"] * bool(done.returncode)

    @contextmanager
    def _users(self, callback: str) -> Iterator[None]:
        """Users at work; in the end each gets what it has asked for."""
        url, load, stop = self._target.url, self._load, threading.Event()
        known = alone(url, [*load.shorts, load.long])
        mixes: list[Sequence[Known]] = [known[-1:], *([known[:-1]] * (load.users - 1))]
        users = [
            User(f"user-{load.seed}-{number}", Requests(url, self._ledger, callback), mix, self._ledger, stop)
            for number, mix in enumerate(mixes)
        ]
        for user in users:
            user.start()
        try:
            time.sleep(load.pause_s)
            yield
        finally:
            stop.set()
            for user in users:
                user.join()

    def _rounds(self, faults: Iterable[Fault]) -> Iterator[Round]:
        """Strike with each fault in turn, and wait until the service is well."""
        for fault in faults:
            began_s = time.monotonic()
            struck = fault.strike(self._target, self._rng)
            over_s = time.monotonic()
            until(self._target.redis_answers, BACK_WITHIN_S)
            redis_back_s = time.monotonic()
            back = until(lambda: self._is_back(struck), BACK_WITHIN_S)  # noqa: B023 - called at once
            back_s = time.monotonic() - over_s if back else None
            time.sleep(self._load.pause_s)
            events = self._ledger.between(began_s, time.monotonic())
            wrong = [*struck.wrong, *self._late(fault, began_s, redis_back_s)]
            done = Round(fault=fault.name, back_s=back_s, events=events, wrong=wrong)
            self._say(_line(done))
            yield done

    def _late(self, fault: Fault, away_s: float, back_s: float) -> list[str]:
        """What a user waited too long for who came while Redis was away."""
        if fault.name not in REDIS_AWAY:
            return []
        late = late_refusals(self._ledger.between(away_s, back_s), self._load.refused_within_s)
        return [f"a refusal after {took_s:.2f} s" for took_s in late]

    def _is_back(self, struck: Struck) -> bool:
        now = self._target.pids()
        replaced = all(now.get(name, pid) != pid for name, pid in struck.replaced.items())
        return replaced and self._target.is_well()

    def _untold(self, receiver: Receiver) -> set[str]:
        """The jobs whose callback does not come."""

        def untold() -> set[str]:
            return self._ledger.untold({one.headers["webhook-id"] for one in receiver.received})

        until(lambda: not untold(), QUIET_WITHIN_S)
        return untold()

    def _leaks(self, descriptors_before: dict[str, int]) -> list[str]:
        until(lambda: not promises.leaked_keys(self._target), QUIET_WITHIN_S)
        after = promises.descriptors(self._target)
        return [
            *promises.leaked_keys(self._target),
            *promises.leaked_descriptors(descriptors_before, after),
        ]


def _line(done: Round) -> str:
    back = "not well again" if done.back_s is None else f"well again after {done.back_s:.1f} s"
    return "; ".join([f"{done.fault}: {back}", *done.wrong])


def _broken(rounds: Sequence[Round], events: Sequence[Event]) -> list[str]:
    late = [f"{one.fault}: not well again in time" for one in rounds if one.back_s is None]
    wrong = [f"{one.fault}: {what}" for one in rounds for what in one.wrong]
    bad = [event for event in events if event.outcome in {Outcome.LOST, Outcome.WRONG}]
    return late + wrong + [f"{event.outcome.value}: {event.note}" for event in bad]
