"""The monitoring loop: every `ASR_MONITOR_INTERVAL_S` a snapshot, a judgement of alerts, a swept spool."""

import asyncio
import contextlib
import datetime as dt
import signal
import sys

import msgspec
import redis
import redis.asyncio
import structlog

from actors import clock_follower, logs, settings
from actors.clock import now_ms
from actors.errors import StartupError, reason
from actors.life_sign import show_life
from actors.names import expected
from actors.queue.broker import DoorbellBroker
from actors.queue.messages import CALLBACK, deliver_callback
from actors.store.callbacks import overdue
from actors.store.connection import prompt, prompt_broker, prompt_queues
from actors.store.jobs import sweep
from actors.store.watching import add_snapshot
from actors.store.workers import forget_gone
from monitoring import rules
from monitoring.alarm import Alarm
from monitoring.health import Health, HealthReport, assess
from monitoring.host import HostReader
from monitoring.looks import Look, compare, look
from monitoring.snapshot import Snapshot
from monitoring.snapshot_files import SnapshotFiles

log = structlog.stdlib.get_logger()
_encoder = msgspec.json.Encoder()


class Monitor:
    """Looks at the service; what cannot be had or written is logged, and the next look comes all the same."""

    def __init__(
        self,
        config: settings.Settings,
        client: redis.asyncio.Redis,
        queues_client: redis.asyncio.Redis,
        alarm: Alarm,
        files: SnapshotFiles,
    ) -> None:
        self._config = config
        self._client = client
        self._queues_client = queues_client
        self._alarm = alarm
        self._files = files
        self._host = HostReader(settings.STATE_DIR)
        self._before: Look | None = None

    async def look(self) -> None:
        """Take a snapshot, tell everybody who is to know, and free what abandoned uploads hold."""
        now, away = await self._look()
        config = self._config
        health = assess(now.pool, expected=expected(config), now_ms=now.at_ms)
        seen = compare(self._before, now, health, self._host.read())
        if not away:
            self._before = now
        seen = msgspec.structs.replace(seen, alerts=await self._alarm.judge(seen))
        await self._keep(seen)
        _log(seen, health, away, 0 if away else await self._sweep())
        await self._alarm.send()

    async def _look(self) -> tuple[Look, str]:
        """What Redis knows, or nothing, and why not."""
        try:
            return await look(self._client, self._queues_client), ""
        except redis.RedisError as error:
            return Look(at_ms=now_ms()), f"Redis does not answer ({reason(error)})"

    async def _sweep(self) -> int:
        try:
            await forget_gone(self._client)
            return await sweep(self._client)
        except redis.RedisError as error:
            log.warning("sweep.failed", reason=reason(error))
            return 0

    async def _keep(self, seen: Snapshot) -> None:
        line = _encoder.encode(seen)
        try:
            self._files.write(line, dt.datetime.fromtimestamp(seen.at_ms / 1000, dt.UTC))
        except OSError as error:
            log.warning("snapshot.unwritten", reason=reason(error))
        with contextlib.suppress(redis.RedisError):  # that it is away is logged already
            await add_snapshot(self._client, seen.at_ms, line)


async def watch(config: settings.Settings) -> None:
    """Look until told to stop.

    Raises:
        BadRules: the table of alerts cannot be read.
    """
    known = rules.load(config)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    alive = asyncio.create_task(show_life())
    broker = DoorbellBroker(prompt_broker(config))
    async with prompt(config) as client, prompt_queues(config) as queues_client:
        files = SnapshotFiles()
        monitor = Monitor(config, client, queues_client, Alarm(config, client, known), files)
        while not stop.is_set():
            try:
                await monitor.look()
                await remind(client, broker)
            except Exception as error:
                # Whatever it is: the next look comes all the same.
                log.exception("monitor.failed", reason=reason(error))
            try:
                await asyncio.wait_for(stop.wait(), config.monitor_interval_s)
            except TimeoutError:
                continue
        files.close()
    alive.cancel()


def _log(seen: Snapshot, health: HealthReport, away: str, freed_bytes: int) -> None:
    event = log.info if seen.health is Health.HEALTHY else log.warning
    event(
        "health.seen",
        status=seen.health,
        summary=sentence(seen, away),
        freed_bytes=freed_bytes,
        healthy=seen.healthy_instances,
        total=seen.total_instances,
        ill={} if away else _ill(health),
    )


def _ill(health: HealthReport) -> dict[str, str]:
    workers = (*health.health_details, *health.segmenters)
    return {worker.instance: worker.reason or worker.state for worker in workers if not worker.healthy}


def sentence(seen: Snapshot, away: str = "") -> str:
    """A snapshot for people, on a line; `away`: why nothing is known but how the machine is."""
    alerts = f", ALERTS {' '.join(seen.alerts)}" if seen.alerts else ""
    return f"{away or _work(seen)}, cpu {seen.cpu:.0%}{alerts}"


def _work(seen: Snapshot) -> str:
    latency = f", p95 {seen.latency_s.p95:.2f} s" if seen.latency_s else ""
    traffic = f"{seen.success_rate:.1%} ok{latency}" if seen.requests else "no requests"
    return (
        f"{seen.healthy_instances} of {seen.total_instances} instances, "
        f"{seen.queue.waiting_jobs} jobs waiting, {seen.queue.running_jobs} running, "
        f"{seen.requests_per_s:.2f} requests/s, {traffic}, {seen.rtfx:.1f} times real time"
    )


async def remind(client: redis.asyncio.Redis, broker: DoorbellBroker) -> None:
    """Ask again for the callbacks that nobody sees to, unless messages wait, which may be theirs."""
    try:
        if await asyncio.to_thread(broker.waiting, CALLBACK):
            return
        for job_id in await overdue(client):
            log.warning("callback.overdue", job=job_id)
            await asyncio.to_thread(broker.enqueue, deliver_callback(job_id))
    except redis.RedisError as error:
        log.warning("callback.overdue", reason=f"Redis does not answer: {error}")


if __name__ == "__main__":
    try:
        _settings = settings.load()
        logs.configure(_settings, "monitor")
        clock_follower.follow(_settings)
        asyncio.run(watch(_settings))
    except (StartupError, settings.SettingsError) as error:
        sys.exit(f"monitor cannot start: {error}")
