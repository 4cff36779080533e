"""Log lines about ticks are read, and the service gets its times in its own units."""

from __future__ import annotations

from tests.chaos.history import ProcessRun
from tests.chaos.logs import LineKind, requested, seconds, tick_lines
from tests.chaos.processes import parse
from tests.chaos.times import Times

T = "2027-01-15T08:00:10+00:00"
LABEL = "dump of the environment's stream"
LOG = f"""\
2027-01-15T08:00:11.250+00:00 INFO ready: the schedules are armed
2027-01-15T08:00:12.000+00:00 INFO {LABEL}: tick {T}: trying to create a job
2027-01-15T08:00:12.000+00:00 INFO {LABEL}: tick {T}: created job http://j/1
2027-01-15T08:00:12.000+00:00 INFO {LABEL}: tick {T}: done by job http://j/1
2027-01-15T08:00:12.000+00:00 INFO {LABEL}: tick {T} supersedes 2 earlier ones since {T}
2027-01-15T08:00:12.000+00:00 WARNING {LABEL}: tick {T}: missed, with 1 others since {T}: no store
Traceback (most recent call last):
2027-01-15T08:00:12.000+00:00 INFO {LABEL}: ticks up to {T}: cleaned by request
2027-01-15T08:00:12.000+00:00 INFO {LABEL}: created job http://j/2 by request
2027-01-15T08:00:12.000+00:00 INFO {LABEL}: tick {T}: created jo"""


def test_log_lines_about_ticks_become_values() -> None:
    run = ProcessRun(process=0, slot=0, started=0, lines=parse(LOG))
    found = list(tick_lines([run]))
    assert run.ready == seconds("2027-01-15T08:00:11.250+00:00")
    assert [line.kind for line in found] == list(LineKind)
    assert {line.label for line in found} == {LABEL}
    assert {line.tick for line in found} == {seconds(T)}
    assert found[0].uri == "http://j/1"
    assert requested([run]) == {"http://j/2"}


def test_the_service_gets_its_times_in_its_own_units() -> None:
    times = Times()
    environ = times.environ
    assert environ["TICK_WINDOW_MINUTES"] == "0.5"
    assert environ["ERROR_REPEAT_HOURS"] == "0.001"
    assert times.drain > times.window + times.settle
    assert times.standby >= times.timeout + times.settle + times.max_retry_pause


def test_the_last_of_several_replicas_can_act_within_the_window() -> None:
    assert Times(window=30, standby=8).max_replicas == 4
    assert Times(window=24, standby=8).max_replicas == 3
