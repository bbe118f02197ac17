"""Cores that tasks share, as Linux has them share: by weight, each task on as many as it has threads."""

import math
from collections.abc import Iterable
from typing import Final

from simpy import Environment, Event

#: Weights of niceness 0 and of `actors.express.NICENESS` (sched_prio_to_weight in kernel/sched/core.c).
NORMAL: Final = 1024.0
NICE: Final = 110.0

#: What is left of a task that is done.
_ROUNDING_S: Final = 1e-9


class _Task:
    """Core seconds that are to be spent."""

    __slots__ = ("done", "left_s", "rate", "threads", "weight")

    def __init__(self, done: Event, core_s: float, weight: float, threads: int) -> None:
        self.done = done
        self.left_s = core_s
        self.weight = weight
        self.threads = threads
        self.rate = 0.0


class Cores:
    """Generalised processor sharing: Parekh and Gallager, "A generalized processor sharing approach" (1993).

    A GPU is one such core: those who calculate on it at the same time share it.
    """

    def __init__(self, env: Environment, count: float) -> None:
        self._env = env
        self._count = count
        self._tasks: list[_Task] = []
        self._at_s = env.now
        #: Which wake-up is the one that counts.
        self._alarm = 0
        self.spent_s = 0.0

    def work(self, core_s: float, *, weight: float = NORMAL, threads: int = 1) -> Event:
        """An event at the end of so many core seconds."""
        done = self._env.event()
        if core_s <= 0:
            return done.succeed()
        self._advance()
        self._tasks.append(_Task(done, core_s, weight, threads))
        self._share()
        return done

    def _advance(self) -> None:
        """Let the time since the last change have passed."""
        passed_s, self._at_s = self._env.now - self._at_s, self._env.now
        if passed_s > 0:
            for task in self._tasks:
                spent_s = task.rate * passed_s
                task.left_s -= spent_s
                self.spent_s += spent_s

    def _share(self) -> None:
        """Share the cores among the tasks of now, and come back when the first of them is done."""
        _fill(self._tasks, self._count)
        self._alarm += 1
        if self._tasks:
            soon_s = min(task.left_s / task.rate for task in self._tasks)
            alarm, number = self._env.timeout(max(soon_s, 0.0)), self._alarm
            alarm.callbacks.append(lambda _: self._ring(number))

    def _ring(self, number: int) -> None:
        if number != self._alarm:
            return
        self._advance()
        ended = [task for task in self._tasks if task.left_s <= _ROUNDING_S]
        self._tasks = [task for task in self._tasks if task.left_s > _ROUNDING_S]
        self._share()
        for task in ended:
            task.done.succeed()


def _fill(tasks: Iterable[_Task], count: float) -> None:
    """Rates by weight; what a task cannot use, having too few threads, goes to the others."""
    tasks = list(tasks)
    if sum(task.threads for task in tasks) <= count:
        for task in tasks:
            task.rate = task.threads
        return
    left, waiting = count, sorted(tasks, key=lambda task: task.threads / task.weight)
    weights = math.fsum(task.weight for task in waiting)
    for task in waiting:
        task.rate = min(float(task.threads), left * task.weight / weights)
        left -= task.rate
        weights -= task.weight
