"""deploy/monitoring: the alerts fire as they should, and every metric that is named exists."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.events import Result
from tests.support.builders import stream_of
from tests.support.deployments import DEPLOY, ROOT, document
from tests.support.requirements import require
from tests.support.web import WebHarness, event_of
from web.metrics import Metrics

MONITORING = DEPLOY / "monitoring"
RULES = [r for group in document(MONITORING / "alerts.yml")["groups"] for r in group["rules"]]
DASHBOARD = document(MONITORING / "dashboard.json")


def promtool(*words: str | Path) -> str:
    """Return what promtool complains about."""
    require(shutil.which("promtool"), "promtool is not on PATH; install it (Debian: prometheus)")
    command = ["promtool", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.promtool
def test_each_alert_fires_when_it_should() -> None:
    assert promtool("test", "rules", Path(__file__).parent / "alerts_test.yml") == ""


def test_each_alert_is_tested() -> None:
    cases = document(Path(__file__).parent / "alerts_test.yml")["tests"]
    fired = {
        expected["alertname"]
        for case in cases
        for expected in case["alert_rule_test"]
        if expected.get("exp_alerts")
    }
    assert fired == {rule["alert"] for rule in RULES}


def expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        yield variable["name"], variable["query"]


@pytest.fixture(scope="module")
def exposed() -> str:
    """Return what a process exposes that has seen one event and one request to the store."""
    harness = WebHarness((stream_of(),))
    for result in (Result.CREATED, Result.MISSED, Result.WAITS):
        harness.domain.events.record(event_of(result))
    answer = harness.client.get("/metrics").text
    counted = Metrics()
    counted.observe("query", "ok", 0.1)
    return answer + counted.text()[0].decode()


@pytest.mark.parametrize(("place", "expression"), sorted(set(expressions())))
def test_every_metric_exists(place: str, expression: str, exposed: str) -> None:
    for name in re.findall(r"\binitiator_\w+", expression):
        assert re.search(rf"^(# TYPE )?{name}[ {{]", exposed, re.MULTILINE), name


@pytest.mark.parametrize(("place", "expression"), sorted(set(expressions())))
def test_every_outcome_and_label_exists(place: str, expression: str, exposed: str) -> None:
    outcomes = re.findall(r'outcome="(\w+)"', expression)
    assert set(outcomes) <= {result.value for result in Result} | {"ok"}
    for labels in re.findall(r"by \((.*?)\)", expression):
        assert set(labels.split(", ")) <= {*re.findall(r'[{,](\w+)="', exposed), "cause", "le"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_each_text_names_the_stream_and_the_kind(rule: dict[str, Any]) -> None:
    """An alert about a whole process says so; it is about every stream and kind."""
    text = rule["annotations"]["description"]
    named = "{{ $labels.stream }}" in text and "{{ $labels.kind }}" in text
    assert named or "of any stream and kind" in text


def test_the_panels_do_not_overlap() -> None:
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24, "the width of a dashboard"


def test_the_alerts_are_those_of_the_documentation() -> None:
    page = (ROOT / "docs/monitoring.md").read_text()
    assert re.findall(r"^\| `(Initiator\w+)` \|", page, re.MULTILINE) == [r["alert"] for r in RULES]
