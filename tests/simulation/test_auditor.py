"""The auditor notices a service that is broken on purpose; its rule of fire times is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from itertools import count
from typing import Any

import pytest

from jobs import ids, rules
from jobs.cron import parse
from jobs.model import NewJob
from jobs.store import Deadline, Inspection, JobStore
from jobs.ticks.pending import PendingTicks
from jobs.ticks.recorder import TickRecorder
from tests.simulation.firetimes import BASE, Rule
from tests.simulation.modes import MODES
from tests.simulation.plan import Entry
from tests.simulation.plan import parse as parse_plan
from tests.simulation.play import play
from tests.simulation.scenario import LONG, SHORT, scenario
from tests.simulation.service import REAL, Service
from tests.simulation.shrink import reduced

WORLDS = 40


@dataclass(frozen=True)
class Broken:
    """A store that does something wrong in place of one of its methods."""

    store: Any
    name: str
    wrong: Callable[..., Any]

    def within(self, deadline: Deadline) -> Broken:
        return replace(self, store=self.store.within(deadline))

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.store, name)
        return (
            (lambda *args, **more: self.wrong(real, *args, **more)) if name == self.name else real
        )


def broken(name: str, wrong: Callable[..., Any]) -> Service:
    def store(real: JobStore) -> Any:
        return Broken(real, name, wrong)

    return Service(store=store)


def catches(what: str, mode: str, service: Service = REAL) -> bool:
    """Return whether a world of the mode has the violation; stop at the first one."""
    outcomes = (play(scenario(MODES[mode], f"9:{n}"), service=service) for n in range(WORLDS))
    return any(one.what == what for outcome in outcomes for one in outcome.violations)


def twice(create: Callable[..., None], job: NewJob, send_by: Deadline, **more: Any) -> None:
    create(job, send_by, **more)
    late = Deadline(send_by.at + 60, send_by.clock)
    create(job, late)


def nothing(_real: object, *_args: object, **_more: object) -> tuple[()]:
    return ()


def all_is_well(*_args: object) -> Inspection:
    return Inspection()


def forgotten(ticks: PendingTicks, _now: object) -> None:
    ticks.unconfirmed = None


@pytest.mark.parametrize(
    ("mode", "name", "wrong", "what"),
    [
        ("calm", "create", twice, "task run twice"),
        ("faults", "inspect", all_is_well, "job without task left"),
        ("odd", "repair", nothing, "duplicate values left"),
        ("faults", "write_error", nothing, "missed without a stored error"),
    ],
)
def test_it_notices_a_broken_store_access(
    mode: str, name: str, wrong: Callable[..., Any], what: str
) -> None:
    assert catches(what, mode, broken(name, wrong))


BROKEN = [
    ("faults", PendingTicks, "requeue", forgotten, "tick unaccounted"),
    ("faults", TickRecorder, "superseded", nothing, "tick unaccounted"),
    ("calm", rules, "needs_sync", lambda *_: False, "healing before a successful sync"),
    ("faults", PendingTicks, "confirm_later", nothing, "too many requests for one job"),
    ("faults", PendingTicks, "due", lambda *_: None, "initial sync given up"),
]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: f"{case[2]}: {case[4]}")
def test_it_notices_a_broken_service(monkeypatch: pytest.MonkeyPatch, case: Any) -> None:
    mode, owner, name, wrong, what = case
    monkeypatch.setattr(owner, name, wrong)
    assert catches(what, mode)


def test_it_notices_two_jobs_for_a_tick_and_the_same_error_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real_job, real_error, number = ids.tick_job, ids.error, count()
    monkeypatch.setattr(
        ids, "tick_job", lambda operation, at: real_job(f"{operation}{next(number)}", at)
    )
    assert catches("two jobs for a tick", "twins")
    monkeypatch.undo()
    monkeypatch.setattr(
        ids, "error", lambda subject, cause, at: real_error(f"{subject}{next(number)}", cause, at)
    )
    assert catches("error stored twice", "faults")


@pytest.mark.parametrize("period", [*SHORT, *LONG])
def test_its_own_rule_fires_when_the_cron_pattern_does(period: int) -> None:
    for offset in {0, period // 2, period - 1}:
        rule = Rule(period, offset)
        times = parse(rule.pattern, UTC).fire_times(BASE - timedelta(seconds=1))
        real = [next(times) for _ in range(50)]
        assert [int((one - BASE).total_seconds()) for one in real] == list(
            rule.times(0, 50 * period)
        )[:50]
        assert rule.count(offset, offset + 3 * period) == 2


def test_a_failing_plan_is_reduced_to_what_matters() -> None:
    entries = [Entry(float(at), "write", "lost") for at in range(100)]

    def fails(some: Sequence[Entry]) -> bool:
        return {13.0, 77.0} <= {entry.at for entry in some}

    assert [entry.at for entry in reduced(entries, fails)] == [13.0, 77.0]


def test_a_plan_survives_as_text() -> None:
    plan = scenario(MODES["people"], "1:1").plan
    assert parse_plan("\n".join(map(str, plan))) == plan
