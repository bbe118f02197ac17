"""The life of the service: `python -m deploy.service start | stop | restart [--rolling] | status | logs`."""

import argparse
import sys
from collections.abc import Callable, Sequence

from rich.console import Console

from actors import settings
from actors.access import key_file
from actors.errors import StartupError
from actors.settings import SettingsError
from deploy import logs
from deploy.log_files import NoSuchLog
from deploy.rolling import roll
from deploy.running import Running
from deploy.start import check, start
from deploy.status import status
from deploy.stop import stop
from monitoring.log_entries import LEVELS, LogFilter

NEXT_STEPS = """\

Quintet is ready at {url}
  ./justw transcribe FILE     transcribe a recording
  {url}/                      the web page
  curl -F file=@FILE {url}/asr
  ./justw status · ./justw logs -f · ./justw stop"""

NEXT_STEPS_WITH_A_KEY = """\

Quintet is ready at {url}, for those who have a key
  ./justw keys add NAME       make a key
  ./justw transcribe FILE     transcribe a recording
  {page}
  curl -H "Authorization: Bearer KEY" -F file=@FILE {url}/asr
  ./justw status · ./justw logs -f · ./justw stop"""

NEXT_STEPS_OF_A_PART = """\

Ready here: {parts}. The API of another host hands the work out.
  ./justw status · ./justw logs -f · ./justw restart --rolling · ./justw stop"""

PUBLIC_PAGE = "{url}/                      the web page, which asks for a key"
CLOSED_PAGE = "ASR_PUBLIC=page             would show the web page, which asks for a key"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    asked = _parser().parse_args(arguments)
    console = Console(highlight=False)
    command: Callable[[], int] = {
        "start": lambda: _start(console),
        "stop": lambda: _stop(console),
        "restart": lambda: _restart(console, rolling=asked.rolling),
        "status": lambda: status(console),
        "logs": lambda: _logs(asked, console),
    }[asked.command]
    try:
        return command()
    except (StartupError, SettingsError, NoSuchLog) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


def _start(console: Console) -> int:
    announce(start(console), console)
    return 0


def announce(service: Running, console: Console) -> None:
    """Print the address and what to do with it."""
    if not service.url:
        steps = NEXT_STEPS_OF_A_PART.format(parts=", ".join(service.parts))
        console.print(steps, markup=False, soft_wrap=True)
        return
    config = settings.load()
    steps = NEXT_STEPS if key_file.is_open(config) else NEXT_STEPS_WITH_A_KEY
    page = PUBLIC_PAGE if "page" in config.shown else CLOSED_PAGE
    console.print(
        steps.format(url=service.url, page=page.format(url=service.url)), markup=False, soft_wrap=True
    )


def _stop(console: Console) -> int:
    if not stop(console):
        console.print("Quintet is not running.")
    return 0


def _restart(console: Console, *, rolling: bool) -> int:
    if rolling:
        roll(console)
        return 0
    check(settings.load())  # before a service that works is stopped for settings that do not
    stop(console)
    return _start(console)


def _logs(asked: argparse.Namespace, console: Console) -> int:
    wanted = LogFilter(level=asked.level, process=asked.process or asked.name, job=asked.job)
    logs.show(logs.Asked(wanted=wanted, follow=asked.follow, raw=asked.json), console)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./justw", description="The life of the service.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("start", "stop", "status"):
        commands.add_parser(name)
    of_restart = commands.add_parser("restart")
    of_restart.add_argument(
        "--rolling", action="store_true", help="the workers, one after the other, while the others go on"
    )
    of_logs = commands.add_parser("logs")
    of_logs.add_argument("-f", "--follow", action="store_true", help="go on as they grow")
    of_logs.add_argument(
        "--job", default="", metavar="ID", help="of this job; its first characters are enough"
    )
    of_logs.add_argument("--level", default="debug", choices=LEVELS, help="of at least this level")
    of_logs.add_argument("--process", default="", metavar="NAME", help="as NAME")
    of_logs.add_argument("--json", action="store_true", help="as it was logged")
    of_logs.add_argument(
        "name", nargs="?", default="", metavar="NAME", help="api, segmenter-1, instance, …; all without it"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
