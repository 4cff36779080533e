"""One run: start the service, execute the scenario, let the service finish, return the history."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Thread
from typing import assert_never

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
from tests.chaos.history import History
from tests.chaos.testbed import Options, Testbed

POLL_INTERVAL = 0.05  # seconds between two checks of the testbed
START_TIMEOUT = 60.0  # seconds until the first process must be ready


def run(options: Options, events: Sequence[Event]) -> History:
    """Execute a scenario and return what happened."""
    with Testbed(options) as testbed:
        for process in testbed.processes:
            process.start()
        await_ready(testbed)
        execute(testbed, events)
        horizon = time.time()
        supervise(testbed, until=horizon + options.times.drain)
        return testbed.finish(horizon)


def await_ready(testbed: Testbed) -> None:
    """Wait until the schedules of a process are armed."""
    deadline = time.time() + START_TIMEOUT
    while not testbed.any_ready():
        if time.time() > deadline:
            raise TimeoutError(f"no process was ready within {START_TIMEOUT:.0f} s")
        time.sleep(POLL_INTERVAL)


def execute(testbed: Testbed, events: Sequence[Event]) -> None:
    """Execute each event at its time; return when all faults are over.

    Each event has its own thread, and ends early when the time of faults ends.
    """
    started, threads = time.time(), []
    try:
        for event in events:
            supervise(testbed, until=started + event.at)
            threads.append(Thread(target=apply, args=(testbed, event), name=type(event).__name__))
            threads[-1].start()
        supervise(testbed, until=started + testbed.options.seconds)
    finally:
        testbed.faults_over.set()
        for thread in threads:
            thread.join()
        for injector in testbed.injectors:
            injector.end_phase()
            injector.drop_pending()


def supervise(testbed: Testbed, *, until: float) -> None:
    """Check processes and workers until an instant."""
    while time.time() < until:
        testbed.check()
        time.sleep(POLL_INTERVAL)


def apply(testbed: Testbed, event: Event) -> None:
    """Execute one event from its start to its end."""
    match event:
        case FaultPhase() | Restart() | Pause() | StoreOutage():
            apply_for_a_time(testbed, event)
        case SingleFault():
            testbed.injectors[event.process].inject_once(event)
        case OperatorCall():
            testbed.events[f"{event.method} calls"] += 1
            testbed.operator.enqueue(event)
        case SlowJob():
            testbed.events["jobs left busy"] += 1
            testbed.consumer.delay_next_job(event.stream, event.seconds)
        case _:
            assert_never(event)


def apply_for_a_time(testbed: Testbed, event: FaultPhase | Restart | Pause | StoreOutage) -> None:
    """Start an event that lasts, and undo it at its end."""
    match event:
        case FaultPhase():
            for injector in testbed.injectors:
                injector.begin_phase(event)
            testbed.faults_over.wait(event.seconds)
            for injector in testbed.injectors:
                injector.end_phase()
        case Restart():
            restart(testbed, event)
        case Pause():
            testbed.processes[event.process].pause()
            testbed.faults_over.wait(event.seconds)
            testbed.processes[event.process].resume()
        case StoreOutage():
            testbed.events["outages of the store"] += 1
            testbed.stop_store(event.seconds)
        case _:
            assert_never(event)


def restart(testbed: Testbed, event: Restart) -> None:
    """Kill or stop a process, and start it again."""
    process = testbed.processes[event.process]
    if event.kill:
        process.kill()
    else:
        testbed.events["stops"] += 1
        process.stop()
    testbed.faults_over.wait(event.seconds)
    process.start()
