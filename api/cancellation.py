"""Ends tasks that talk to Redis, for which one cancellation may not be enough."""

import asyncio

#: How long a task may take to end before it is cancelled again.
_AGAIN_S = 0.1


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until all have ended; what they raise is theirs.

    redis-py sends with `asyncio.wait_for`, which up to Python 3.11 swallows a cancellation that comes just as
    it is done (https://github.com/python/cpython/issues/86296): the task goes on as if nothing had been said.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_AGAIN_S)
