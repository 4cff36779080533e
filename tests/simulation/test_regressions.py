"""What the simulation found, each reduced to the few things that have to happen.

A case is a world and its reduced plan. Cases of one kind of fault have a name of their own.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.simulation.modes import MODES
from tests.simulation.plan import parse
from tests.simulation.play import play
from tests.simulation.scenario import scenario


class Case(NamedTuple):
    mode: str
    world: str
    plan: str
    broken: str


CASES = {
    "two wrong clocks at a time end with a wrong one (the simulation's fault)": Case(
        "clocks",
        "1902:16",
        "353.179 clock astray 0 0.3677\n353.571 clock astray 0 0.9139\n"
        "592.405 clock astray 0 0.9316",
        "tick unaccounted",
    ),
    "the only job of a tick is none of those that a start looks up": Case(
        "clocks",
        "1901:52",
        "26.427 pause process 0 0.8345\n120.861 clock step 0 0.5910\n"
        "147.938 write vanished 0 0.6033\n214.544 write vanished 0 0.9577\n"
        "378.899 kill process 0 0.3478",
        "tick unaccounted",
    ),
    "a clock that was ahead stops every wake-up until the false time": Case(
        "clocks", "1:1", "476.139 clock astray 0 0.6078", "tick unaccounted"
    ),
    "a clock that was ahead stops the sweep until the false time": Case(
        "clocks",
        "1:1",
        "436.318 write part 0 0.8580\n476.139 clock astray 0 0.6078",
        "job without task left",
    ),
    "a clock that was ahead stops the watchdog until the false time": Case(
        "clocks",
        "21:18",
        "0.028 clock astray 0 0.1707\n15.208 clock astray 0 0.2134",
        "silent job not failed",
    ),
    "ticks that came while the clock was ahead are lost when it is corrected": Case(
        "clocks",
        "51:13",
        "726.130 kill process 0 0.9078\n893.820 kill process 0 0.8304\n"
        "2858.564 clock step 0 0.2817\n3053.217 clock astray 0 0.7317\n"
        "3086.579 clock astray 0 0.3375\n3154.006 kill process 0 0.8743",
        "tick unaccounted",
    ),
    "a resumed tick is reported with others that are older than the time named": Case(
        "crashes", "1:7", "69.547 kill process 0 0.9064", "false error: number of others"
    ),
    "a restarted slot reports ticks of a service that ran": Case(
        "three-slots",
        "1:0",
        "636.396 kill process 0 0.3659",
        "false error: no process could leave it",
    ),
    "a slow write lands after the next slot has written": Case(
        "three-slots", "1:6", "56.182 write slow 2 0.7913", "task run twice"
    ),
    "two slots handle the newest tick at one instant": Case("slots", "1:15", "", "task run twice"),
    "a tick is missed on a read from before a long pause": Case(
        "three-slots", "1:25", "178.219 pause process 2 0.9984", "false error: missed"
    ),
    "an initial sync whose first writer was killed is written again": Case(
        "crashes",
        "21:9",
        "7452.858 write dies 0 0.8402\n7893.942 pause process 0 0.7502\n"
        "7923.039 kill process 0 0.7031",
        "task run twice",
    ),
    "the last update of a killed process comes after its successor has written": Case(
        "clocks",
        "2026:351",
        "286.248 write vanished 0 0.8700\n307.906 write late 0 0.8097\n"
        "398.328 read fails 0 0.7356\n487.991 kill process 0 0.1356",
        "task run twice",
    ),
    "an initial sync is given up when its stream is blocked for its window": Case(
        "faults", "1:8", "0.297 write unreachable 0 0.0184", "initial sync given up"
    ),
    "two jobs without a task in one stream block each other": Case(
        "people",
        "21:15",
        "89.985 delete dump 2 0.0380\n331.279 write part-untrue 0 0.3525\n"
        "499.186 write part-untrue 0 0.6271\n501.842 post dump 2 0.7840",
        "job without task left",
    ),
    "a second initial sync by request without a task blocks its stream": Case(
        "people",
        "31:2",
        "33.968 write part-untrue 0 0.8893\n551.870 post initial-sync 0 0.8890",
        "job without task left",
    ),
    "the sweep adds a task while the job's own request is still under way": Case(
        "late",
        "31:22",
        "6.824 write late 0 0.3733\n20.525 write beyond 0 0.4026\n"
        "61.649 write beyond 0 0.0565\n75.004 write part-late 0 0.3431\n"
        "81.314 write swallowed 0 0.0845\n83.316 write lost 0 0.9381\n"
        "109.955 write part-late 0 0.7069\n123.887 write part-late 0 0.5472",
        "task run twice",
    ),
    "the second operation of a job arrives after its DELETE": Case(
        "people",
        "21:9",
        "78.286 write part-late 0 0.7135\n88.237 delete dump 1 0.7458",
        "task without job left",
    ),
    "duplicate dates of a finished job stay": Case(
        "odd", "1:3", "278.377 foreign own-two-dates 2 0.9599", "duplicate values left"
    ),
    "a job that cannot be changed is reported as failed": Case(
        "odd", "1:8", "157.975 foreign relative 0 0.5919", "false error: not failed"
    ),
    "a confirmation is tried five times a second while the lock is held": Case(
        "faults",
        "1:1",
        "202.874 write lost 0 0.4774\n233.846 read hangs 0 0.4327",
        "too many requests for one job",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_stays_repaired(name: str) -> None:
    case = CASES[name]
    outcome = play(scenario(MODES[case.mode], case.world, parse(case.plan)))
    assert [one for one in outcome.violations if one.what == case.broken] == []
