"""Plays one world from its begin to its rest, and has it judged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from greenlet import getcurrent

from tests.simulation.auditor import audit
from tests.simulation.interference import Interference
from tests.simulation.ledger import Violation
from tests.simulation.loop import Work
from tests.simulation.rest import Rest
from tests.simulation.scenario import Scenario
from tests.simulation.service import REAL, Service
from tests.simulation.world import World


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a world came to; `ticks` is the number of fire times of all its schedules."""

    scenario: Scenario
    ticks: int
    jobs: int
    requests: int
    met: dict[str, int]
    violations: list[Violation]
    lines: list[str] = field(default_factory=list)


def play(scenario: Scenario, *, service: Service = REAL, trace: bool = False) -> Outcome:
    """Play a scenario; with a trace, keep a line for everything that happens."""
    world = World(scenario, service, [] if trace else None)
    interference = Interference(world)
    with _logged(world):
        interference.arrange()
        world.begin()
        world.loop.run_until(scenario.seconds)
        Rest(world, interference).begin()
        world.loop.run_until(scenario.end)
        violations = audit(world, interference)
        for slot in world.slots:
            world.kill(slot)
    rules = [rule for plan in scenario.streams for rule in plan.rules.values()]
    return Outcome(
        scenario=scenario,
        ticks=sum(len(rule.times(0, scenario.end)) for rule in rules),
        jobs=len(world.ledger.jobs),
        requests=world.requests,
        met=world.faults.met,
        violations=violations,
        lines=world.lines or [],
    )


class Line:
    """A line of the log, with the little of a `logging.LogRecord` that is needed here."""

    def __init__(self, _name: str, level: int, _path: str, _number: int, *more: Any) -> None:
        self.msg, self.args, error = more[:3]
        self.levelno, self.levelname = level, logging.getLevelName(level)
        self.error = error[1] if error else None


class _ToLedger(logging.Handler):
    """Passes on the lines of the service's log with the process that wrote them."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world, self._traces = world, world.lines is not None

    def handle(self, record: Any) -> bool:
        superseding = " supersedes " in str(record.msg)
        if superseding or self._traces or record.levelno >= logging.ERROR:
            self._note(record, superseding=superseding)
        return True

    def _note(self, record: Line, *, superseding: bool) -> None:
        work = getcurrent()
        line = record.msg % record.args if record.args else record.msg
        name = getattr(work.owner, "name", "?") if isinstance(work, Work) else "?"
        if superseding:
            self._world.ledger.logged(line, name, self._world.loop.now)
        if "failed unexpectedly" in line:
            text = f"{line}: {record.error!r}"
            self._world.ledger.found.append(Violation("exception in the service", text))
        self._world.trace(f"{name} {record.levelname} {line}")


@contextmanager
def _logged(world: World) -> Iterator[None]:
    """Listen to the service's log; only what is needed is made into lines, as that takes time."""
    service, recorder = logging.getLogger("jobs"), logging.getLogger("jobs.ticks.recorder")
    handler, levels, propagate = (
        _ToLedger(world),
        (service.level, recorder.level),
        service.propagate,
    )
    service.setLevel(logging.ERROR if world.lines is None else logging.INFO)
    recorder.setLevel(logging.INFO)
    service.propagate = False
    service.addHandler(handler)
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Line)  # type: ignore[arg-type]
    caller, logging._srcfile = logging._srcfile, None  # noqa: SLF001
    try:
        yield
    finally:
        logging._srcfile = caller  # noqa: SLF001
        logging.setLogRecordFactory(factory)
        service.removeHandler(handler)
        service.propagate = propagate
        service.setLevel(levels[0])
        recorder.setLevel(levels[1])
