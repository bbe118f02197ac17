"""The faults: each strikes, lasts as long as it does, and says what has to be otherwise afterwards."""

import errno
import os
import random
import signal
import time
from typing import Final, Protocol

from msgspec import Struct
from typing_extensions import override

from deploy import leftovers
from deploy.status import NOT_RUNNING
from tests.chaos.target import Target, until
from tests.doubles.engines import FaultyEngine

#: How long a process is stopped, and Redis stalled: longer than until others take over its messages (12 s).
STOPPED_S: Final = 14.0
STALLED_S: Final = 20.0

#: How long memory or disk are full.
FULL_S: Final = 10.0

#: Connections are reset so often, at this pause.
RESETS: Final = 5
RESET_PAUSE_S: Final = 0.5

#: Redis tries once a second whether there is room again.
_WRITES_AGAIN_WITHIN_S: Final = 60.0

#: Free space that is left to nobody.
_BLOCK: Final = bytes(1 << 20)


class Struck(Struct, kw_only=True):
    """A fault that is over, and what shows that the service has noticed it."""

    #: Processes that must have been replaced: name → the process that has to be gone.
    replaced: dict[str, int] = {}
    #: What the commands of an operator did wrong meanwhile.
    wrong: list[str] = []


class Fault(Protocol):
    """One way to hurt the service."""

    @property
    def name(self) -> str:
        """What `--faults` calls it."""
        ...

    def strike(self, target: Target, rng: random.Random) -> Struck:
        """Hurt it; returns when nothing hurts it any more but the consequences."""
        ...


class Kill(Struct, frozen=True):
    """SIGKILL of one process of each of these kinds, at once."""

    name: str
    kinds: tuple[str, ...]

    def strike(self, target: Target, rng: random.Random) -> Struck:
        """Kill them."""
        victims = _victims(target, self.kinds, rng)
        for pid in victims.values():
            os.kill(pid, signal.SIGKILL)
        return Struck(replaced=victims)


class KillTwo(Struct, frozen=True):
    """SIGKILL of two processes at once, whichever they are."""

    name: str = "kill-two"

    def strike(self, target: Target, rng: random.Random) -> Struck:
        """Kill them."""
        return Kill(self.name, tuple(rng.sample(sorted(target.processes()), 2))).strike(target, rng)


class AtOnce(Struct, frozen=True):
    """Several faults at the same time, none of which lasts by itself."""

    name: str
    faults: tuple[Fault, ...]

    def strike(self, target: Target, rng: random.Random) -> Struck:
        """Let each strike."""
        struck = [fault.strike(target, rng) for fault in self.faults]
        return Struck(
            replaced={name: pid for one in struck for name, pid in one.replaced.items()},
            wrong=[what for one in struck for what in one.wrong],
        )


class Stop(Struct, frozen=True):
    """SIGSTOP of a process, and SIGCONT later: it goes on with what others have done meanwhile."""

    kind: str
    for_s: float = STOPPED_S

    @property
    def name(self) -> str:
        """As its kind."""
        return f"stop-{self.kind}"

    def strike(self, target: Target, rng: random.Random) -> Struck:
        """Stop it for a while."""
        (pid,) = _victims(target, (self.kind,), rng).values()
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.for_s)
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            return Struck(wrong=[f"{self.kind} was killed after {self.for_s:g} s"])
        return Struck()


class Hang(Struct, frozen=True):
    """SIGSTOP of a process, and nothing more: the watchdog has to kill it."""

    kind: str

    @property
    def name(self) -> str:
        """As its kind."""
        return f"hang-{self.kind}"

    def strike(self, target: Target, rng: random.Random) -> Struck:
        """Stop it for good."""
        victims = _victims(target, (self.kind,), rng)
        for pid in victims.values():
            os.kill(pid, signal.SIGSTOP)
        return Struck(replaced=victims)


class RedisStalled(Stop, frozen=True):
    """Redis takes connections and answers nothing."""

    kind: str = "redis"
    for_s: float = STALLED_S

    @property
    @override
    def name(self) -> str:
        return "redis-stalled"


class RedisFull(Struct, frozen=True):
    """Redis has no memory left for anything new."""

    for_s: float = FULL_S
    name: str = "redis-full"

    def strike(self, target: Target, rng: random.Random) -> Struck:  # noqa: ARG002 - nothing is left to chance
        """Take its memory away for a while."""
        with target.jobs() as client:
            client.config_set("maxmemory", "1mb")
            time.sleep(self.for_s)
            client.config_set("maxmemory", "0")
        return Struck()


