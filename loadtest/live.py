"""Shows how a run goes: a bar with live figures on a terminal, else a line every ten seconds."""

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from loadtest.load import Progress

#: Between two lines.
LINE_S: Final = 10.0


class Live:
    """Shows progress; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bar = Bar(
            *columns,
            console=console,
            transient=True,
            refresh_per_second=2,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("")
        self._said_s = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, progress: Progress) -> None:
        """Show how far it is."""
        if self._console.is_terminal:
            self._bar.update(
                self._task, description=figures(progress), completed=progress.done, total=progress.total
            )
        elif progress.phase == "load" and progress.at_s - self._said_s >= LINE_S:
            self._said_s = progress.at_s
            of = "" if progress.total is None else f" of {progress.total}"
            line = f"{progress.at_s:.0f} s: {progress.done}{of}, {figures(progress)}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def figures(progress: Progress) -> str:
    """How it goes, in a line."""
    if progress.phase == "alone":
        return "each recording alone"
    rate = "" if progress.rate_per_s is None else f"at {progress.rate_per_s:.2f}/s: "
    latency = ""
    if progress.p50_s is not None and progress.p95_s is not None:
        latency = f", p50 {progress.p50_s:.2f} s, p95 {progress.p95_s:.2f} s"
    return (
        f"{rate}{progress.requests_per_s:.1f} requests/s, {progress.rtfx:.1f}x real time{latency}, "
        f"{progress.errors} errors, {progress.open} open"
    )
