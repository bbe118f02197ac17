"""The command line: `python -m actors.weights [fetch [NAME…]]`."""

import argparse
import sys

from actors import weights
from actors.errors import StartupError
from actors.weights import check, manifest, terminal


def main() -> int:
    """List the models, or fetch those named, or all that are not optional; 1 if one could not be had."""
    parser = argparse.ArgumentParser(
        prog="python -m actors.weights", description="The weights on this machine."
    )
    commands = parser.add_subparsers(dest="command", metavar="fetch")
    fetching = commands.add_parser("fetch", help="fetch what is missing or damaged")
    fetching.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="models of the manifest; if none is named, what a default installation needs",
    )
    arguments = parser.parse_args()
    if arguments.command is None:
        terminal.show(manifest.read().values())
        return 0
    return _fetch(arguments.names or _needed())


def _needed() -> list[str]:
    return [model.name for model in manifest.read().values() if not model.optional]


def _fetch(names: list[str]) -> int:
    try:
        for name in names:
            # Asked first, because the terminal's progress line is slow to import.
            if check.faults(manifest.model(name), weights.folder(name)):
                with terminal.progress(name) as progress:
                    weights.fetch(name, progress)
    except StartupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