class ConnectionsReset(Struct, frozen=True):
    """Redis closes every connection, several times."""

    name: str = "connections-reset"

    def strike(self, target: Target, rng: random.Random) -> Struck:  # noqa: ARG002 - as above
        """Close them all."""
        with target.jobs() as client:
            for _ in range(RESETS):
                client.client_kill_filter(_type="normal", skipme=True)
                client.client_kill_filter(_type="pubsub")
                time.sleep(RESET_PAUSE_S)
        return Struck()


class DiskFull(Struct, frozen=True):
    """The disk of logs, of Redis and of uploads being received is full; then Redis is killed.

    It has to start with what it has written meanwhile. Only for where that is a disk of its own.
    """

    name: str = "disk-full"

    def strike(self, target: Target, rng: random.Random) -> Struck:
        """Fill it for a while, and wait until Redis has noticed that it is not any more."""
        filler = target.state / "filler"
        ends_s = time.monotonic() + FULL_S
        with filler.open("wb", buffering=0) as file:
            while time.monotonic() < ends_s:
                try:
                    file.write(_BLOCK)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    time.sleep(0.01)
        filler.unlink()
        if not until(target.is_well, _WRITES_AGAIN_WITHIN_S):
            return Struck(wrong=["not well though there is room again"])
        return Kill(self.name, ("redis",)).strike(target, rng)


class EngineFails(Struct, frozen=True):
    """The engine of an instance does what a file tells it: it hangs, or loses its device."""

    name: str
    order: str

    def strike(self, target: Target, rng: random.Random) -> Struck:
        """Give the order, and wait until it is obeyed."""
        victims = _victims(target, ("instance",), rng)
        (instance,) = victims
        order = target.service.home / f"{self.order}-{instance}"
        order.touch()
        while order.exists():
            time.sleep(0.05)
        return Struck(replaced=victims)


class SupervisordKilled(Struct, frozen=True):
    """supervisord dies, its processes go on without it, and the operator starts the service again."""

    name: str = "supervisord-killed"
    #: What the operator does, one after the other, and with which status it has to end.
    commands: tuple[tuple[str, int], ...] = (("status", NOT_RUNNING), ("start", 0))

    def strike(self, target: Target, rng: random.Random) -> Struck:  # noqa: ARG002 - as above
        """Kill it, and do what the operator does."""
        before = target.pids()
        os.kill(before["supervisord"], signal.SIGKILL)
        wrong = []
        for command, expected in self.commands:
            done = target.service.run("deploy.service", command)
            if done.returncode != expected:
                wrong.append(f"{command} exits with {done.returncode}: {done.stdout}{done.stderr}")
            if command == "stop":
                left = leftovers.find(target.service.home)
                wrong += [f"stop has left {process}" for process in left]
        return Struck(replaced=before, wrong=wrong)


SUPERVISORD_KILLED_AND_STOPPED: Final = SupervisordKilled(
    "supervisord-killed-stop", (("stop", 0), ("status", NOT_RUNNING), ("start", 0))
)

#: Every kind of process that supervisord looks after.
KINDS: Final = ("api", "segmenter", "instance", "monitor", "courier", "redis")

#: Redis is not watched: one that is stalled is waited for.
_WATCHED: Final = KINDS[:-1]

ALL: Final[tuple[Fault, ...]] = (
    *(Kill(f"kill-{kind}", (kind,)) for kind in KINDS),
    KillTwo(),
    *(Stop(kind) for kind in (*_WATCHED, "supervisord")),
    *(Hang(kind) for kind in _WATCHED),
    RedisStalled(),
    RedisFull(),
    ConnectionsReset(),
    DiskFull(),
    EngineFails("engine-hangs", FaultyEngine.HANG),
    EngineFails("device-lost", FaultyEngine.LOSE),
    SupervisordKilled(),
    SUPERVISORD_KILLED_AND_STOPPED,
)

#: Those that keep Redis from answering: new uploads are then refused promptly.
REDIS_AWAY: Final = {"kill-redis", "redis-stalled", "redis-full"}


def _victims(target: Target, kinds: tuple[str, ...], rng: random.Random) -> dict[str, int]:
    """A process of each kind, by name."""
    processes = target.pids()
    names = [rng.choice([name for name in processes if name.startswith(kind)]) for kind in kinds]
    return {name: processes[name] for name in names}
