"""The report shows the result, and a history can be kept."""

from __future__ import annotations

import json

from tests.chaos.__main__ import HISTORIES
from tests.chaos.history_builder import TICKS, clean_run
from tests.chaos.report import RunReport


def test_the_report_shows_the_violations() -> None:
    run = clean_run(50)
    report = RunReport("a title", run.history, run.audit())
    assert report.text().startswith("a title\n")
    assert "unaccounted: dump of stream a: tick 1800000050" in report.text()
    assert report.text().endswith("NOT CLEAN: see violations")
    content = json.loads(report.as_json())
    assert not content["clean"]
    assert content["table"]["ticks"] == len(TICKS)
    assert content["violations"]["unaccounted"] == ["dump of stream a: tick 1800000050"]


def test_a_history_can_be_kept() -> None:
    run = clean_run(50)
    run.error("something")
    assert HISTORIES.validate_json(HISTORIES.dump_json(run.history)) == run.history
