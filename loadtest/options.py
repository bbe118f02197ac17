"""The command line of the load test."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, get_args

from msgspec import Struct

from actors import settings
from actors.records import Language
from deploy.paths import HOME
from loadtest.plan import PROFILES, BadPlan, Endpoint

#: Who asks, where it is another's service; kept from the reports.
KEY: Final = settings.LOADTEST_KEY

#: Value of the plan → what it means; each is an option.
OPTIONS: Final = {
    "api_url": "the service; without it, that of this checkout",
    "endpoint": ", ".join(Endpoint),
    "language": ", ".join(get_args(Language)),
    "test_file": "a recording of yours, or a folder of them, instead of the corpus",
    "corpus": "short, long or mixed",
    "seed": "of the corpus, the order and the arrivals",
    "timeout": "of each request, in seconds",
    "serial_texts": "whether each recording is first sent alone, so that its text is known",
    "concurrent_users": "closed loop: how many send",
    "requests_per_user": "closed loop: how many requests each sends",
    "delay_between_requests": "closed loop: seconds from an answer to the next request",
    "rate_per_s": "open loop: requests a second, whatever the answers do",
    "duration_s": "open loop: for how long; where the rate is raised, at each rate",
    "even": "open loop: at even distances, not at random",
    "raise_by": "the factor by which the rate is raised until a limit breaks",
    "limit_p95_s": "the limit of the 95th percentile of the latency",
    "limit_errors": "the limit of the share of errors",
}


class Asked(Struct, frozen=True, kw_only=True):
    """What was asked for on the command line."""

    profile: str
    profiles: Path
    #: Values of the plan, as they were typed.
    changes: dict[str, Any]
    fail_if: str
    out: Path
    key: str
    compare: tuple[Path, Path] | None


def parse(arguments: Sequence[str] | None = None) -> Asked:
    """Read the command line; `name=value` means `--name value`.

    Raises:
        BadPlan: a word is neither an option nor a profile.
        SystemExit: as argparse has it.
    """
    said = _parser().parse_intermixed_args(arguments)
    here: Path = said.calling_folder
    changes = {name: value for name in OPTIONS if (value := getattr(said, name)) is not None}
    profiles = []
    for word in said.words:
        typed, equals, value = word.partition("=")
        name = typed.replace("-", "_")
        if not equals:
            profiles.append(word)
        elif name in OPTIONS:
            changes[name] = value
        else:
            raise BadPlan(f"there is no option {typed!r}; there are {', '.join(OPTIONS)}")
    if len(profiles) > 1:
        raise BadPlan(f"one profile at a time, not {' and '.join(profiles)}")
    if changes.get("test_file"):
        changes["test_file"] = str(here / Path(changes["test_file"]).expanduser())
    return Asked(
        profile=profiles[0] if profiles else "seed",
        profiles=here / said.profiles,
        changes=changes,
        fail_if=said.fail_if,
        out=here / said.out.expanduser(),
        key=said.api_key,
        compare=(here / said.compare[0], here / said.compare[1]) if said.compare else None,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./justw loadtest",
        description="How much an installation can take, how fast, and what limits it.",
        epilog="Every option may also be said as name=value: loadtest short concurrent_users=20.",
    )
    parser.add_argument("--from", dest="calling_folder", type=Path, default=HOME, help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*", metavar="PROFILE", help="smoke, seed, short, long, mixed, …")
    parser.add_argument("--profiles", type=Path, default=PROFILES, metavar="FILE", help="a file of your own")
    parser.add_argument("--fail-if", default="", metavar="CONDITIONS", help="exit with 1: p95>2s,errors>0")
    parser.add_argument(
        "--out", type=Path, default=HOME / "loadtest_reports", metavar="FOLDER", help="for the reports"
    )
    parser.add_argument(
        "--api-key", default=os.environ.get(KEY, ""), metavar="KEY", help=f"for another's service; or {KEY}"
    )
    parser.add_argument(
        "--compare", nargs=2, type=Path, metavar="JSON", help="print what differs between two reports"
    )
    plan = parser.add_argument_group("the plan, instead of what the profile says")
    for name, meaning in OPTIONS.items():
        spelled = dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}"))
        plan.add_argument(*spelled, metavar="…", help=meaning)
    return parser
