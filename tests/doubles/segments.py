"""What Redis keeps of the segments of a job that has not ended."""

from typing import cast

import redis

from actors.store.keys import JobKeys


def outcomes(client: redis.Redis, job_id: str) -> list[str | None]:
    """Of each segment, in order: "", why it failed, or None until it is finished."""
    of = JobKeys.of(job_id)
    spans, found = (cast("dict[bytes, bytes]", client.hgetall(key)) for key in (of.segments, of.outcomes))
    return [found[index].decode() if index in found else None for index in sorted(spans, key=int)]
