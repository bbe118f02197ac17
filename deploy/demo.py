"""Shows the service at work: one English and one Chinese sample, through HTTP."""

import importlib.metadata
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.rule import Rule

from actors import settings
from actors.access import key_file
from actors.errors import StartupError
from actors.settings import SettingsError
from deploy import client
from deploy.client import Client, NotServed
from deploy.start import start
from deploy.transcribe import summary

#: Speech and reference texts that come with the package pytest-audioeval (MIT).
PACKAGE: Final = "pytest-audioeval"
FOLDER: Final = "pytest_audioeval/samples/audio"
SAMPLES: Final = (("English", "en", "quick_brown_fox"), ("Chinese", "zh", "nihao_shijie"))


def main() -> int:
    """Start the service if it is down and transcribe the samples; return the exit status."""
    console = Console(highlight=False)
    try:
        start(console)
        url = client.url()
        with Client(url) as service:
            for title, lang, name in SAMPLES:
                _show(console, service, title, lang, sample(lang, name))
            _show_instances(console, service)
    except (StartupError, SettingsError, NotServed) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    _show_next(console, url, sample("en", "quick_brown_fox"))
    return 0


def sample(lang: str, name: str) -> Path:
    """A recording of the package; its reference text lies beside it as `.txt`."""
    folder = Path(str(importlib.metadata.distribution(PACKAGE).locate_file(FOLDER)))
    return folder / lang / f"{name}.wav"


def _show(console: Console, service: Client, title: str, lang: str, recording: Path) -> None:
    began_s = time.monotonic()
    answer = service.upload("/asr", recording, lang=lang)
    took_s = time.monotonic() - began_s
    reference = recording.with_suffix(".txt").read_text(encoding="utf-8").strip()
    console.print(Rule(f"{title}: {recording.name}", align="left"))
    console.print(answer["data"].rstrip("\n"), markup=False)
    console.print(f"reference: {reference}", style="dim", markup=False)
    stats = answer["stats"]
    line = summary(stats["total_segments"], stats["successful_segments"], took_s)
    console.print(line, style="dim", markup=False)


def _show_instances(console: Console, service: Client) -> None:
    health, pool = service.get("/health"), service.get("/stats")["model_pool_stats"]
    console.print(Rule("Instances", align="left"))
    console.print(
        f"total_instances {health['total_instances']}, {health['healthy_instances']} healthy, "
        f"{pool['successful_requests']} of {pool['total_requests']} segments recognised"
    )
    for instance in health["health_details"]:
        console.print(
            f"  {instance['instance']}: {instance['state']}, {instance['model']}, {instance['device']}",
            markup=False,
        )


def _show_next(console: Console, url: str, recording: Path) -> None:
    console.print(Rule("Go on", align="left"))
    is_open = key_file.is_open(settings.load())
    header = "" if is_open else "-H 'Authorization: Bearer KEY' "
    lines = (
        f"curl {header}-F file=@{shlex.quote(os.path.relpath(recording))} -F lang=en {url}/asr",
        "./justw transcribe FILE        a recording of yours",
        f"{url}/         the web page" if is_open else "./justw keys add NAME          a key",
        f"{url}/docs     every endpoint",
        "./justw stop                   stop the service",
        "docs/README.md                 all that it can do, and how to run it",
    )
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
