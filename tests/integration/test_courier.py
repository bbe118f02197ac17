"""From the end of a job to its receiver: once noted, tried until it is taken or hopeless, and never lost."""

import json
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import cast

import dramatiq
import pytest
import redis
import structlog
from msgspec.structs import replace
from standardwebhooks import Webhook

from actors.callbacks.post import TIMEOUT_S, Sender
from actors.courier import Courier, actor
from actors.errors import UnreadableAudio
from actors.queue.broker import DoorbellBroker
from actors.queue.messages import CALLBACK, deliver_callback, queues
from actors.queue.slots import Slots
from actors.records import CallbackState, Job
from actors.settings import Settings
from actors.store import keys
from actors.store.callbacks import LEASE_MS, CallbackStore, overdue
from actors.store.connection import prompt, prompt_broker
from actors.store.jobs import JobStore
from actors.store.work import WorkStore
from actors.worker import create_broker
from monitoring.monitor import remind
from tests.integration.queue_worker import await_that
from tests.integration.test_store import EMPTY, LIMITS, chunks_of, new_job
from tests.receiver import SECRET, Received, Receiver, receiving

#: Two further tries, at once.
PAUSES_S = (0.01, 0.01)

Resolve = Callable[[str, int], list[IPv4Address | IPv6Address]]


@pytest.fixture
def allowed(config: Settings) -> Settings:
    """Settings with callbacks, to this machine as well."""
    return replace(config, callback_secret=SECRET, callback_private=True)


