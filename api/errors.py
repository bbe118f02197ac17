"""What can go wrong with a request, as exceptions; `failures` says what a client is told of each."""

from typing import Final

from actors.records import Job

#: What was sent is repeated in a message up to here.
SHOWN_CHARS: Final = 200

#: The status of a request whose client has gone before it was answered, as nginx has it.
CLIENT_GONE: Final = 499


class Unavailable(Exception):
    """Nobody can do the work now, such as when no instance is alive."""


class TooManyStreams(Unavailable):
    """As many clients as may follow the log already."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} clients follow the log already")


class StillRunning(Exception):
    """A job has made no progress for as long as a synchronous request waits; it goes on."""

    def __init__(self, job: Job, waited_s: int) -> None:
        super().__init__(f"job {job.id} made no progress for {waited_s} s; it goes on: GET /jobs/{job.id}")


class Interrupted(Exception):
    """The API stops while a request waits for its job, which goes on."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"the service is restarting; job {job.id} goes on: GET /jobs/{job.id}")


class Refused(Exception):
    """The request is at fault; `status` says how."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class NoKey(Refused):
    """A key is asked for, and there is none or a wrong one."""

    def __init__(self, message: str) -> None:
        super().__init__(401, message)


class ForeignPage(Refused):
    """A web page from elsewhere has a browser ask."""

    def __init__(self) -> None:
        super().__init__(
            403,
            "a web page from elsewhere asks for this, which none may; a proxy before the service is to pass "
            "on `Host` as the browser has sent it",
        )


class UnknownName(Refused):
    """The service is called by a name that somebody else may have made lead here."""

    def __init__(self, host: str) -> None:
        super().__init__(403, f"Host: {host!r} is no name of this service: ASR_NAMES can say that it is one")


class JobFailed(Exception):
    """The job of the request has failed; `status` says whose fault it was."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class JobExpired(Exception):
    """The job or its result has outlived `ASR_RESULT_TTL_S`."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} has expired: its result is no longer kept")


class NotDone(Refused):
    """The job has no result, or not yet; `state` says where it stands."""

    def __init__(self, job: Job) -> None:
        yet = "" if job.state.ended else " yet"
        super().__init__(409, f"job {job.id} is {job.state}: it has no result{yet}")
        self.state = job.state


class NoResult(Refused):
    """The job is done, but its result is no longer kept."""

    def __init__(self, job_id: str) -> None:
        super().__init__(404, f"the result of job {job_id} is no longer kept: it was deleted, or has expired")


class UnknownJob(Refused):
    """No job has this id, or it has expired."""

    def __init__(self, job_id: str) -> None:
        shown = shortened(job_id)
        super().__init__(404, f"no job {shown!r}: it never was, or has expired")


class UnknownModel(Refused):
    """A model is named that does not run here."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        shown = shortened(name)
        super().__init__(404, f"model: there is no {shown!r}; there are {', '.join(known)}")


class HungUp(Refused):
    """The client has closed the connection; nobody reads the answer."""

    def __init__(self) -> None:
        super().__init__(CLIENT_GONE, "the client has closed the connection")


def shortened(text: str) -> str:
    """A text as messages repeat it."""
    return text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "…"
