"""Where a callback may go: not inside, whatever a name says and whenever it says it."""

import ssl
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

import dramatiq
import pytest
import redis
from msgspec.structs import replace

from actors.callbacks.post import Sender
from actors.courier import Courier
from actors.records import CallbackState
from actors.settings import Settings
from actors.store.callbacks import CallbackStore
from actors.store.jobs import JobStore
from tests.integration.callbacks.standing import ended, standing
from tests.receiver import Receiver

Resolve = Callable[[str, int], list[IPv4Address | IPv6Address]]


def courier_of(config: Settings, client: redis.Redis, addresses: list[str], *, private: bool) -> Courier:
    """A courier for whom every name leads to these addresses."""
    resolve: Resolve = lambda _, __: [ip_address(address) for address in addresses]  # noqa: E731
    return Courier(replace(config, callback_private=private), CallbackStore(client), resolve=resolve)


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
