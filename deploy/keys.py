"""`keys add NAME | list | revoke NAME|ID`: who may use the service; a running one takes a change at once."""

import argparse
import datetime as dt
import re
import sys
from collections.abc import Sequence
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from actors import settings
from actors.access import key_file, secret
from actors.access.key_file import CALLER, StoredKey
from actors.errors import StartupError
from actors.settings import Settings, SettingsError
from actors.store.limits import Quota

#: What would be taken for the id of a key.
_LIKE_AN_ID: Final = re.compile(r"[0-9a-f]{8}")

_CLOSED: Final = """\
The first key: from now on the service asks everyone for one, and jobs handed in without one are out of reach.
It stays closed when all keys are revoked; docs/access.md says how it is opened again."""

_PAGE: Final = (
    "The web page is closed too: ASR_PUBLIC=page and ./justw restart show it, and it asks for a key."
)

_LAST: Final = "That was the last one. The service stays closed: ./justw keys add NAME"
_LAST_BUT_GIVEN: Final = "That was the last one but for those in ASR_API_KEYS, which are still let in."


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked for and return the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        match asked.command:
            case "add":
                wanted = {"uploads_per_minute": asked.uploads_per_minute, "jobs": asked.jobs}
                return _add(asked.name, msgspec.convert(wanted, Quota))
            case "revoke":
                return _revoke(asked.which)
            case _:
                return _list(settings.load())
    except (StartupError, SettingsError, msgspec.ValidationError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{key_file.KEY_FILE} cannot be written: {error.strerror}.", file=sys.stderr)
    return 1


def _add(name: str, quota: Quota) -> int:
    config = settings.load()
    first = not config.api_keys and not key_file.KEY_FILE.exists()
    made, key = key_file.add(name, quota)
    print(key)
    print(f"Key {made.id} of {name}: it is shown this once, and kept nowhere.", file=sys.stderr)
    if first:
        print(_CLOSED, file=sys.stderr)
        if "page" not in config.shown:
            print(_PAGE, file=sys.stderr)
    return 0


def _revoke(which: str) -> int:
    revoked = key_file.revoke(which)
    if not revoked:
        print(f"There is no key with the id {which}, nor one of a caller of that name.", file=sys.stderr)
        return 1
    for key in revoked:
        print(f"Revoked key {key.id} of {key.caller}.")
    if not key_file.read():
        print(_LAST_BUT_GIVEN if settings.load().api_keys else _LAST, file=sys.stderr)
    return 0


def _list(config: Settings) -> int:
    stored = key_file.read()
    if key_file.is_open(config):
        print("There are no keys: everyone who reaches the service may use it.")
        return 0
    table = Table("id", "caller", "made", "uploads a minute", "open jobs", box=None, header_style="bold")
    for key in stored or ():
        table.add_row(
            key.id, key.caller, _made(key), _limit(key.quota.uploads_per_minute), _limit(key.quota.jobs)
        )
    for name, key_itself in config.given_keys:
        id_ = secret.id_of(secret.digest(key_itself))
        table.add_row(id_, name or f"key-{id_}", "ASR_API_KEYS", "", "")
    if not table.row_count:
        print("There are no keys, and nobody is let in: ./justw keys add NAME")
        return 0
    Console(highlight=False).print(table)
    return 0


def _made(key: StoredKey) -> str:
    return f"{dt.datetime.fromtimestamp(key.created_ms / 1000).astimezone():%Y-%m-%d %H:%M}"


def _limit(most: int | None) -> str:
    """Empty where the setting for all keys holds."""
    return {None: "", 0: "any"}.get(most, str(most))


def _name(text: str) -> str:
    if not re.fullmatch(CALLER, text) or _LIKE_AN_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name: up to 40 letters, digits and . _ -, and not like the id of a key"
        )
    return text


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,7}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number; 0 is any number")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./justw keys", description="Who may use the service.")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make a key for a caller; it may have several")
    add.add_argument("name", type=_name, metavar="NAME", help="of the caller, as logs show it")
    add.add_argument(
        "--uploads-per-minute", type=_count, metavar="N", help="instead of ASR_KEY_UPLOADS_PER_MINUTE"
    )
    add.add_argument("--jobs", type=_count, metavar="N", help="that have not ended, instead of ASR_KEY_JOBS")
    commands.add_parser("list", help="show the keys, all but what is secret of them")
    revoke = commands.add_parser("revoke", help="end a key, or all keys of a caller")
    revoke.add_argument("which", metavar="NAME|ID")
    return parser


if __name__ == "__main__":
    sys.exit(main())
