"""A courier tries until a callback is taken or hopeless, one try at a time; one that dies loses none."""

import json
import threading

import dramatiq
import pytest
import redis
import structlog
from msgspec.structs import replace
from standardwebhooks import Webhook

from actors.callbacks.post import TIMEOUT_S
from actors.courier import Courier
from actors.queue.broker import DoorbellBroker
from actors.queue.messages import CALLBACK, deliver_callback
from actors.records import CallbackState
from actors.settings import Settings
from actors.store import keys
from actors.store.callbacks import LEASE_MS, CallbackStore
from actors.store.jobs import JobStore
from tests.integration.callbacks.standing import PAUSES_S, delivering, ended, standing, waiting
from tests.integration.queue_worker import await_that
from tests.receiver import SECRET, Received, Receiver, receiving


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
