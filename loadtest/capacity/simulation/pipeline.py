"""The whole service: requests come in at the API, and leave it when their last segment is finished."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from simpy import Environment, PriorityResource, Resource

from actors.records import Lane
from actors.settings import Settings
from loadtest.capacity.measured import Recording
from loadtest.capacity.simulation.cores import Cores
from loadtest.capacity.simulation.hands import Hands
from loadtest.capacity.simulation.hosts import Host
from loadtest.capacity.simulation.instance import Instance, Place, Steps
from loadtest.capacity.simulation.turns import Turns
from loadtest.capacity.simulation.work import Job, Part, Served, part

#: As `actors.segmenter` has them, which would load torch; a test keeps them equal.
THREADS: Final = 4
LONG_THREADS: Final = 2
WINDOW_POLL_S: Final = 0.1

#: Audio that the decoder hands over at once.
BLOCK_S: Final = 10.0

_WINDOW_S: Final = Settings().window_s


class Due(Struct, frozen=True):
    """A recording that is to be sent, and when."""

    at_s: float
    recording: Recording


class Service:
    """A host under load."""

    def __init__(self, host: Host) -> None:
        self.env = Environment()
        self.host = host
        self.served: list[Served] = []
        #: When a segment was finished, and its length.
        self.finished: list[tuple[float, float]] = []
        self.cores = Cores(self.env, host.cores)
        self._threads = PriorityResource(self.env, THREADS * host.segmenters)
        self._long_threads = Resource(self.env, LONG_THREADS * host.segmenters)
        place = Place(self.env, host, self.cores, gpu=Cores(self.env, 1))
        self._queue = Turns(self.env, host, host.at_once) if host.at_once else Hands(self.env, host)
        self.instances = [Instance(place, number, self._finish) for number in range(1, host.instances + 1)]
        for instance in self.instances:
            self.env.process(self._queue.work(instance))

    def submit(self, recording: Recording) -> Job:
        """A request that arrives now."""
        job = Job(recording, self.env)
        self.env.process(self._request(job))
        return job

    def _request(self, job: Job) -> Steps:
        yield from self._at_the_door(job)
        yield from self._cut(job)
        if job.unfinished:
            yield job.recognised
        yield from self._at_the_door(job)
        self.served.append(Served(job.recording, job.due_s, self.env.now))
        job.answered.succeed()

    def _at_the_door(self, job: Job) -> Steps:
        """Half of what the API does, and of what who sends does: as much on the way in as on the way out."""
        costs, length_s = self.host.costs, job.recording.audio_s
        spent_s = costs.api.of(1, length_s) + (costs.load.of(1, length_s) if self.host.with_load else 0)
        yield self.cores.work(spent_s / 2)

    def _cut(self, job: Job) -> Steps:
        if job.lane is Lane.LONG:
            with self._long_threads.request() as long, self._threads.request(1) as thread:
                yield long & thread
                yield from self._blocks(job)
        else:
            with self._threads.request(0) as thread:
                yield thread
                yield from self._blocks(job)
        job.is_cut = True

    def _blocks(self, job: Job) -> Steps:
        """The segmenter's part, which hands segments over as each block closes them."""
        costs, length_s = self.host.costs, job.recording.audio_s
        yield self.cores.work(costs.segmenter.per_request + costs.redis.of(1, length_s) / 3)
        segments, begun_s = list(job.recording.segments), 0.0
        while begun_s < length_s:
            end_s = min(begun_s + BLOCK_S, length_s)
            yield self.cores.work(costs.segmenter.per_audio_s * (end_s - begun_s))
            while segments and (segments[0][0] <= end_s or end_s >= length_s):
                self._hand_over(job, segments.pop(0)[1])
            while job.ahead_s > _WINDOW_S:
                yield self.env.timeout(WINDOW_POLL_S)
            begun_s = end_s

    def _hand_over(self, job: Job, audio_s: float) -> None:
        job.unfinished += 1
        job.ahead_s += audio_s
        self._queue.put(part(job, audio_s, self.env.now))

    def _finish(self, one: Part) -> None:
        job = one.job
        self.finished.append((self.env.now, one.audio_s))
        job.unfinished -= 1
        job.ahead_s -= one.audio_s
        if job.is_cut and not job.unfinished:
            job.recognised.succeed()


def open_loop(host: Host, dues: Sequence[Due]) -> Service:
    """Requests that come when they are due, until all are answered."""
    service = Service(host)

    def arrive() -> Steps:
        for due in dues:
            yield service.env.timeout(max(0.0, due.at_s - service.env.now))
            service.submit(due.recording)

    service.env.process(arrive())
    _run(service, len(dues))
    return service


def closed_loop(host: Host, recordings: Iterator[Recording], users: int, requests_per_user: int) -> Service:
    """Users who each send the next recording when the last one is answered, until all are."""
    service = _with_users(host, recordings, users, requests_per_user)
    _run(service, users * requests_per_user)
    return service


def saturated(host: Host, recordings: Iterator[Recording], users: int, segments: int) -> Service:
    """The same without end, until so many segments are finished."""
    service = _with_users(host, recordings, users, segments)
    while len(service.finished) < segments:
        service.env.step()
    return service


def _with_users(host: Host, recordings: Iterator[Recording], users: int, requests_per_user: int) -> Service:
    service = Service(host)

    def ask() -> Steps:
        for _ in range(requests_per_user):
            yield service.submit(next(recordings)).answered

    for _ in range(users):
        service.env.process(ask())
    return service


def _run(service: Service, requests: int) -> None:
    while len(service.served) < requests:
        service.env.step()
