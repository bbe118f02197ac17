"""`alerts`: what fires now and what was resolved last; exit 1 while anything fires, 2 if nobody knows."""

import datetime as dt
import json
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
            alerts = json.loads(service.text("/monitoring/alerts"))["alerts"]
    except (NotServed, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    if not alerts:
        console.print("No alert has fired.")
        return 0
    console.print(_table(alerts))
    return 1 if any(alert["state"] == "firing" for alert in alerts) else 0


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
