"""`plan`: how many instances, machines and Redis servers a load takes."""

import sys
from collections.abc import Sequence
from typing import Final

import msgspec
from rich.console import Console

from loadtest.capacity import options, table
from loadtest.capacity.demand import BadDemand
from loadtest.capacity.measured import BadFigures
from loadtest.capacity.sizing import plan

#: The exit status of what cannot be planned.
CANNOT_PLAN: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the plan and return the exit status."""
    try:
        asked = options.parse(arguments)
        found = plan(asked.wanted, asked.measured)
    except (BadDemand, BadFigures) as error:
        print(error, file=sys.stderr)
        return CANNOT_PLAN
    if asked.json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        table.show(found, Console(highlight=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
