"""The Lua scripts of the store, by name, each behind the parts that it shares with others."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from redis.client import Pipeline
from redis.commands.core import Script
from redis.exceptions import NoScriptError

from actors.records import SHORT_RECORDING_MS
from actors.store.keys import NOT_NAMED

_FOLDER: Final = Path(__file__).parent


_CONSTANTS: Final = f"""
local LONG_MS = {SHORT_RECORDING_MS}
local NOT_NAMED = "{NOT_NAMED}"
"""


def _script(*parts: str) -> str:
    return "\n".join((_CONSTANTS, *((_FOLDER / f"{part}.lua").read_text() for part in parts)))


MAY_ADMIT: Final = _script("backlog", "limits", "may_admit")
ADMIT: Final = _script("backlog", "limits", "admit")
ADD_CHUNK: Final = _script("add_chunk")
KEEP: Final = _script("keep")
ABANDON: Final = _script("backlog", "abandon")
BEGIN: Final = _script("server", "begin")
PROGRESS: Final = _script("backlog", "progress")
ADD_SEGMENT: Final = _script("backlog", "add_segment")
CLOSE_CUT: Final = _script("backlog", "cut_job", "server", "close_cut")
FINISH_SEGMENT: Final = _script("backlog", "cut_job", "finish_segment")
SWEEP: Final = _script("backlog", "sweep")
END_JOB: Final = _script("backlog", "end_job")
FORGET: Final = _script("forget")
BEGIN_CALLBACK: Final = _script("begin_callback")
SETTLE_CALLBACK: Final = _script("settle_callback")
OVERDUE_CALLBACKS: Final = _script("overdue_callbacks")


def run_behind(
    before: Callable[[Pipeline], None], script: Script, keys: Sequence[str], args: Sequence[str | int]
) -> Any:
    """What a script answers once the commands that `before` adds are done, all in one round trip.

    redis-py takes two for a script in a pipeline: first it asks whether Redis knows it.
    """
    client: Any = script.registered_client
    while True:
        with client.pipeline() as pipe:  # all or nothing: Redis may be out of memory for one of them
            before(pipe)
            pipe.evalsha(script.sha, len(keys), *keys, *args)
            try:
                return pipe.execute()[-1]
            except NoScriptError:
                client.script_load(script.script)
