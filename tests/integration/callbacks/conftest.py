"""What the tests of callbacks share: a store, and a receiver that listens."""

from collections.abc import AsyncIterator, Iterator

import pytest
from msgspec.structs import replace

from actors.settings import Settings
from actors.store.connection import prompt
from actors.store.jobs import JobStore
from tests.integration.test_store import LIMITS
from tests.receiver import SECRET, Receiver, receiving


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
