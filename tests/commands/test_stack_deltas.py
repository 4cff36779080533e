"""flask check --stack: the rules of delta-notifier.

Each rule has the smallest folder that breaks it, and one that is fine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.stack_folders import (
    ALERTING,
    CONTROLLER,
    DUMP_OPERATION,
    MAINTAINER,
    OURS,
    PUBLISHER,
    RULES,
    STATUS,
    SYNC_OPERATION,
    controlled,
    exported,
    findings,
    maintained,
    published,
    right,
    rule,
)

GRAPH = "http://mu.semte.ch/graphs/jobs"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
ERROR = "http://open-services.net/ns/core#Error"
SCHEDULED = "http://redpencil.data.gift/id/concept/JobStatus/scheduled"


RECEIVERS: dict[str, tuple[str, Any]] = {
    "job-controller": (CONTROLLER, controlled()),
    "publication-graph-maintainer": (MAINTAINER, maintained()),
    "dump-file-publisher": (PUBLISHER, published(DUMP_OPERATION, SYNC_OPERATION)),
    "error-alert": (ALERTING, {}),
}


def errors_to(receiver: str, **options: Any) -> str:
    match = {"predicate": TYPE, "object": ERROR} if receiver == "error-alert" else None
    return rule(receiver, match, **options)


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_a_rule_for_a_neighbour(tmp_path: Path, receiver: str) -> None:
    file, content = RECEIVERS[receiver]
    found = right(tmp_path, {**OURS, file: content, RULES: exported(errors_to(receiver))})
    assert f"{RULES} sends {receiver} what it waits for: " in found
    assert (
        f"{RULES} ignores the receiver's own writes and has a grace period: http://{receiver}/delta"
    ) in found


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_no_rule_for_a_neighbour(tmp_path: Path, receiver: str) -> None:
    file, content = RECEIVERS[receiver]
    found = findings(tmp_path, {**OURS, file: content, RULES: exported(rule("cache"))})
    assert found
    for finding in found:
        assert finding.startswith(f"{RULES}: got [] — no rule sends {receiver} the ")
        assert "; add a rule that matches predicate " in finding


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ({}, True),
        ({"predicate": STATUS, "object": SCHEDULED}, True),
        ({"graph": GRAPH}, True),
        ({"object": SCHEDULED.replace("scheduled", "busy")}, False),
        ({"graph": "http://mu.semte.ch/graphs/public"}, False),
        ({"predicate": TYPE}, False),
        ({"subject": "http://e.org/one"}, False),
    ],
)
def test_what_a_rule_matches(tmp_path: Path, match: dict[str, str], found: object) -> None:
    rules = exported(rule("dump-file-publisher", match))
    files = {**OURS, PUBLISHER: published(DUMP_OPERATION), RULES: rules}
    found_wrong = findings(tmp_path, files)
    assert bool(found_wrong) != found
    for finding in found_wrong:
        assert finding == (
            f'{RULES}: got ["http://dump-file-publisher/delta"] — no rule sends '
            f"dump-file-publisher the tasks of the dump of stream public in {GRAPH}; add a rule "
            f'that matches predicate "{STATUS}" and object "{SCHEDULED}" and calls its /delta'
        )


@pytest.mark.parametrize("receiver", RECEIVERS)
@pytest.mark.parametrize("unset", [..., False])
def test_a_rule_without_ignore_from_self(tmp_path: Path, receiver: str, unset: object) -> None:
    rules = exported(errors_to(receiver, ignoreFromSelf=unset))
    [finding] = findings(tmp_path, {**OURS, RULES: rules})
    value = "null" if unset is ... else "false"
    assert finding.startswith(
        f'{RULES}, line 2: got {{"ignoreFromSelf": {value}}} — the rule for '
        f"http://{receiver}/delta has no ignoreFromSelf, so it "
    )
    assert finding.endswith("; add ignoreFromSelf: true to its options")


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_a_rule_without_a_grace_period(tmp_path: Path, receiver: str) -> None:
    rules = exported(errors_to(receiver, gracePeriod=0))
    [finding] = findings(tmp_path, {**OURS, RULES: rules})
    assert finding.startswith(f'{RULES}, line 2: got {{"gracePeriod": 0}} — the rule for ')
    assert finding.endswith("; add gracePeriod: 1000 to its options")


def test_rules_for_other_services_may_do_as_they_like(tmp_path: Path) -> None:
    bare = rule("resource", ignoreFromSelf=..., gracePeriod=...)
    other = rule("scheduled-job-controller", ignoreFromSelf=...)
    assert findings(tmp_path, {**OURS, RULES: exported(bare, other)}) == []
