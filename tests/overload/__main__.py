"""Ten times more than the service can do: `python -m tests.overload`, on a service of its own.

It finds out how many short recordings a second the service bears with ten users, sends so many times as many
for a while, beside a lone client, and prints what was promised and what came of it. Exit status 1 where a
promise was broken.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console
from rich.table import Table

from actors.settings import Settings
from loadtest.bench.services import service
from loadtest.corpus.clips import clips
from loadtest.corpus.encoding import encoded
from loadtest.versus.measuring import carried_out
from tests.overload.probe import Asked, Probe, ask
from tests.overload.verdict import Found, broken, found

USERS: Final = 10

#: Lone requests before the load.
ALONE: Final = 10

#: The lone client goes on for so long after all others have their answers.
AFTER_S: Final = 15.0


def main() -> int:
    """Measure, print, and judge."""
    asked = _arguments()
    console = Console(highlight=False)
    timeout_s = Settings().request_timeout_s
    with (
        tempfile.TemporaryDirectory() as folder,
        service(Path(folder), asked.model, request_timeout_s=timeout_s) as served,
    ):
        seen = overload(served.url, asked.times, asked.minutes * 60, asked.rounds, asked.seed)
    console.print(_table(seen, asked.times))
    said = broken(seen, timeout_s)
    for sentence in said:
        console.print(f"broken: {sentence}", soft_wrap=True)
    return 1 if said else 0


def overload(url: str, times: float, duration_s: float, rounds: int, seed: int) -> Found:
    """What becomes of a service at the URL at so many times what it bears."""
    clip = encoded(clips("en")[0].audio, "wav")
    alone = [ask(url, clip) for _ in range(ALONE)]
    borne = carried_out(
        api_url=url,
        concurrent_users=USERS,
        requests_per_user=rounds,
        delay_between_requests=0,
        serial_texts=False,
        seed=seed,
    ).run
    capacity_per_s = len(borne.samples) / borne.took_s
    with Probe(url, clip) as probe:
        run = carried_out(
            api_url=url, rate_per_s=times * capacity_per_s, duration_s=duration_s, seed=seed
        ).run
        time.sleep(AFTER_S)
    return found(run, capacity_per_s, alone, _since(probe.asked, run.began_ms), _left(url))


def _since(asked: Sequence[Asked], began_ms: int) -> list[Asked]:
    return [one for one in asked if one.sent_ms >= began_ms]


def _left(url: str) -> int:
    with httpx.Client(base_url=url, trust_env=False) as client:
        answers = (
            client.get("/jobs", params={"state": state, "limit": 100}) for state in ("queued", "running")
        )
        return sum(len(answer.raise_for_status().json()["jobs"]) for answer in answers)


def _table(seen: Found, times: float) -> Table:
    table = Table("overload", "", box=None, header_style="bold")
    table.add_row("borne with ten users", f"{seen.capacity_per_s:.1f} requests/s")
    table.add_row("sent", f"{times:g} times as many: {seen.outcomes.total()} requests")
    for outcome, count in seen.outcomes.most_common():
        table.add_row(f"… {outcome}", str(count))
    for name, took in (("accepted", seen.accepted), ("refused", seen.refused)):
        if took:
            table.add_row(name, f"p50 {took.p50_s:.3f} s, p95 {took.p95_s:.3f} s, at most {took.max_s:.3f} s")
    table.add_row("a lone request before", f"{seen.alone_s:.3f} s")
    back = "never" if seen.back_s is None else f"{seen.back_s:.1f} s after the load"
    table.add_row("… as before", back)
    table.add_row("jobs that have not ended", str(seen.left))
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./justw overload", description=__doc__)
    parser.add_argument("--model", default="whisper-base")
    parser.add_argument("--times", type=float, default=10, help="what it bears")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=4, help="requests of each user, to find what it bears")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
