"""The courier: tells whoever handed a job in, at its callback, that it has ended.

Run as `python -m actors.courier`.
"""

import ssl
import sys
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import dramatiq
import structlog
from dramatiq.errors import Retry

from actors import clock_follower, logs, settings, worker
from actors.callbacks import event, signature
from actors.callbacks.address import is_public, resolve
from actors.callbacks.post import Sender, Undelivered
from actors.callbacks.target import Target, origin, parse, receiver
from actors.callbacks.turns import Turns
from actors.clock import now_ms
from actors.errors import BadOption, StartupError, reason
from actors.flusher import Flusher
from actors.life_sign import LifeSign
from actors.queue.messages import CALLBACK, deliver_callback
from actors.queue.slots import Slots
from actors.records import Job
from actors.store.callbacks import CallbackStore
from actors.store.connection import patient

#: Pauses before the second and each further try: 53 minutes together.
PAUSES_S: Final = (1, 5, 30, 120, 300, 900, 1800)

#: Callbacks delivered at the same time by one process.
THREADS: Final = 8

#: A try is put off by so much while the receiver is being tried as often as may be at once.
BUSY_MS: Final = 3_000

#: Of the statuses, those that mean it was taken, and the one that asks for no more.
_TAKEN: Final = range(200, 300)
_GONE: Final = 410

_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "Quintet", "Connection": "close"}

log = structlog.stdlib.get_logger()


class Undeliverable(Exception):
    """No further try will succeed."""


class Courier:
    """Delivers callbacks."""

    def __init__(
        self,
        config: settings.Settings,
        store: CallbackStore,
        *,
        pauses_s: Sequence[float] = PAUSES_S,
        sender: Sender | None = None,
        resolve: Callable[[str, int], list[IPv4Address | IPv6Address]] = resolve,
    ) -> None:
        self._config = config
        self._store = store
        self.pauses_s = pauses_s
        self._sender = sender or Sender(ssl.create_default_context())
        self._resolve = resolve
        self._turns = Turns()

    def deliver(self, job_id: str) -> int:
        """Try to tell of a job's end, if that is due, and its receiver is not too busy.

        Returns:
            The milliseconds after which to come again, for whoever came too early; else 0.

        Raises:
            Retry: it is to be tried again.
        """
        with self._turns.turn(receiver(self._store.url(job_id))) as free:
            match self._store.begin(job_id) if free else self._store.put_off(job_id, BUSY_MS):
                case int() as early_ms:
                    return early_ms
                case job:
                    self._deliver(job)
                    return 0

    def _deliver(self, job: Job) -> None:
        if job.callback_tries > len(self.pauses_s) + 1:
            self._end_tries(job, "no try has come to its end")
            return
        try:
            self._send(job, parse(job.callback or "", private=self._config.callback_private))
        except (BadOption, Undeliverable) as error:
            self._end_tries(job, str(error))
        except Undelivered as error:
            self._try_again(job, str(error))
        else:
            self._store.delivered(job.id)
            log.info("callback.delivered", **_about(job))

    def give_up(self, job_id: str, error: Exception) -> None:
        """Tell no more of a job: the message that asks for it is rejected."""
        log.error("callback.given_up", job=job_id, reason=reason(error))
        self._store.give_up(job_id, "an internal error")

    def _try_again(self, job: Job, why: str) -> None:
        if job.callback_tries > len(self.pauses_s):
            self._end_tries(job, why)
            return
        pause_ms = int(self.pauses_s[job.callback_tries - 1] * 1000)
        log.warning("callback.failed", **_about(job), reason=why, again_in_s=pause_ms / 1000)
        self._store.postpone(job.id, why, pause_ms)
        raise Retry(why, delay=pause_ms)

    def _end_tries(self, job: Job, why: str) -> None:
        log.warning("callback.given_up", **_about(job), reason=why)
        self._store.give_up(job.id, why)

    def _send(self, job: Job, target: Target) -> None:
        if not self._config.callback_secret:
            raise Undelivered("ASR_CALLBACK_SECRET is empty")
        body = event.body(job)
        key = signature.key(self._config.callback_secret)
        signed = signature.headers(key, job.id, now_ms() // 1000, body)
        status = self._sender.post(target, partial(self._addresses, target), _HEADERS | signed, body)
        if status == _GONE:
            raise Undeliverable("the receiver answered 410 Gone")
        if status not in _TAKEN:
            raise Undelivered(f"the receiver answered {status}")

    def _addresses(self, target: Target) -> list[IPv4Address | IPv6Address]:
        try:
            found = self._resolve(target.host, target.port)
        except OSError as error:
            raise Undelivered(f"{target.host} has no address: {error.strerror}") from error
        if not self._config.callback_private and not all(map(is_public, found)):
            raise Undeliverable(f"{target.host} leads to an address that is not public")
        return found


def actor(courier: Courier, broker: dramatiq.Broker) -> None:
    """Let a courier serve its queue; what fails is tried again as it says.

    A message that comes too early, and may be the only one that is left, comes again.
    """

    def deliver(job_id: str) -> None:
        early_ms = courier.deliver(job_id)
        if early_ms:
            # A message of its own: one that fails comes again only so often.
            broker.enqueue(deliver_callback(job_id), delay=early_ms)

    dramatiq.Actor(
        deliver,
        broker=broker,
        actor_name=CALLBACK,
        queue_name=CALLBACK,
        priority=0,
        options={"on_give_up": courier.give_up, "max_retries": len(courier.pauses_s)},
    )


def main() -> None:
    """Work until told to stop."""
    config = settings.load()
    logs.configure(config, "courier")
    LifeSign().start()
    clock_follower.follow(config)
    stop = worker.stop_requested()
    broker = worker.create_broker(config, Slots(THREADS))
    actor(Courier(config, CallbackStore(patient(config))), broker)
    with Flusher.of(config):
        worker.run(broker, CALLBACK, stop)


def _about(job: Job) -> dict[str, str | int]:
    """What the log says of a try: of the URL only what holds no secret."""
    return {"job": job.id, "to": origin(job.callback or ""), "tries": job.callback_tries}


if __name__ == "__main__":
    try:
        main()
    except (StartupError, settings.SettingsError) as error:
        sys.exit(f"courier cannot start: {error}")
