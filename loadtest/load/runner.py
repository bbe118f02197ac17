"""Carries a plan out: each recording alone, then the load, while the service is watched."""

import contextlib
import functools
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import gevent
import msgspec
import psutil
from gevent.event import Event
from gevent.resolver.blocking import Resolver

from actors.clock import now_ms
from actors.flusher import FLUSH_S
from deploy import running
from deploy.client import NotServed
from loadtest.corpus import Recording, error_rate
from loadtest.load.answers import CONNECTION, WRONG_TEXT
from loadtest.load.arrivals import requests
from loadtest.load.exchange import Target
from loadtest.load.progress import Progress
from loadtest.load.session import Heard, Session
from loadtest.metrics import Metrics, counted
from loadtest.plan import Plan
from loadtest.records import OK, TIMEOUT, Run, Sample
from loadtest.target import hardware, meet
from loadtest.watch import Watch, client, is_ours, read_metrics

# Locust's own process replaces the standard library's sockets and threads by gevent's. Nothing here needs
# that: what waits for sockets uses gevent's own, and the watch is to be a thread.
os.environ.setdefault("LOCUST_SKIP_MONKEY_PATCH", "1")

from locust.env import Environment

from loadtest.load.users import arrivals, clients

#: Between two tellings of the progress.
TELL_S: Final = 0.5

#: After this long every process has sent what it had counted.
SETTLED_S: Final = 1.5 * FLUSH_S

#: Answers by which every request would be refused: a run would measure nothing.
HOPELESS: Final = {401, 403, 404, 405}


def run(
    plan: Plan,
    recordings: Sequence[Recording],
    tell: Callable[[Progress], None],
    headers: Mapping[str, str],
) -> Run:
    """See `loadtest.load.run`."""
    service = meet(plan.api_url, headers)
    _allow_connections()
    _remember_names()
    ours = running.read() if is_ours(plan.api_url) else None
    target = Target(
        url=plan.api_url,
        endpoint=plan.endpoint,
        headers=headers,
        timeout_s=plan.timeout,
        certificate=ours.certificate if ours else "",
    )
    session = Session(plan, recordings, target)
    process = psutil.Process()
    with _stop() as stop, client(plan.api_url, headers) as http:
        alone = not plan.serial_texts or _until(stop, lambda: _alone(session, tell), lambda: None)
        gevent.wait([stop], SETTLED_S)
        before = read_metrics(http) or Metrics({})
        began_ms, spent_s = now_ms(), _cpu_s(process)
        with Watch(plan.api_url, headers) as watch:
            session.begin()
            done = alone and _until(stop, lambda: _load(session), lambda: tell(_progress(session)))
            took_s = session.now_s()
        spent_s = _cpu_s(process) - spent_s
        gevent.sleep(SETTLED_S)
        after = read_metrics(http) or Metrics({})
    return Run(
        plan=plan,
        service=service,
        hardware=hardware(),
        began_ms=began_ms,
        took_s=took_s,
        interrupted=not done,
        samples=_scored(session.heard),
        looks=tuple(watch.looks),
        counted=counted(before, after, plan.endpoint),
        steps=tuple(session.steps),
        runner_cpu_s=spent_s,
    )


def _until(stop: Event, work: Callable[[], None], meanwhile: Callable[[], None]) -> bool:
    """Work until it is done or stopped, whichever is first; whether it is done. What fails is raised."""
    working = gevent.spawn(work)
    while not gevent.wait([working, stop], TELL_S, count=1):
        meanwhile()
    done: bool = working.ready()
    working.kill()
    working.get()
    meanwhile()
    return done


def _alone(session: Session, tell: Callable[[Progress], None]) -> None:
    """Send recordings one at a time, which also warms the service up.

    Raises:
        NotServed: it refuses them.
    """
    chosen = session.alone()
    for done, index in enumerate(chosen):
        tell(Progress(phase="alone", done=done, total=len(chosen), at_s=session.now_s()))
        reply = session.send_alone(index)
        if not done and reply.answer.outcome in {TIMEOUT, CONNECTION}:
            raise NotServed(f"{session.plan.api_url} answers no request: {reply.answer.reason}")
        if reply.status in HOPELESS:
            raise NotServed(f"{session.plan.api_url} refuses: {reply.answer.reason} (HTTP {reply.status})")


def _load(session: Session) -> None:
    """Let Locust's users send until they are done; when killed, they end at once."""
    plan = session.plan
    kind, users = (arrivals, 1) if plan.is_open else (clients, plan.concurrent_users)
    environment = Environment(user_classes=[kind(session)], host=plan.api_url, catch_exceptions=False)
    runner = environment.create_local_runner()
    try:
        runner.start(users, spawn_rate=users)
        if runner.spawning_greenlet:
            runner.spawning_greenlet.join()
        runner.user_greenlets.join(raise_error=True)
    finally:
        session.requests.kill()
        runner.quit()


def _progress(session: Session) -> Progress:
    plan = session.plan
    return Progress.of(
        [heard.sample for heard in session.heard],
        at_s=session.now_s(),
        total=None if plan.raise_by else requests(plan),
        open_now=len(session.open),
        rate_per_s=session.rate_per_s if plan.raise_by else None,
    )


def _scored(heard: Sequence[Heard]) -> tuple[Sample, ...]:
    """The samples, in the order in which they were due, with the error rates of their texts."""
    known: dict[tuple[str, str], float] = {}

    def scored(one: Heard) -> Sample:
        recording = one.recording
        if recording.text is None or one.sample.outcome not in {OK, WRONG_TEXT}:
            return one.sample
        key = recording.name, one.text
        if key not in known:
            known[key] = error_rate(recording.language, recording.text, one.text)
        return msgspec.structs.replace(one.sample, error_rate=known[key])

    return tuple(scored(one) for one in sorted(heard, key=lambda one: one.sample.due_s))


@contextlib.contextmanager
def _stop() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set instead of what they did."""
    stop = Event()
    handlers = [gevent.signal_handler(number, stop.set) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield stop
    finally:
        for handler in handlers:
            handler.cancel()


def _allow_connections() -> None:
    """As many open files as this process may have: in an open loop every request waits on one of its own."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS has a limit below its limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _remember_names() -> None:
    """Look each name up once: to do so for each request, on a thread, costs as much as the request."""
    resolver: Any = Resolver()
    resolver.getaddrinfo = functools.cache(socket.getaddrinfo)
    gevent.get_hub().resolver = resolver


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
