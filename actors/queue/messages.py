"""The messages of the two steps: who is to do what, by ids only."""

from typing import Any, Final

from dramatiq import Message

from actors.records import Lane

#: The actors, and the stems of their queues.
SEGMENT: Final = "segment"
RECOGNIZE: Final = "recognize"


def queue(step: str, lane: Lane) -> str:
    """The queue of a step's lane."""
    return f"{step}-{lane}"


def queues(step: str) -> list[str]:
    """Both queues of a step."""
    return [queue(step, lane) for lane in Lane]


def lane(queue_name: str) -> Lane:
    """The lane that a queue is."""
    return Lane(queue_name.rpartition("-")[2])


def segment_job(job_id: str, lane: Lane) -> Message[Any]:
    """Cut this job's upload into segments."""
    return Message(
        queue_name=queue(SEGMENT, lane), actor_name=SEGMENT, args=(job_id, lane), kwargs={}, options={}
    )


def recognize_segment(job_id: str, index: int, lane: Lane = Lane.SHORT) -> Message[Any]:
    """Recognise this segment; the same segment always has the same message id."""
    return Message(
        queue_name=queue(RECOGNIZE, lane),
        actor_name=RECOGNIZE,
        args=(job_id, index),
        kwargs={},
        options={},
        message_id=f"{job_id}-{index}",
    )
