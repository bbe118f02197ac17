"""How what was measured, and how, is said."""

import re
from collections.abc import Iterator
from typing import Final

from loadtest.plan import Plan
from loadtest.records import Hardware, Run
from monitoring.axes import duration, local

#: The end of a name by which processes of a kind are told apart.
_NUMBER: Final = re.compile(r"[-:]?\d+$")


def heading(run: Run) -> str:
    """What the report is on."""
    at = local(run.began_ms)
    return f"Load test {run.plan.profile!r}, {at.day} {at:%b %Y %H:%M:%S %Z}"


def about(run: Run) -> Iterator[tuple[str, str]]:
    """The load, the service, the machine, and how long it took, each by its name."""
    service, hardware = run.service, run.hardware
    yield "load", load(run.plan)
    known = [
        service.url,
        service.model or "",
        f"version {service.version}" if service.version else "",
        f"{service.instances} instances" if service.instances else "",
        f"on {', '.join(dict.fromkeys(service.devices))}" if service.devices else "",
    ]
    yield "service", ", ".join(filter(None, known))
    parts = [hardware.cpu, f"{hardware.cores} cores", f"{hardware.memory_mb:,} MiB", *hardware.gpus]
    yield "machine", ", ".join(parts)
    yield "took", duration(run.took_s) + (", ended early" if run.interrupted else "")


def repeat(hardware: Hardware, command: str) -> str:
    """What a table was measured on, and how anybody else measures it."""
    machine = [f"{hardware.cores} cores of {hardware.cpu}", f"{hardware.memory_mb / 1024:.0f} GiB"]
    return f"Hardware: {', '.join([*machine, *hardware.gpus])}. Repeat it with `{command}`."


def load(plan: Plan) -> str:
    """What is sent, and when."""
    what = f"{plan.test_file or f'corpus {plan.corpus} (seed {plan.seed})'} to {plan.endpoint}"
    rest = f"{what}, language {plan.language}, timeout {duration(plan.timeout)}"
    if not plan.is_open:
        return (
            f"closed loop, {plan.concurrent_users} users, {plan.requests_per_user} requests each, "
            f"{duration(plan.delay_between_requests)} between them; {rest}"
        )
    arrivals = "evenly" if plan.even else "at random"
    rate = f"open loop, {plan.rate_per_s:.4g} requests/s {arrivals}"
    if plan.raise_by:
        limits = f"p95 {duration(plan.limit_p95_s)} or {share(plan.limit_errors)} errors"
        return f"{rate}, times {plan.raise_by:g} each {duration(plan.duration_s)} until {limits}; {rest}"
    return f"{rate} for {duration(plan.duration_s)}; {rest}"


def kind(process: str) -> str:
    """The name that processes of a kind have in common: instance-3 is an instance."""
    return _NUMBER.sub("", process) or process


def share(value: float) -> str:
    """A share (0 to 1) in percent."""
    shown = f"{value * 100:.4g}"
    return f"{shown if value == 1 or shown != '100' else '99.99'} %"


def number(value: float) -> str:
    """A number, with as many digits as matter."""
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"


def printable(text: str) -> str:
    """A text without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
