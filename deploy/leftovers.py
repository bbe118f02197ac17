"""Finds and ends processes of this checkout that no supervisord looks after any more."""

import itertools
from pathlib import Path
from typing import Final

import psutil

from deploy.paths import HOME, REDIS_CONF, REDIS_DIR

MODULES: Final = {
    "supervisor.supervisord",
    "deploy.redis_server",
    "api",
    "actors.segmenter",
    "actors.instance",
    "actors.courier",
    "monitoring.monitor",
}

#: How long a process may take to end its work before it is killed.
GRACE_S: Final = 30.0


def find(home: Path = HOME) -> list[psutil.Process]:
    """The processes that were started for the service of this checkout, and their children."""
    ours = [process for process in psutil.process_iter() if _belongs(process, home)]
    children = [child for process in ours for child in _children(process)]
    return list({process.pid: process for process in (*ours, *children)}.values())


def end(processes: list[psutil.Process]) -> None:
    """End them: supervisord at once, for it would restart the others; then, in turn, who needs whom.

    The API first, for the requests in hand need the workers; Redis last, for all need it.
    """
    for process in filter(_is_supervisord, processes):
        _send(process, kill=True)
    others = [process for process in processes if not _is_supervisord(process)]
    _end_gently([process for process in others if _is_api(process)])
    _end_gently([process for process in others if not _is_redis(process)])
    _end_gently(others)
    psutil.wait_procs(processes, timeout=GRACE_S)


def is_service(command: list[str], redis_conf: Path = REDIS_CONF) -> bool:
    """Whether a command line is one of those that the service consists of."""
    runs_module = any(flag == "-m" and module in MODULES for flag, module in itertools.pairwise(command))
    return runs_module or str(redis_conf) in command


def _belongs(process: psutil.Process, home: Path) -> bool:
    # All three must agree, so that nothing else that happens to carry our variables is ever touched.
    try:
        return (
            process.environ().get("QUINTET_HOME") == str(home)
            and Path(process.cwd()) in {home, REDIS_DIR}
            and is_service(process.cmdline())
        )
    except psutil.Error:
        return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _is_redis(process: psutil.Process) -> bool:
    return str(REDIS_CONF) in _command(process)


def _is_api(process: psutil.Process) -> bool:
    return ("-m", "api") in itertools.pairwise(_command(process))


def _is_supervisord(process: psutil.Process) -> bool:
    return "supervisor.supervisord" in _command(process)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _end_gently(processes: list[psutil.Process]) -> None:
    for process in processes:
        _send(process, kill=False)
    _, alive = psutil.wait_procs(processes, timeout=GRACE_S)
    for process in alive:
        _send(process, kill=True)


def _send(process: psutil.Process, *, kill: bool) -> None:
    try:
        if kill:
            process.kill()
        else:
            process.terminate()
    except psutil.NoSuchProcess:
        pass
