"""`status`: a table of the processes, and an exit status for scripts."""

import datetime as dt
from typing import Final

import psutil
from rich.console import Console
from rich.table import Table

from deploy import ask, leftovers, pool, running
from deploy.lines import Line, lines
from deploy.running import Running
from deploy.supervisor import Control, Process
from monitoring.health import HealthReport
from monitoring.statistics import JobProgress

#: As systemd and LSB scripts have it.
ALL_RUNNING: Final = 0
SOMETHING_WRONG: Final = 1
NOT_RUNNING: Final = 3


def status(console: Console) -> int:
    """Print how the service is and return one of the exit statuses above."""
    service = running.read()
    control = Control()
    if control.pid() is None:
        left = len(leftovers.find())
        console.print("Quintet is not running.")
        if left:
            console.print(f"{left} of its processes have lost their supervisor: ./justw stop ends them.")
        return NOT_RUNNING
    known = pool.health(service) if service else None
    shown = lines(control.processes(), known, service.node if service else "")
    console.print(_table(shown))
    if service:
        console.print(f"{_address(service)}: {_summary(known)}", soft_wrap=True)
        for job in _running(service.url) if service.url else ():
            console.print(_progress(job), soft_wrap=True)
    return ALL_RUNNING if all(line.good for line in shown) else SOMETHING_WRONG


def _table(shown: list[Line]) -> Table:
    table = Table("process", "pid", "state", "up", "memory", "", box=None, header_style="bold")
    for column in (1, 3, 4):
        table.columns[column].justify = "right"
    for line in shown:
        process = line.process
        pid = str(process.pid) if process.pid else ""
        table.add_row(process.name, pid, line.state, _uptime(process), _memory(process.pid), line.note)
    return table


def _address(service: Running) -> str:
    return service.url or f"{service.node or 'This host'}, at work for {pool.shown(service.redis_url)}"


def _summary(known: HealthReport | None) -> str:
    if known is None:
        return "does not answer"
    return f"{known.status}, {known.healthy_instances} of {known.total_instances} instances healthy"


def _running(url: str) -> tuple[JobProgress, ...]:
    known = ask.statistics(url)
    return known.running if known else ()


def _progress(job: JobProgress) -> str:
    so_far = "" if job.all_cut else " cut so far"
    return (
        f"job {job.job[:8]}: {job.finished_segments} of {job.segments} segments{so_far}, "
        f"{job.cut_s:.0f} s of audio, running for {job.running_s:.0f} s"
    )


def _uptime(process: Process) -> str:
    return str(dt.timedelta(seconds=process.now_s - process.started_s)) if process.pid else ""


def _memory(pid: int) -> str:
    """What a process and its children occupy."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)] if pid else []
        return f"{sum(member.memory_info().rss for member in family) / 2**20:.0f} MiB" if family else ""
    except psutil.Error:
        return ""
