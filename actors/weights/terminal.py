"""What the weights' command line shows; rich is imported only when something is shown."""

import contextlib
from collections.abc import Iterable, Iterator

from actors import weights
from actors.weights import check
from actors.weights.manifest import Model
from actors.weights.progress import Progress


def show(models: Iterable[Model]) -> None:
    """Print a table of the models and whether they are on disk."""
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(Column("model", no_wrap=True), "state", "MB", "what", "licence")
    for model in models:
        size_mb = f"{model.size_bytes / 1e6:.1f}"
        table.add_row(model.name, _shown(model), size_mb, model.title, model.licence)
    Console().print(table)


def state(model: Model) -> str:
    """`on disk`, `missing` or `damaged`."""
    found = check.faults(model, weights.folder(model.name))
    if not found:
        return "on disk"
    if len(found) == len(model.files) and set(found.values()) == {check.Fault.MISSING}:
        return "missing"
    return "damaged"


def _shown(model: Model) -> str:
    found = state(model)
    return "not fetched (optional)" if model.optional and found == "missing" else found


@contextlib.contextmanager
def progress(name: str) -> Iterator[Progress]:
    """A line that shows a fetch getting on; nothing where the output is not a terminal."""
    from rich import progress as bars
    from rich.console import Console

    columns = ("{task.description}", bars.BarColumn(), bars.DownloadColumn(), bars.TimeElapsedColumn())
    console = Console(stderr=True)
    with bars.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as line:
        task = line.add_task(name, total=None)

        def update(what: str, done_bytes: int, total_bytes: int) -> None:
            line.update(task, description=f"{name}: {what}", completed=done_bytes, total=total_bytes or None)

        yield update
