"""Tables of `bench`, as a run would make them."""

from loadtest.bench.rows import Bench, Found, Row, Size
from loadtest.records import Hardware


def bench(*rows: Row) -> Bench:
    """A table of these rows."""
    return Bench(
        version="1.2.3",
        commit="abcdef0",
        hardware=Hardware(cpu="a processor", cores=2, memory_mb=4096),
        command="./justw bench",
        size=Size.USUAL,
        began_ms=0,
        rows=rows,
    )


def row(name: str, **values: float) -> Row:
    """A row that was measured."""
    return Row(name=name, found=Found(values=values, how="by hand"), took_s=3)
