"""The dashboard and the rules for Prometheus ask only for what /metrics has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from actors.store.backlog import Backlog
from actors.store.workers import ALL_GONE, Tries
from monitoring.alerts import Book
from monitoring.exposition import expose
from monitoring.gauges import gauges
from monitoring.health import assess
from monitoring.measures import Measures
from tests.unit.test_health import NOW_MS, expected, pool, report

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"

#: What Grafana and Prometheus have by themselves.
FOREIGN = {"up", "ALERTS"}


def exposed() -> dict[str, dict[str, set[str]]]:
    """Each sample's name → its labels → their values, of a service in which everything is known."""
    known = msgspec.structs.replace(pool(report(1), report(2)), gone=Tries(succeeded=1), deaths={ALL_GONE: 1})
    health = assess(known, expected=expected(2), now_ms=NOW_MS)
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(
        expose(Measures({}), gauges(known, health, Backlog(), Book(), NOW_MS))
    ):
        for sample in family.samples:
            for label, value in sample.labels.items():
                found.setdefault(sample.name, {}).setdefault(label, set()).add(value)
            found.setdefault(sample.name, {})
    return found


def dashboard() -> Any:
    """Grafana's."""
    return json.loads((DEPLOY / "grafana" / "quintet.json").read_text())


def rules() -> list[dict[str, Any]]:
    """Prometheus'."""
    (group,) = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())["groups"]
    listed: list[dict[str, Any]] = group["rules"]
    return listed


def queries() -> Iterator[str]:
    """All that is asked."""
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (rule["expr"] for rule in rules())


@pytest.mark.parametrize("query", list(queries()))
def test_a_query(query: str) -> None:
    """Its metrics exist, with the labels it chooses and groups by, and the values it is after."""
    known = exposed()
    metrics = re.findall(r"\b(?:asr_\w+|up)\b", query)

    assert metrics
    assert set(metrics) - FOREIGN <= known.keys()
    for metric, matchers in re.findall(r"\b(asr_\w+)\{([^}]*)\}", query):
        for label, wanted in re.findall(r'(\w+)(?:=~|!~|!=|=)"([^"]*)"', matchers):
            assert set(wanted.split("|")) <= known[metric].get(label, set()), (metric, label, wanted)
    grouped = {label.strip() for by in re.findall(r"by \(([^)]*)\)", query) for label in by.split(",")}
    assert all(grouped <= known[metric].keys() for metric in metrics if metric not in FOREIGN)


def test_counters_are_asked_for_their_rate() -> None:
    """The level of a counter says nothing."""
    for query in queries():
        for counter in re.findall(r"asr_\w+_(?:total|bucket|sum|count)\b", query):
            assert re.search(rf"rate\({counter}(?:\{{[^}}]*\}})?\[", query), query


def test_the_dashboard() -> None:
    """It can be imported: one data source to choose, ids that differ, panels that do not overlap."""
    panels = dashboard()["panels"]
    places = {
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    }

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(places) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels)
    assert [one["name"] for one in dashboard()["templating"]["list"]] == ["datasource"]


def test_the_rules() -> None:
    """Each has a duration, a severity and a sentence for people."""
    for rule in rules():
        assert re.fullmatch(r"\d+[ms]", rule["for"])
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert rule["alert"].startswith("Quintet")
