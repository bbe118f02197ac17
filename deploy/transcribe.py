"""Transcribe a file with the running service: `python -m deploy.transcribe FILE [LANG] [FORMAT]`."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from actors.settings import SettingsError
from deploy import client
from deploy.client import NotServed

#: What is printed → the endpoint, and whether it is asked for details.
FORMATS = {"srt": ("/asr", "false"), "txt": ("/asr_simple", "false"), "json": ("/asr", "true")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the transcript to stdout and the statistics to stderr; return the exit status."""
    asked = _parser().parse_args(arguments)
    recording = asked.calling_folder / Path(asked.file).expanduser()
    path, details = FORMATS[asked.format]
    began_s = time.monotonic()
    try:
        answer = client.post(client.url(), path, recording, lang=asked.lang, details=details)
    except OSError as error:
        print(f"{recording} cannot be read: {error.strerror}.", file=sys.stderr)
        return 1
    except (NotServed, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the service goes on with the recording.", file=sys.stderr)
        return 130
    print(_shown(answer, asked.format))
    print(summary(answer["stats"], time.monotonic() - began_s), file=sys.stderr)
    return 0


def summary(stats: dict[str, float], took_s: float) -> str:
    """The statistics of an answer in a line."""
    failed = f", {stats['failed_segments']} failed" if stats["failed_segments"] else ""
    return f"{stats['successful_segments']} of {stats['total_segments']} segments{failed}, {took_s:.1f} s"


def _shown(answer: dict[str, object], wanted: str) -> str:
    if wanted == "json":
        return json.dumps(answer, ensure_ascii=False, indent=2)
    return str(answer["data"]).rstrip("\n")


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
