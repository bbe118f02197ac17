"""The monitoring loop: every `ASR_MONITOR_INTERVAL_S` it logs the health and sweeps the spool."""

import asyncio
import signal
import sys

import redis
import redis.asyncio
import structlog

from actors import logs, settings
from actors.clock import now_ms
from actors.errors import StartupError
from actors.queue.broker import DoorbellBroker
from actors.queue.messages import deliver_callback
from actors.store.callbacks import overdue
from actors.store.connection import prompt, prompt_broker
from actors.store.jobs import sweep
from actors.store.workers import read_pool
from monitoring.health import Health, assess

log = structlog.stdlib.get_logger()


async def watch(config: settings.Settings) -> None:
    """Look and log until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client, broker = prompt(config), DoorbellBroker(prompt_broker(config))
    async with client:
        while not stop.is_set():
            await look(client, config)
            await remind(client, broker)
            try:
                await asyncio.wait_for(stop.wait(), config.monitor_interval_s)
            except TimeoutError:
                continue


async def look(client: redis.asyncio.Redis, config: settings.Settings) -> None:
    """Log how the service is now, and free what abandoned uploads hold."""
    try:
        pool = await read_pool(client, now_ms())
        freed_bytes = await sweep(client)
    except redis.RedisError as error:
        log.warning("health", status=Health.UNHEALTHY, reason=f"Redis does not answer: {error}")
        return
    report = assess(pool, instances=config.instances, segmenters=config.segmenters, now_ms=now_ms())
    event = log.info if report.status is Health.HEALTHY else log.warning
    event(
        "health",
        status=report.status,
        freed_bytes=freed_bytes,
        healthy=report.healthy_instances,
        total=report.total_instances,
        ill={
            w.instance: w.reason or w.state
            for w in (*report.health_details, *report.segmenters)
            if not w.healthy
        },
    )


async def remind(client: redis.asyncio.Redis, broker: DoorbellBroker) -> None:
    """Ask again for the callbacks that nobody sees to."""
    try:
        for job_id in await overdue(client):
            log.warning("callback.overdue", job=job_id)
            await asyncio.to_thread(broker.enqueue, deliver_callback(job_id))
    except redis.RedisError as error:
        log.warning("callback.overdue", reason=f"Redis does not answer: {error}")


if __name__ == "__main__":
    try:
        _settings = settings.load()
        logs.configure(_settings, "monitor")
        asyncio.run(watch(_settings))
    except (StartupError, settings.SettingsError) as error:
        sys.exit(f"monitor cannot start: {error}")