@pytest.fixture
async def jobs(config: Settings) -> AsyncIterator[JobStore]:
    """The store as the API uses it."""
    async with prompt(config) as connected:
        yield JobStore(connected, result_ttl_s=60, limits=LIMITS)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that listens."""
    with receiving() as listening:
        yield listening


@contextmanager
def delivering(
    config: Settings,
    client: redis.Redis,
    *,
    pauses_s: tuple[float, ...] = PAUSES_S,
    store: CallbackStore | None = None,
    threads: int = 2,
) -> Iterator[DoorbellBroker]:
    """A courier at work, as its process runs it."""
    broker = create_broker(config, Slots(threads))
    actor(Courier(config, store or CallbackStore(client), pauses_s=pauses_s), broker)
    worker = dramatiq.Worker(broker, queues=set(queues(CALLBACK)), worker_threads=threads)
    worker.start()
    try:
        yield broker
    finally:
        broker.slots.close()
        worker.stop(timeout=300)
        for consumer in worker.consumers.values():
            consumer.join(5)
        broker.return_messages(queues(CALLBACK))


async def ended(jobs: JobStore, client: redis.Redis, callback: str | None, job_id: str = "j1") -> None:
    """A job with a callback, done."""
    await jobs.admit(replace(new_job(3, job_id), callback=callback), chunks_of(b"abc"))
    work = WorkStore(client, 60)
    work.begin(job_id)
    work.complete(job_id, EMPTY)


async def standing(jobs: JobStore, job_id: str = "j1") -> Job:
    """The record of a job."""
    job = await jobs.get(job_id)
    assert job is not None
    return job


def waiting(client: redis.Redis) -> list[bytes]:
    """The jobs that are to be told of."""
    return cast("list[bytes]", client.zrange(keys.CALLBACKS, 0, -1))


@pytest.mark.parametrize("how", ["done", "failed", "cancelled"])
async def test_every_end_is_noted(jobs: JobStore, client: redis.Redis, how: str) -> None:
    """With the end itself, once; whoever ends a job learns that it is to be told of, and the others not."""
    told: list[str] = []
    work = WorkStore(client, 60, told.append)
    for job_id, callback in (("j1", "https://example.org"), ("j2", None)):
        await jobs.admit(replace(new_job(3, job_id), callback=callback), chunks_of(b"abc"))
        work.begin(job_id)
        for _ in range(2):
            match how:
                case "done":
                    work.complete(job_id, EMPTY)
                case "failed":
                    work.fail(job_id, UnreadableAudio("damaged"))
                case _ if await jobs.cancel(job_id):
                    told.append(job_id)
                case _:
                    pass

    assert told == ["j1"]
    assert waiting(client) == [b"j1"]


async def test_a_job_that_nobody_was_promised(jobs: JobStore, client: redis.Redis) -> None:
    """Its client was answered with an error, and is not told again."""
    job = replace(new_job(3), callback="https://example.org")
    await jobs.admit(job, chunks_of(b"abc"))

    await jobs.abandon(job)

    assert waiting(client) == []


async def test_taken_at_the_third_try(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """The same message each time, with the same id; afterwards nothing is left to do."""
    answers = iter([500, 302, 204])
    receiver.answer = lambda _: next(answers)
    await ended(jobs, client, receiver.url)

    with delivering(allowed, client) as broker:
        broker.enqueue(deliver_callback("j1"))
        await_that(lambda: not waiting(client))

    assert [received.path for received in receiver.received] == ["/heard?token=s3cret"] * 3
    (body,) = {received.body for received in receiver.received}
    (message_id,) = {received.headers["webhook-id"] for received in receiver.received}
    for received in receiver.received:
        assert Webhook(SECRET).verify(received.body, received.headers) == json.loads(body)
    assert message_id == json.loads(body)["data"]["id"] == "j1"
    assert receiver.received[0].headers["content-type"] == "application/json"
    job = await standing(jobs)
    assert (job.callback_state, job.callback_tries, job.callback_error) == (CallbackState.DELIVERED, 3, None)


async def test_given_up_when_the_tries_are_used_up(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """One more than there are pauses; the record says why."""
    receiver.answer = lambda _: 503
    await ended(jobs, client, receiver.url)

    with delivering(allowed, client) as broker:
        broker.enqueue(deliver_callback("j1"))
        await_that(lambda: not waiting(client))

    assert len(receiver.received) == len(PAUSES_S) + 1
    job = await standing(jobs)
    assert (job.callback_state, job.callback_error) == (CallbackState.FAILED, "the receiver answered 503")


async def test_a_receiver_that_wants_no_more(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """410 is final."""
    receiver.answer = lambda _: 410
    await ended(jobs, client, receiver.url)

    Courier(allowed, CallbackStore(client)).deliver("j1")

    assert len(receiver.received) == 1
    assert (await standing(jobs)).callback_state is CallbackState.FAILED
    assert waiting(client) == []


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["8.8.8.8", "::ffff:a9fe:a9fe"]]
)
async def test_a_name_that_leads_inside(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver, addresses: list[str]
) -> None:
    """One address that is not public is enough: it is given up at once, and nothing is connected to."""
    await ended(jobs, client, f"http://receiver.example:{receiver.port}/")

    courier_of(allowed, client, addresses, private=False).deliver("j1")

    job = await standing(jobs)
    assert job.callback_state is CallbackState.FAILED
    assert job.callback_error == "receiver.example leads to an address that is not public"
    assert receiver.received == []


async def test_a_name_that_changes_its_mind(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """It is asked once a try, and what it said then is what is connected to."""
    asked: list[str] = []

    def rebinding(host: str, _: int) -> list[IPv4Address | IPv6Address]:
        asked.append(host)
        return [ip_address("127.0.0.1" if len(asked) == 1 else "127.0.0.2")]

    await ended(jobs, client, f"http://receiver.invalid:{receiver.port}/")

    Courier(allowed, CallbackStore(client), resolve=rebinding).deliver("j1")

    assert asked == ["receiver.invalid"]
    assert len(receiver.received) == 1


async def test_a_resolver_that_hangs(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """It is part of the try, and has no more time than that."""
    asked_in_vain = threading.Event()

    def hanging(_: str, __: int) -> list[IPv4Address | IPv6Address]:
        asked_in_vain.wait(30)
        return [ip_address("127.0.0.1")]

    await ended(jobs, client, f"http://receiver.invalid:{receiver.port}/")
    sender = Sender(ssl.create_default_context(), timeout_s=0.3)

    with pytest.raises(dramatiq.errors.Retry, match=r"no answer within 0\.3 s"):
        Courier(allowed, CallbackStore(client), sender=sender, resolve=hanging).deliver("j1")

    asked_in_vain.set()
    assert receiver.received == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/"])
async def test_what_was_allowed_once(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver, url: str
) -> None:
    """It is not delivered if it is no more."""
    await ended(jobs, client, url.format(port=receiver.port))

    Courier(replace(allowed, callback_private=False), CallbackStore(client)).deliver("j1")

    assert (await standing(jobs)).callback_state is CallbackState.FAILED
    assert receiver.received == []


def courier_of(config: Settings, client: redis.Redis, addresses: list[str], *, private: bool) -> Courier:
    """A courier for whom every name leads to these addresses."""
    resolve: Resolve = lambda _, __: [ip_address(address) for address in addresses]  # noqa: E731
    return Courier(replace(config, callback_private=private), CallbackStore(client), resolve=resolve)


async def test_without_a_secret(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """Nothing goes out unsigned; it waits for the operator."""
    await ended(jobs, client, receiver.url)

    with pytest.raises(dramatiq.errors.Retry, match="ASR_CALLBACK_SECRET"):
        Courier(replace(allowed, callback_secret=""), CallbackStore(client)).deliver("j1")

    assert receiver.received == []
    assert waiting(client) == [b"j1"]


async def test_messages_more_than_tries(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """However often it is asked for, a try is made when it is due, and none after it was taken."""
    receiver.answer = lambda _: 500
    await ended(jobs, client, receiver.url)
    courier = Courier(allowed, CallbackStore(client), pauses_s=(3600, 3600))
    with pytest.raises(dramatiq.errors.Retry):
        courier.deliver("j1")

    courier.deliver("j1")
    assert len(receiver.received) == 1
    client.zadd(keys.CALLBACKS, {"j1": 0})
    receiver.answer = lambda _: 200
    for _ in range(2):
        courier.deliver("j1")

    assert len(receiver.received) == 2
    assert (await standing(jobs)).callback_state is CallbackState.DELIVERED


async def test_messages_at_the_same_time(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """One of them makes the try, which counts once; the others come again when it is over."""
    receiver.answer = lambda _: 500 if len(receiver.received) == 1 else 200
    await ended(jobs, client, receiver.url)
    store = CallbackStore(client, lease_ms=2000)

    with delivering(allowed, client, store=store, pauses_s=(1, 3600), threads=8) as broker:
        for _ in range(8):
            broker.enqueue(deliver_callback("j1"))
        await_that(lambda: not waiting(client))
        await_that(lambda: not unfinished(broker))

    assert len(receiver.received) == 2
    job = await standing(jobs)
    assert (job.callback_state, job.callback_tries) == (CallbackState.DELIVERED, 2)


def unfinished(broker: DoorbellBroker) -> int:
    """The messages that are not done with."""
    return sum(int(broker.client.hlen(f"dramatiq:{queue}.msgs")) for queue in (CALLBACK, f"{CALLBACK}.DQ"))


async def test_a_try_is_somebody_s(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """As long as one can last; another courier is told when to come again."""
    await ended(jobs, client, receiver.url)
    early_ms: list[int] = []

    def meanwhile(_: Received) -> int:
        early_ms.append(Courier(allowed, CallbackStore(client)).deliver("j1"))
        return 200

    receiver.answer = meanwhile
    Courier(allowed, CallbackStore(client)).deliver("j1")

    assert TIMEOUT_S * 1000 < early_ms[0] <= LEASE_MS
    assert len(receiver.received) == 1
    assert (await standing(jobs)).callback_tries == 1


async def test_a_receiver_that_hangs(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """It holds a few threads only, and so no other up; whoever waits for it has not tried."""
    recovered = threading.Event()
    receiver.answer = lambda _: 200 if recovered.wait(60) else 500
    stuck = [f"j{number}" for number in range(1, 6)]
    for job_id in stuck:
        await ended(jobs, client, receiver.url, job_id)

    with receiving() as other, delivering(allowed, client, threads=4) as broker:
        for job_id in stuck:
            broker.enqueue(deliver_callback(job_id))
        await_that(lambda: len(receiver.received) == 2)
        await ended(jobs, client, other.url, "other")
        broker.enqueue(deliver_callback("other"))
        await_that(lambda: len(other.received) == 1)
        assert len(receiver.received) == 2
        assert sum([(await standing(jobs, job_id)).callback_tries for job_id in stuck]) == 2
        recovered.set()
        await_that(lambda: not waiting(client), 30)

    assert len(receiver.received) == 5
    assert {(await standing(jobs, job_id)).callback_tries for job_id in stuck} == {1}


async def test_two_couriers_at_once(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """One that is held up for longer than that, and fails, does not undo what the other has delivered."""
    await ended(jobs, client, receiver.url)
    courier = Courier(allowed, CallbackStore(client))

    def delivered_meanwhile(_: Received) -> int:
        receiver.answer = lambda _: 200
        client.zadd(keys.CALLBACKS, {"j1": 1})
        courier.deliver("j1")
        return 500

    receiver.answer = delivered_meanwhile
    with pytest.raises(dramatiq.errors.Retry):
        courier.deliver("j1")

    job = await standing(jobs)
    assert (job.callback_state, job.callback_error) == (CallbackState.DELIVERED, None)
    assert waiting(client) == []


async def test_the_message_of_a_courier_that_died(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """It comes back during the try that nobody ends, and leads to another when that would have been over."""
    await ended(jobs, client, receiver.url)
    CallbackStore(client, lease_ms=500).begin("j1")

    with delivering(allowed, client) as broker:
        broker.enqueue(deliver_callback("j1"))
        await_that(lambda: not waiting(client))

    assert len(receiver.received) == 1
    assert (await standing(jobs)).callback_tries == 2


async def test_a_callback_that_kills_every_courier(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """It is not tried more often than one that fails."""
    await ended(jobs, client, receiver.url)
    store = CallbackStore(client, lease_ms=0)
    for _ in range(len(PAUSES_S) + 1):
        store.begin("j1")

    Courier(allowed, store, pauses_s=PAUSES_S).deliver("j1")

    job = await standing(jobs)
    assert (job.callback_state, job.callback_error) == (
        CallbackState.FAILED,
        "no try has come to its end",
    )
    assert receiver.received == []


async def test_nobody_asked_for_it(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """Who ended the job died before it could: the monitor does, once, when that is overdue."""
    await ended(jobs, client, receiver.url)
    with_patience = DoorbellBroker(prompt_broker(allowed))
    with delivering(allowed, client):
        await remind(jobs.client, with_patience)
        assert receiver.received == []
        client.zadd(keys.CALLBACKS, {"j1": 1})

        await remind(jobs.client, with_patience)
        await_that(lambda: not waiting(client))

    assert len(receiver.received) == 1


async def test_no_courier_to_remind(jobs: JobStore, client: redis.Redis, allowed: Settings) -> None:
    """However long it is away, what waits for it does not become more."""
    await ended(jobs, client, "https://example.org")
    broker = DoorbellBroker(prompt_broker(allowed))
    broker.enqueue(deliver_callback("j1"))

    for _ in range(3):
        client.zadd(keys.CALLBACKS, {"j1": 1})
        await remind(jobs.client, broker)

    assert broker.waiting(CALLBACK) == 1


async def test_overdue_once(jobs: JobStore, client: redis.Redis) -> None:
    """What is asked for again is not asked for at the next look; what expired is forgotten."""
    for job_id in ("j1", "gone"):
        await ended(jobs, client, "https://example.org", job_id)
        client.zadd(keys.CALLBACKS, {job_id: 1})
    client.delete(keys.JobKeys.of("gone").job)

    assert await overdue(jobs.client) == ["j1"]
    assert await overdue(jobs.client) == []
    assert waiting(client) == [b"j1"]


async def test_a_job_that_has_expired(jobs: JobStore, client: redis.Redis, allowed: Settings) -> None:
    """Nobody is told of it any more."""
    await ended(jobs, client, "https://example.org")
    client.delete(keys.JobKeys.of("j1").job)

    Courier(allowed, CallbackStore(client)).deliver("j1")

    assert waiting(client) == []
    assert client.keys("asr:job:j1*") == [b"asr:job:j1:transcript"]


async def test_a_courier_that_dies_over_it(jobs: JobStore, client: redis.Redis, allowed: Settings) -> None:
    """Its message is rejected after several deaths, and the job says that it is not told."""
    await ended(jobs, client, "https://example.org")

    Courier(allowed, CallbackStore(client)).give_up("j1", RuntimeError("every worker that took it died"))

    assert (await standing(jobs)).callback_state is CallbackState.FAILED
    assert waiting(client) == []


async def test_the_log(jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver) -> None:
    """A line a try and one for giving up, with neither the path nor the query."""
    answers = iter([500, 500, 410, 200])
    receiver.answer = lambda _: next(answers)
    courier = Courier(allowed, CallbackStore(client), pauses_s=(0, 0))
    with structlog.testing.capture_logs() as logged:
        for job_id in ("j1", "j2"):
            await ended(jobs, client, receiver.url, job_id)
        for _ in range(2):
            with pytest.raises(dramatiq.errors.Retry):
                courier.deliver("j1")
        courier.deliver("j1")
        courier.deliver("j2")

    assert [(line["event"], line["job"], line["tries"]) for line in logged] == [
        ("callback.failed", "j1", 1),
        ("callback.failed", "j1", 2),
        ("callback.given_up", "j1", 3),
        ("callback.delivered", "j2", 1),
    ]
    assert {line["to"] for line in logged} == {f"http://127.0.0.1:{receiver.port}"}
    assert "s3cret" not in str(logged)
    assert "heard" not in str(logged)
