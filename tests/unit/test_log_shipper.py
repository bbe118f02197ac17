"""A process never waits for its log, whatever Redis does."""

import logging
import threading
from collections.abc import Iterator
from typing import Any, Self

import pytest
import redis

from actors import log_shipper
from actors.log_shipper import MOST_WAITING, LogShipper
from tests.integration.queue_worker import await_that


class FakeRedis:
    """Answers when it is told to, with or without an error."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = threading.Semaphore(0)
        self.answers = threading.Semaphore(0)
        self.sent: list[str] = []
        self._batch: list[str] = []

    def pipeline(self, *, transaction: bool) -> "FakeRedis":  # noqa: ARG002
        """It is its own pipeline."""
        return self

    def __enter__(self) -> Self:
        self._batch = []
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def xadd(self, _: str, fields: dict[bytes, str], **__: Any) -> None:
        """Remember it until it is executed."""
        self._batch += fields.values()

    def execute(self) -> None:
        """Wait until an answer is allowed."""
        self.asked.release()
        self.answers.acquire()
        if self.error:
            raise self.error
        self.sent += self._batch

    def answer(self, error: Exception | None = None) -> None:
        """Answer the next question, once it is asked."""
        self.asked.acquire()
        self.error = error
        self.answers.release()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRedis:
    """A Redis, and hardly a pause between two round trips."""
    monkeypatch.setattr(log_shipper, "PAUSE_S", 0.001)
    monkeypatch.setattr(log_shipper, "AWAY_PAUSE_S", 0.001)
    return FakeRedis()


@pytest.fixture
def shipper(fake: Any) -> Iterator[LogShipper]:
    """A shipper on it."""
    shipper = LogShipper(fake)
    yield shipper
    fake.error = None
    fake.answers.release(1000)
    shipper.close()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the shipper says of itself."""
    said: dict[str, Any] = {}

    class Log:
        def warning(self, event: str, **fields: Any) -> None:
            said[event] = fields

    monkeypatch.setattr(log_shipper, "log", Log())
    return said


def emit(shipper: LogShipper, *texts: str) -> None:
    """Log these."""
    for text in texts:
        shipper.handle(logging.LogRecord("quintet", logging.INFO, "", 0, text, (), None))


def test_events_are_sent_in_order(shipper: LogShipper, fake: FakeRedis) -> None:
    """Those that come while Redis is asked go together in the next batch."""
    emit(shipper, "1")
    fake.asked.acquire()
    emit(shipper, "2", "3")
    fake.answers.release()
    fake.answer()
    shipper.close()

    assert fake.sent == ["1", "2", "3"]


def test_nothing_is_lost_while_redis_is_away_for_a_moment(shipper: LogShipper, fake: FakeRedis) -> None:
    """What could not be sent is sent when it is back, and only once."""
    emit(shipper, "1")
    fake.answer(redis.ConnectionError("away"))
    emit(shipper, "2")
    fake.answer(redis.TimeoutError("still"))
    fake.answer()
    fake.answer()
    shipper.close()

    assert fake.sent == ["1", "2"]


def test_too_many_are_dropped_and_counted(shipper: LogShipper, fake: FakeRedis, told: dict[str, Any]) -> None:
    """Redis hangs, the process logs on without waiting; how many are missing is said once it answers."""
    emit(shipper, "first")
    fake.asked.acquire()
    emit(shipper, *map(str, range(MOST_WAITING + 7)))
    fake.answers.release()
    fake.asked.acquire()

    assert told == {"logs.dropped": {"events": 7}}


def test_what_redis_refuses_is_dropped(shipper: LogShipper, fake: FakeRedis, told: dict[str, Any]) -> None:
    """A batch that it will never take does not stand in the way of the next."""
    emit(shipper, "1")
    fake.answer(redis.ResponseError("WRONGTYPE"))
    emit(shipper, "2")
    fake.answer()
    await_that(lambda: "logs.dropped" in told)
    shipper.close()

    assert fake.sent == ["2"]
    assert told == {"logs.refused": {"reason": "WRONGTYPE"}, "logs.dropped": {"events": 1}}


def test_a_refusal_is_told_once(shipper: LogShipper, fake: FakeRedis, told: dict[str, Any]) -> None:
    """What is said of it is refused too, and must not lead to more being said."""
    for number in range(3):
        emit(shipper, str(number))
        fake.answer(redis.ResponseError(f"MISCONF {number}"))

    assert told == {"logs.refused": {"reason": "MISCONF 0"}}


def test_the_end_is_not_held_up(
    shipper: LogShipper, fake: FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Redis that does not answer keeps no process from ending."""
    monkeypatch.setattr(log_shipper, "LAST_WORDS_S", 0.01)
    emit(shipper, "1")
    fake.asked.acquire()

    shipper.close()

    assert fake.sent == []


def test_what_the_sending_itself_logs_is_not_sent(shipper: LogShipper, fake: FakeRedis) -> None:
    """It would be sent, and logged again, for ever."""
    record = logging.LogRecord("redis", logging.INFO, "", 0, "sending", (), None)
    record.thread = shipper._thread.ident
    shipper.handle(record)
    emit(shipper, "1")
    fake.answer()
    shipper.close()

    assert fake.sent == ["1"]
