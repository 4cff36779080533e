"""flask check --stack: error creators, dates, and routes to the outside.

Each rule has the smallest folder that breaks it, and one that is fine.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.configuring import SERVICE
from tests.support.stack_folders import (
    ALERTING,
    COMPOSE,
    DISPATCHER,
    ENVIRONMENT,
    HEALING_TASK,
    INITIATOR,
    OURS,
    findings,
    named,
    only_finding,
    right,
    route,
)

# Error creators


def test_the_alerting_sends_the_errors(tmp_path: Path) -> None:
    for creators in ([f"{SERVICE}/public", "http://e.org/other"], []):
        found = right(tmp_path, {**OURS, ALERTING: {"creators": creators}})
        assert f"{ALERTING} sends the errors: stream public" in found


def test_the_alerting_filters_a_creator_away(tmp_path: Path) -> None:
    ours = {INITIATOR: [named(errorCreatorUri=f"{SERVICE}-public")]}
    assert only_finding(tmp_path, {**ours, ALERTING: {"creators": [f"{SERVICE}/public"]}}) == (
        f'{ALERTING}: got "{SERVICE}/public" — filters the errors of stream public away, whose '
        f'creator is {SERVICE}-public; add "{SERVICE}-public" to "creators"'
    )


# Dates


def test_no_two_kinds_are_due_together(tmp_path: Path) -> None:
    assert f"{INITIATOR} no two jobs are due at one instant in 14 days" in right(tmp_path, OURS)


def test_two_kinds_are_due_together(tmp_path: Path) -> None:
    files = {INITIATOR: [named(cronPatternDumpJob="0 0 4 * * 6")]}
    assert only_finding(tmp_path, files) == (
        f'{INITIATOR}: got ["0 0 4 * * *", "0 0 4 * * 6"] — the healing of stream public and '
        "the dump of stream public are due together, first at Sat 2024-01-13 04:00:00 UTC; "
        "move one of them by some minutes"
    )


def test_kinds_of_two_instances_are_due_together(tmp_path: Path) -> None:
    files = {INITIATOR: [named()], INITIATOR.replace("jobs", "job"): [named("posts")]}
    dump, healing = findings(tmp_path, files)
    assert "dump of stream posts and the dump of stream public are due together" in dump
    assert "healing of stream posts and the healing of stream public are due together" in healing


# Routes to the outside


def test_no_route_leads_to_the_service(tmp_path: Path) -> None:
    files = {**OURS, DISPATCHER: route("http://cache/jobs/")}
    assert f"{DISPATCHER} no route leads to this service" in right(tmp_path, files)


def test_a_route_exposes_the_service(tmp_path: Path) -> None:
    url = "http://delta-producer-background-jobs-initiator/"
    assert only_finding(tmp_path, {**OURS, DISPATCHER: route(url)}) == (
        f'{DISPATCHER}, line 3: got "/jobs/*path" — this route exposes {url} to the outside, '
        "and the service has no login; remove the route"
    )


def test_a_route_to_a_service_with_another_name(tmp_path: Path) -> None:
    compose = ENVIRONMENT.replace("  delta-producer-background-jobs-initiator:", "  starter:")
    compose += f"      HEALING_TASK_OPERATION: {HEALING_TASK}\n"
    [finding] = findings(tmp_path, {COMPOSE: compose, DISPATCHER: route("http://starter/")})
    assert "exposes http://starter/ to the outside" in finding


def test_routes_in_comments_and_other_text_lead_nowhere(tmp_path: Path) -> None:
    commented = "".join(
        f"# {line}\n" for line in route("http://background-jobs-initiator/").splitlines()
    )
    files = {**OURS, DISPATCHER: commented + route('http://cache/#" <> id <> "background-jobs')}
    assert findings(tmp_path, files) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('ports: ["8080:80"]', f'{COMPOSE}, ports: got "8080:80" — exposes delta-producer-'),
        ('ports: [{published: "8080", target: 80}]', f'{COMPOSE}, ports: got "8080:80" — '),
        ('ports: ["127.0.0.1:8080:80"]', None),
    ],
)
def test_a_published_port(tmp_path: Path, line: str, problem: str | None) -> None:
    compose = f"{ENVIRONMENT}      HEALING_TASK_OPERATION: {HEALING_TASK}\n    {line}\n"
    found = findings(tmp_path, {COMPOSE: compose})
    assert len(found) == (problem is not None)
    assert all(finding.startswith(problem or "") for finding in found)


def test_a_host_of_a_proxy(tmp_path: Path) -> None:
    compose = (
        f"{ENVIRONMENT}      HEALING_TASK_OPERATION: {HEALING_TASK}\n      VIRTUAL_HOST: e.org"
    )
    [finding] = findings(tmp_path, {COMPOSE: compose})
    assert finding.startswith(f'{COMPOSE}, VIRTUAL_HOST: got "e.org" — exposes delta-producer-')
