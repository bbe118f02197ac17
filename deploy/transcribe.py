"""Transcribe a file with the running service: `python -m deploy.transcribe FILE [LANG] [FORMAT]`."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from actors.settings import SettingsError
from deploy import client
from deploy.client import Client, NotServed, Refusal

FORMATS: Final = ("srt", "vtt", "tsv", "txt", "json")
ENDED: Final = {"done", "failed", "cancelled"}

#: Pause before the second look at the job; each is longer than the one before, up to the last.
LOOK_S: Final = 0.1
LONGER: Final = 1.1
LONGEST_LOOK_S: Final = 1.0

UNAVAILABLE: Final = 503


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the transcript to stdout and how it went to stderr; return the exit status."""
    asked = _parser().parse_args(arguments)
    recording = asked.calling_folder / Path(asked.file).expanduser()
    began_s = time.monotonic()
    try:
        with Client(client.url()) as service:
            job = service.upload("/jobs", recording, lang=asked.lang)
            job = _wait(service, job)
            result = service.text(f"/jobs/{job['id']}/result", format=asked.format)
    except OSError as error:
        print(f"{recording} cannot be read: {error.strerror}.", file=sys.stderr)
        return 1
    except (NotServed, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    print(_shown(result, asked.format))
    counts = job["segments"]
    print(
        summary(counts["total"], counts["total"] - counts["failed"], time.monotonic() - began_s),
        file=sys.stderr,
    )
    return 0


def summary(total: int, successful: int, took_s: float) -> str:
    """How the segments of a recording fared, in a line."""
    failed = f", {total - successful} failed" if total > successful else ""
    return f"{successful} of {total} segments{failed}, {took_s:.1f} s"


def _wait(service: Client, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it has ended; an interrupt cancels it."""
    with _bar() as progress:
        task = progress.add_task("", total=None)
        pause_s = LOOK_S
        try:
            while job["state"] not in ENDED:
                _show(progress, task, job)
                time.sleep(pause_s)
                pause_s = min(pause_s * LONGER, LONGEST_LOOK_S)
                job = _look(service, job)
        except KeyboardInterrupt:
            service.delete(f"/jobs/{job['id']}")
            raise
    return job


def _look(service: Client, job: dict[str, Any]) -> dict[str, Any]:
    """The job as it is now; as it was, while the service has lost its Redis."""
    try:
        return service.get(f"/jobs/{job['id']}")
    except Refusal as refusal:
        if refusal.status != UNAVAILABLE:
            raise
        time.sleep(1)
        return job


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _show(progress: Progress, task: Any, job: dict[str, Any]) -> None:
    counts, audio = job["segments"], job["audio"]
    line = f"{job['state']}, {counts['finished']} of {counts['total']} segments"
    if job["position"]:
        line = f"waiting, number {job['position']}"
    progress.update(task, description=line, completed=audio["done_s"], total=audio["total_s"])


def _shown(result: str, wanted: str) -> str:
    if wanted == "json":
        return json.dumps(json.loads(result), ensure_ascii=False, indent=2)
    return result.rstrip("\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./justw transcribe", description="Transcribe a recording.")
    parser.add_argument(
        "--from", dest="calling_folder", type=Path, default=Path.cwd(), help=argparse.SUPPRESS
    )
    parser.add_argument("file", help="the recording")
    parser.add_argument(
        "lang", nargs="?", default="auto", help="auto, zh, en, ja, ko, yue; or a tag or name, such as zh-TW"
    )
    parser.add_argument("format", nargs="?", default="srt", choices=FORMATS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
