"""The users of Locust: clients that wait for their answers, and arrivals that do not."""

from locust import User, constant, task
from locust.exception import StopUser

from loadtest.load.open_loop import OpenLoop
from loadtest.load.session import Session
from loadtest.records import OK, Sample


def clients(session: Session) -> type[User]:
    """Users of a closed loop: each sends its next request some time after the answer to the last."""

    class Client(User):
        wait_time = constant(session.plan.delay_between_requests)
        asked = 0

        @task
        def ask(self) -> None:
            _tell(self, session.request())
            self.asked += 1
            if self.asked == session.plan.requests_per_user:
                raise StopUser

    return Client


def arrivals(session: Session) -> type[User]:
    """The one user of an open loop, who sends every request of it."""

    class Arrivals(User):
        @task
        def arrive(self) -> None:
            OpenLoop(session, lambda sample: _tell(self, sample)).run()
            raise StopUser

    return Arrivals


def _tell(user: User, sample: Sample) -> None:
    """Tell Locust, whose statistics and page show it."""
    user.environment.events.request.fire(
        request_type="POST",
        name=sample.recording,
        response_time=sample.latency_s * 1000,
        response_length=0,
        exception=None if sample.outcome == OK else RuntimeError(sample.outcome),
        context={},
    )
