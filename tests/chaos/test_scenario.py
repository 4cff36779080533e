"""A scenario is random but repeatable, and contains every kind of event."""

from __future__ import annotations

import random
from itertools import pairwise

from tests.chaos.events import (
    Event,
    FaultPhase,
    OperatorCall,
    Pause,
    Restart,
    SingleFault,
    SlowJob,
    StoreOutage,
)
from tests.chaos.scenario import CALM_START, QUERY_FAULTS, UPDATE_FAULTS, delay, make_scenario
from tests.chaos.streams import STREAMS
from tests.chaos.times import Times
from tests.support.faults import Fault

TIMES = Times()


def scenario(seed: int = 1, length: float = 600, processes: int = 2) -> list[Event]:
    return make_scenario(seed, length, processes, STREAMS, TIMES)


def test_a_scenario_depends_on_its_seed() -> None:
    assert scenario(1) == scenario(1)
    assert scenario(1) != scenario(2)


def test_a_scenario_has_all_events_in_order_after_a_calm_start() -> None:
    events = scenario()
    assert {type(event) for event in events} == {
        FaultPhase,
        SingleFault,
        Restart,
        Pause,
        StoreOutage,
        OperatorCall,
        SlowJob,
    }
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert events[0].at >= CALM_START
    assert events[-1].at < 600


def test_every_fault_affects_queries_or_updates() -> None:
    faults = [event for event in scenario() if isinstance(event, SingleFault)]
    assert {x.fault for x in faults if x.updates} == set(UPDATE_FAULTS)
    assert {x.fault for x in faults if not x.updates} == set(QUERY_FAULTS)
    phases = {event.fault for event in scenario(length=3600) if isinstance(event, FaultPhase)}
    assert phases == {*QUERY_FAULTS, *UPDATE_FAULTS, Fault.REFUSE}


def test_phases_leave_quiet_times() -> None:
    phases = [event for event in scenario(length=3600) if isinstance(event, FaultPhase)]
    for phase, following in pairwise(phases):
        assert phase.at + phase.seconds + 1 < following.at


def test_a_process_is_interrupted_once_at_a_time() -> None:
    found = [
        event for event in scenario() if isinstance(event, (Restart, Pause)) and event.process == 1
    ]
    assert found
    for event, following in pairwise(found):
        assert event.at + event.seconds < following.at


def test_some_job_stays_busy_for_longer_than_the_window() -> None:
    times = [event.seconds for event in scenario(length=60) if isinstance(event, SlowJob)]
    assert max(times) > TIMES.window


def test_a_late_update_is_applied_after_the_timeout_and_within_the_settle_time() -> None:
    generator = random.Random(1)
    delays = [delay(generator, TIMES) for _ in range(200)]
    late = [seconds for seconds in delays if seconds > TIMES.timeout]
    assert 50 < len(late) < 150
    assert max(late) < TIMES.settle
