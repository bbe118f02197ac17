"""The messages of the steps: who is to do what, by ids, and how long a segment is."""

from typing import Any, Final

from dramatiq import Message

from actors.clock import now_ms
from actors.records import Lane

#: The actors, and the stems of their queues.
SEGMENT: Final = "segment"
RECOGNIZE: Final = "recognize"

#: The actor that has a single queue, which is called the same.
CALLBACK: Final = "callback"


def queue(step: str, lane: Lane) -> str:
    """The queue of a step's lane."""
    return f"{step}-{lane}"


def queues(step: str) -> list[str]:
    """All queues of a step."""
    return [CALLBACK] if step == CALLBACK else [queue(step, lane) for lane in Lane]


def lane(queue_name: str) -> Lane:
    """The lane that a queue is; the only one of its step is like a short one."""
    return Lane.SHORT if queue_name == CALLBACK else Lane(queue_name.rpartition("-")[2])


def segment_job(job_id: str, lane: Lane) -> Message[Any]:
    """Cut this job's upload into segments."""
    return Message(
        queue_name=queue(SEGMENT, lane),
        actor_name=SEGMENT,
        args=(job_id, lane),
        kwargs={},
        options={},
        message_timestamp=now_ms(),
    )


def recognize_segment(job_id: str, index: int, lane: Lane = Lane.SHORT, audio_ms: int = 0) -> Message[Any]:
    """Recognise this segment, of that length; the same segment always has the same message id."""
    return Message(
        queue_name=queue(RECOGNIZE, lane),
        actor_name=RECOGNIZE,
        args=(job_id, index),
        kwargs={},
        options={"audio_ms": audio_ms},
        message_id=f"{job_id}-{index}",
        message_timestamp=now_ms(),
    )


def deliver_callback(job_id: str) -> Message[Any]:
    """Tell whoever handed this job in that it has ended."""
    return Message(
        queue_name=CALLBACK,
        actor_name=CALLBACK,
        args=(job_id,),
        kwargs={},
        options={},
        message_timestamp=now_ms(),
    )
