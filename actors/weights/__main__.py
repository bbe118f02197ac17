"""The command line: `python -m actors.weights [fetch [NAME…]]`."""

import argparse
import sys

from actors.errors import StartupError
from actors.weights import manifest, needed, terminal


def main() -> int:
    """List the models, or fetch those named, or what the settings need; 1 if one could not be had."""
    parser = argparse.ArgumentParser(prog="./justw models", description="The weights on this machine.")
    commands = parser.add_subparsers(dest="command", metavar="fetch")
    fetching = commands.add_parser("fetch", help="fetch what is missing or damaged")
    fetching.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="models of the manifest; if none is named, what ASR_MODEL needs",
    )
    arguments = parser.parse_args()
    if arguments.command is None:
        terminal.show(manifest.read().values())
        return 0
    return _fetch(arguments.names)


def _fetch(names: list[str]) -> int:
    try:
        for name in names:
            needed.fetch(name)
        if not names:
            needed.fetch_needed()
    except StartupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
