"""The Litestar application: routes, wiring, and nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import redis.asyncio
from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import Provide

from actors.life_sign import show_life
from actors.names import expected
from actors.queue.sender import Sender
from actors.settings import Settings
from actors.store.connection import prompt, prompt_queues
from actors.store.following import JobFollower
from actors.store.jobs import JobStore
from actors.store.limits import Limits
from actors.store.sentinel_url import is_sentinel
from api import docs, jobs, monitoring, openai, web_page
from api.asr import asr, asr_simple
from api.callers import SECURITY, Caller, Callers, caller_of, known_caller
from api.cancellation import end
from api.error_answers import answer_asr, answer_problem
from api.events import JobListener
from api.form_guard import GuardedRequest
from api.instances import InstancePool
from api.intake import FORM_OVERHEAD_BYTES, Recognizer
from api.log_listener import LogListener
from api.log_stream import logs
from api.operations import health, live, ready, stats
from api.origins import Names, own_name, own_page

VERSION: Final = "0.1.0"


def create_app(settings: Settings, callers: Callers) -> Litestar:
    """The application; it connects to Redis when it starts, not before."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with prompt(settings) as client, prompt_queues(settings) as queues_client:
            app.state.recognizer = recognizer = _wire(settings, client, queues_client)
            app.state.log_listener = log_listener = LogListener(client)
            listeners = (recognizer.listener.listen(), log_listener.listen())
            tasks = [asyncio.create_task(one) for one in (*listeners, show_life())]
            try:
                yield
            finally:
                await end(*tasks)

    max_body_bytes = (settings.max_upload_mb << 20) + FORM_OVERHEAD_BYTES
    uploads = Router(
        path="/",
        route_handlers=[asr, asr_simple],
        exception_handlers={Exception: answer_asr},
        guards=[known_caller],
        security=SECURITY,
        request_class=GuardedRequest,
        request_max_body_size=max_body_bytes,
    )
    return Litestar(
        route_handlers=[
            uploads,
            jobs.router(max_body_bytes),
            openai.router(max_body_bytes),
            health,
            live,
            ready,
            stats,
            logs,
            monitoring.router(),
            docs.assets(),
            web_page.router(),
        ],
        lifespan=[lifespan],
        state=State({"callers": callers, "names": Names(settings)}),
        exception_handlers={Exception: answer_problem},
        guards=[own_page, own_name],
        dependencies={
            "recognizer": Provide(_recognizer, sync_to_thread=False),
            "pool": Provide(_pool, sync_to_thread=False),
            "log_listener": Provide(_log_listener, sync_to_thread=False),
            "caller": Provide(_caller, sync_to_thread=False),
        },
        openapi_config=docs.openapi(VERSION),
        logging_config=None,
    )


def _wire(settings: Settings, client: redis.asyncio.Redis, queues_client: redis.asyncio.Redis) -> Recognizer:
    store = JobStore(
        client,
        result_ttl_s=settings.result_ttl_s,
        limits=Limits.of(settings),
        copied=is_sentinel(settings.redis_url),
    )
    return Recognizer(
        settings,
        store,
        JobFollower(client),
        Sender(queues_client),
        JobListener(client, store),
        InstancePool(client, queues_client, expected=tuple(expected(settings))),
    )


def _recognizer(state: State) -> Recognizer:
    recognizer: Recognizer = state.recognizer
    return recognizer


def _log_listener(state: State) -> LogListener:
    listener: LogListener = state.log_listener
    return listener


def _caller(request: Request[Any, Any, State]) -> Caller:
    return caller_of(request)


def _pool(state: State) -> InstancePool:
    return _recognizer(state).pool
