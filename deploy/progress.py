"""Shows the processes while they come up: in place on a terminal, else a line per change."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.lines import Line


class Progress:
    """Show the newest lines; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None
        self._shown: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, lines: list[Line]) -> None:
        """Replace what is shown."""
        if self._live:
            self._live.update(_grid(lines))
            return
        for line in lines:
            note = f" ({line.note})" if line.note else ""
            text = f"{line.state}{note}"
            if self._shown.get(line.process.name) != text:
                self._console.print(f"{line.process.name}: {text}", markup=False, soft_wrap=True)
            self._shown[line.process.name] = text


def _grid(lines: list[Line]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for line in lines:
        mark = Text("✓", "green") if line.good else Text("·", "yellow")
        grid.add_row(mark, line.process.name, line.state, Text(line.note, "dim", overflow="ellipsis"))
    return grid
