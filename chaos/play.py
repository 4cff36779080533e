"""A run: the service starts, the plan is played, all comes to rest, and the history is taken."""

from __future__ import annotations

import time
from threading import Thread
from typing import TYPE_CHECKING, assert_never

from chaos.events import Call, Down, Event, Hit, Hold, Outage, Pause, Phase
from chaos.stage import Options, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaos.history import History

STEP = 0.05  # seconds between two looks at the plan
PATIENCE = 60.0  # seconds until the first process must be ready


def play(options: Options, events: Sequence[Event]) -> History:
    """Play a plan and return what happened."""
    with Stage(options) as stage:
        for process in stage.processes:
            process.start()
        await_ready(stage)
        run_through(stage, events)
        horizon = time.time()
        keep_on(stage, horizon + options.times.drain)
        return stage.finish(horizon)


def await_ready(stage: Stage) -> None:
    """Wait until the schedules of a process are armed."""
    deadline = time.time() + PATIENCE
    while not stage.any_ready():
        if time.time() > deadline:
            raise TimeoutError(f"no process was ready within {PATIENCE:.0f} s")
        time.sleep(STEP)


def run_through(stage: Stage, events: Sequence[Event]) -> None:
    """Let every event happen at its time; come back when everything is right again.

    Each goes its way in a thread of its own, and ends early when the time of faults is over.
    """
    began, threads = time.time(), []
    try:
        for event in events:
            keep_on(stage, began + event.at)
            threads.append(Thread(target=happen, args=(stage, event), name=type(event).__name__))
            threads[-1].start()
        keep_on(stage, began + stage.options.seconds)
    finally:
        stage.over.set()
        for thread in threads:
            thread.join()
        for way in stage.ways:
            way.calm()
            way.forget()


def keep_on(stage: Stage, until: float) -> None:
    """Look after everybody until an instant."""
    while time.time() < until:
        stage.check()
        time.sleep(STEP)


def happen(stage: Stage, event: Event) -> None:
    """Do what an event says, from its beginning to its end."""
    match event:
        case Phase() | Down() | Pause() | Outage():
            last(stage, event)
        case Hit():
            stage.ways[event.process].hit(event)
        case Call():
            stage.events[f"{event.method} calls"] += 1
            stage.operator.ask(event)
        case Hold():
            stage.events["jobs left busy"] += 1
            stage.consumer.hold(event.stream, event.seconds)
        case _:
            assert_never(event)


def last(stage: Stage, event: Phase | Down | Pause | Outage) -> None:
    """Do what takes its time, and put it right at its end."""
    match event:
        case Phase():
            for way in stage.ways:
                way.begin(event)
            stage.over.wait(event.seconds)
            for way in stage.ways:
                way.calm()
        case Down():
            take_down(stage, event)
        case Pause():
            stage.processes[event.process].pause()
            stage.over.wait(event.seconds)
            stage.processes[event.process].resume()
        case Outage():
            stage.events["outages of the store"] += 1
            stage.outage(event.seconds)
        case _:
            assert_never(event)


def take_down(stage: Stage, event: Down) -> None:
    """End a process in one way or the other, and start it again."""
    process = stage.processes[event.process]
    if event.kill:
        process.kill()
    else:
        stage.events["stops"] += 1
        process.stop()
    stage.over.wait(event.seconds)
    process.start()
