"""Whether the client of a request that waits is still there."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from litestar.types import Receive

from api.errors import HungUp

Result = TypeVar("Result")


async def unless_hung_up(waiting: Coroutine[Any, Any, Result], receive: Receive) -> Result:
    """What is waited for; the body of the request must have been read.

    Raises:
        HungUp: the client has closed the connection first.
    """
    waited, gone = asyncio.create_task(waiting), asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait({waited, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not waited.done():
            raise HungUp
        return await waited
    finally:
        waited.cancel()
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
