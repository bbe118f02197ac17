"""What the instances heard, kept in Dramatiq's result backend until the job is assembled."""

from collections.abc import Sequence

import msgspec
import redis
from dramatiq.results import ResultMissing
from dramatiq.results.backends import RedisBackend

from actors.queue.messages import recognize_segment
from actors.records import Utterance


class SegmentResults:
    """Results by job and segment; storing one twice keeps the later.

    The actors store them, not Dramatiq's middleware: an exception of a middleware is only logged,
    so a result that could not be stored would be lost instead of tried again.
    """

    def __init__(self, client: redis.Redis, ttl_s: int) -> None:
        self._client = client
        self._backend = RedisBackend(client=client, namespace="asr:result", use_namespace_prefix_keys=True)
        self._ttl_ms = ttl_s * 1000

    def store(self, job_id: str, index: int, utterance: Utterance) -> None:
        """Keep what was heard in a segment."""
        message = recognize_segment(job_id, index)
        self._backend.store_result(message, msgspec.to_builtins(utterance), self._ttl_ms)

    def get(self, job_id: str, index: int) -> Utterance | None:
        """What was heard in a segment; None when the result has expired."""
        try:
            result = self._backend.get_result(recognize_segment(job_id, index))
        except ResultMissing:
            return None
        return msgspec.convert(result, Utterance)

    def forget(self, job_id: str, indices: Sequence[int]) -> None:
        """Drop the results of a job that has been assembled."""
        keys = [self._backend.build_message_key(recognize_segment(job_id, index)) for index in indices]
        if keys:
            self._client.unlink(*keys)
