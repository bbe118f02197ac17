"""What the instances heard, kept in Dramatiq's result backend until the job ends."""

from collections.abc import Sequence
from typing import cast

import msgspec
import redis
from dramatiq.results.backends import RedisBackend

from actors.queue.messages import recognize_segment
from actors.records import Line, Segment, Utterance
from actors.store import keys

_utterances = msgspec.json.Decoder(Utterance)


class SegmentResults:
    """Results by job and segment; storing one twice keeps the later.

    The actors store them, not Dramatiq's middleware: an exception of a middleware is only logged,
    so a result that could not be stored would be lost instead of tried again. The scripts that end a job
    drop them, and that of a segment whose job has ended meanwhile.
    """

    def __init__(self, client: redis.Redis, ttl_s: int) -> None:
        self._client = client
        self._backend = RedisBackend(
            client=client, namespace=keys.RESULT_NAMESPACE, use_namespace_prefix_keys=True
        )
        self._ttl_ms = ttl_s * 1000

    def store(self, job_id: str, index: int, utterance: Utterance) -> None:
        """Keep what was heard in a segment."""
        message = recognize_segment(job_id, index)
        self._backend.store_result(message, msgspec.to_builtins(utterance), self._ttl_ms)

    def get(self, job_id: str, indices: Sequence[int]) -> dict[int, Utterance]:
        """What was heard in these segments; those whose result has expired are left out."""
        with self._client.pipeline(transaction=False) as pipe:
            for index in indices:
                pipe.lindex(keys.results(job_id) + str(index), 0)
            stored = cast("list[bytes | None]", pipe.execute())
        found = zip(indices, stored, strict=True)
        return {index: decode(result) for index, result in found if result is not None}


def decode(result: bytes) -> Utterance:
    """What was heard in a segment, from what the backend has stored."""
    return _utterances.decode(result)


def line(segment: Segment, reason: str, utterance: Utterance | None) -> Line:
    """A finished segment as a line of the transcript; `reason` is "" or why it failed."""
    if utterance is None:
        return Line(segment=segment, error=reason or "its result has expired")
    return Line(segment=segment, utterance=utterance)
