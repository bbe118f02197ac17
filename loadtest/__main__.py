"""`loadtest [PROFILE] [name=value …]`: how much this installation can take, how fast, and what limits it."""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from actors.settings import SettingsError
from deploy import client
from deploy.client import NotServed
from loadtest import conditions, corpus, load, options, report
from loadtest.figures import figures
from loadtest.live import Live
from loadtest.options import Asked
from loadtest.plan import BadPlan, Plan, plan
from loadtest.report import BadReport, files

#: The exit statuses besides 0.
CONDITION_HOLDS: Final = 1
CANNOT_RUN: Final = 2
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run or compare, print the outcome, and return the exit status."""
    try:
        asked = options.parse(arguments)
        if asked.compare:
            return _compare(*asked.compare, asked.out)
        return _run(asked)
    except (BadPlan, BadReport, NotServed, SettingsError) as error:
        print(error, file=sys.stderr)
        return CANNOT_RUN
    except OSError as error:
        print(error, file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        print("Interrupted before it began.", file=sys.stderr)
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - a status of 1 says that a condition holds
        traceback.print_exc()
        return CANNOT_RUN


def _compare(before: Path, after: Path, folder: Path) -> int:
    found = report.difference(before, after, folder)
    print(found.text)
    print(found.html)
    return 0


def _run(asked: Asked) -> int:
    limits = conditions.parse(asked.fail_if) if asked.fail_if else ()
    wanted = plan(asked.profile, asked.changes, asked.profiles)
    url = wanted.api_url.rstrip("/") or client.url()
    wanted = msgspec.structs.replace(wanted, api_url=url)
    recordings = (
        corpus.folder(Path(wanted.test_file))
        if wanted.test_file
        else corpus.recordings(wanted.corpus, wanted.seed)
    )
    files.check(asked.out)
    with Live(Console(stderr=True)) as live:
        run = load.run(wanted, recordings, live.tell, _headers(wanted, asked.key))
    found = figures(run)
    written = report.write(run, found, asked.out)
    print(written.text.read_text(encoding="utf-8"))
    for path in (written.json, written.text, written.html):
        print(path)
    broken = conditions.broken(limits, found)
    for sentence in broken:
        print(sentence, file=sys.stderr)
    if run.interrupted:
        return INTERRUPTED
    return CONDITION_HOLDS if broken else 0


def _headers(wanted: Plan, key: str) -> dict[str, str]:
    """Who asks: the key that was given, or that of this checkout for its own service, and no other."""
    if key:
        return {"Authorization": f"Bearer {key}"}
    return client.authorization() if wanted.api_url == client.url() else {}


if __name__ == "__main__":
    sys.exit(main())
