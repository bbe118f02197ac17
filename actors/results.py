"""What the instances heard, kept in Dramatiq's result backend until the job ends."""

from typing import Any

import msgspec
from dramatiq.results.backends.redis import RedisBackend
from redis.client import Pipeline
from typing_extensions import override

from actors.queue.messages import recognize_segment
from actors.records import Line, Segment, Utterance
from actors.store import keys

_utterances = msgspec.json.Decoder(Utterance)


class _PipedBackend(RedisBackend):
    """Dramatiq's backend, which leaves it to the owner of a pipeline when to store."""

    def __init__(self, pipe: Pipeline) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            client=pipe, namespace=keys.RESULT_NAMESPACE, use_namespace_prefix_keys=True
        )

    @override
    def _store(self, message_key: str, result: Any, ttl: int) -> None:
        self.client.delete(message_key)
        self.client.lpush(message_key, self.encoder.encode(result))
        self.client.pexpire(message_key, ttl)


def store(pipe: Pipeline, job_id: str, index: int, utterance: Utterance, ttl_s: int) -> None:
    """Keep what was heard in a segment as soon as the pipeline is executed; of two the later is kept.

    Not Dramatiq's middleware does it: an exception of a middleware is only logged, so a result that could
    not be stored would be lost instead of tried again. The scripts that end a job drop its results, and that
    of a segment whose job has ended meanwhile.
    """
    message = recognize_segment(job_id, index)
    _PipedBackend(pipe).store_result(message, msgspec.to_builtins(utterance), ttl_s * 1000)


def line(segment: Segment, reason: bytes, stored: bytes | None) -> Line:
    """A finished segment as a line of the transcript.

    `reason` is empty or why it failed; `stored` what the backend has of it, if it has not expired.
    """
    if reason:
        return Line(segment=segment, error=reason.decode())
    if stored is None:
        return Line(segment=segment, error="its result has expired")
    return Line(segment=segment, utterance=_utterances.decode(stored))
