"""Requests that arrive at a rate, each sent when it is due, whatever became of the others."""

from collections.abc import Callable
from typing import Final

import gevent

from loadtest import saturation
from loadtest.load.arrivals import arrivals, rates
from loadtest.load.session import Session
from loadtest.records import Sample, Step

#: Between two looks at whether the requests of a step have ended.
LOOK_S: Final = 0.05


class OpenLoop:
    """The load of an open loop; `tell` is told of each request."""

    def __init__(self, session: Session, tell: Callable[[Sample], None]) -> None:
        self._session = session
        self._tell = tell

    def run(self) -> None:
        """Send the requests of each rate until a limit breaks, of the only one unless it is raised."""
        plan = self._session.plan
        for step, rate_per_s in enumerate(rates(plan)):
            began_s = self._session.now_s()
            self._session.rate_per_s = rate_per_s
            for after_s in arrivals(plan, rate_per_s, step):
                self._sleep_until(began_s + after_s)
                self._session.requests.spawn(self._send, began_s + after_s)
            self._sleep_until(began_s + plan.duration_s)
            if plan.raise_by and not self._is_borne(rate_per_s, began_s):
                break
        self._session.requests.join(raise_error=True)

    def _send(self, due_s: float) -> None:
        self._tell(self._session.request(due_s))

    def _is_borne(self, rate_per_s: float, began_s: float) -> bool:
        """Whether the step that ends now kept the limits: known once it broke them or all requests ended.

        Only then is the step recorded: one that is cut short in between says nothing.
        """
        session, ended_s = self._session, self._session.now_s()
        while True:
            samples = [heard.sample for heard in session.heard if heard.sample.due_s >= began_s]
            open_s = [session.now_s() - due_s for due_s in session.open.values()]
            borne = saturation.is_borne(session.plan, samples, open_s)
            if not borne or not open_s:
                step = Step(rate_per_s=rate_per_s, began_s=began_s, ended_s=ended_s, borne=borne)
                session.steps.append(step)
                return borne
            gevent.sleep(LOOK_S)

    def _sleep_until(self, at_s: float) -> None:
        while (left_s := at_s - self._session.now_s()) > 0:
            gevent.sleep(left_s)
