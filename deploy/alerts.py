"""`alerts`: what fires now and what was resolved last; exit 1 while anything fires, 2 if nobody knows."""

import datetime as dt
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from actors.clock import now_ms
from actors.settings import SettingsError
from deploy import client
from deploy.client import Client, NotServed


def main() -> int:
    """Print a table of the alerts and return the exit status."""
    console = Console(highlight=False)
    try:
        with Client(client.url()) as service:
            answer = service.get("/monitoring/alerts")
    except (NotServed, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    alerts = answer["alerts"]
    if alerts:
        console.print(_table(alerts))
    if answer["is_stale"]:
        print(_silence(answer["judged_ms"]), file=sys.stderr)
        return 2
    if not alerts:
        console.print("No alert has fired.")
    return 1 if any(alert["state"] == "firing" for alert in alerts) else 0


def _silence(judged_ms: int | None) -> str:
    if judged_ms is None:
        return "No monitor has looked yet: nobody knows whether an alert should fire."
    since = dt.datetime.fromtimestamp(judged_ms / 1000).astimezone()
    return f"The monitor has not looked since {since:%Y-%m-%d %H:%M:%S}: nobody knows what fires now."


def _table(alerts: list[dict[str, Any]]) -> Table:
    table = Table(
        "alert", "state", "severity", "for", "value", "threshold", "", box=None, header_style="bold"
    )
    for column in (3, 4, 5):
        table.columns[column].justify = "right"
    for alert in alerts:
        since = dt.timedelta(seconds=max(0, now_ms() - alert["since_ms"]) // 1000)
        value = "" if alert["value"] is None else f"{alert['value']:g}"
        table.add_row(
            alert["name"],
            alert["state"],
            alert["severity"],
            str(since),
            value,
            f"{alert['threshold']:g}",
            alert["summary"],
            style="red" if alert["state"] == "firing" else "dim",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
