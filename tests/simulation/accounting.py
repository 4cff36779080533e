"""What became of every tick, by the auditor's own rule of when ticks fire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from jobs.events import Result
from jobs.model import JobKind
from tests.simulation.firetimes import Rule, seconds
from tests.simulation.ledger import Ledger, Life, Recorded, Violation
from tests.simulation.scenario import Scenario, StreamPlan

EARLY = 300.0  # seconds by which a record may be earlier than its tick: clocks may differ so much
SLACK = 6.0  # seconds around the start of a process in which it may or may not take a tick up
ENDS = (Result.CREATED, Result.DONE, Result.MISSED, Result.REFUSED)


@dataclass(eq=False)
class Record:
    """What is known of the ticks of one schedule, in seconds of virtual time."""

    ticks: set[int] = field(default_factory=set)
    cleaned_until: float = float("-inf")
    last: float = float("-inf")  # the newest tick or job with a record

    def note(self, tick: float) -> None:
        self.ticks.add(int(tick))
        self.last = max(self.last, tick)

    def has(self, tick: int) -> bool:
        return tick in self.ticks or tick <= self.cleaned_until


def unaccounted(scenario: Scenario, ledger: Ledger, skipped: set[str]) -> Iterator[Violation]:
    """Yield the ticks without any record; streams that are blocked to the end are skipped."""
    end = scenario.end - tail(scenario)
    for plan in scenario.streams:
        if plan.stream.name in skipped:
            continue
        for kind, rule in plan.rules.items():
            record = _record(plan, kind, rule, ledger)
            operation, name = plan.stream.operation(kind), f"{kind.value} of {plan.stream}"
            last = end
            if kind is JobKind.HEALING and plan.stream.healing_waits:
                # Without an initial sync it honestly waits for the whole window.
                synced = ledger.synced_until.get(operation) == float("inf")
                last = end if synced else end - scenario.times.window
            for tick in rule.times(0, last):
                if _due(tick, operation, ledger) and not _fine(tick, record, ledger.lives):
                    wrong = bool(scenario.mode.rates.clocks)
                    first = _never_resumed(tick, operation, ledger, wrong_clocks=wrong)
                    what = "tick unaccounted" + (": killed before the first job" if first else "")
                    yield Violation(what, f"{name}: tick {tick}", known=first)


def tail(scenario: Scenario) -> float:
    """Return for how many seconds a tick may honestly be pending at the end."""
    times, slots = scenario.times, scenario.mode.processes
    return times.timeout + times.settle + times.pause + times.standby * (slots - 1) + 130


def wrong_counts(scenario: Scenario, ledger: Ledger) -> Iterator[str]:
    """Yield records of superseded ticks with a wrong number, or with ticks counted before."""
    rules = {
        f"{kind.value} of {plan.stream}": rule
        for plan in scenario.streams
        for kind, rule in plan.rules.items()
    }
    until: dict[tuple[str, str], float] = {}
    steady = not scenario.mode.rates.clocks
    for one in ledger.supersedings:
        since, tick = seconds(one.since), seconds(one.tick)
        rule = rules[one.schedule]
        expected = rule.count(since - 0.5, tick)
        # A job that was never stored is requeued alone; those after it were counted before.
        if one.count != min(expected, 10_000) and one.count != 1:
            yield f"{one.schedule}: tick {tick:.0f}: {one.count} since {since:.0f}, not {expected}"
        before = until.get((one.process, one.schedule), float("-inf"))
        if steady and since < before and one.count > 1:
            yield f"{one.schedule}: ticks since {since:.0f} are superseded twice"
        until[one.process, one.schedule] = max(before, tick)


def _record(plan: StreamPlan, kind: JobKind, rule: Rule, ledger: Ledger) -> Record:
    record = Record()
    operation, name = plan.stream.operation(kind), f"{kind.value} of {plan.stream}"
    for noted in ledger.events:
        if noted.event.kind is kind and noted.event.stream.name == plan.stream.name:
            _note_event(record, noted)
    for one in ledger.supersedings:
        if one.schedule == name:
            newest = min(seconds(one.tick), one.at + EARLY)
            record.ticks.update(rule.times(seconds(one.since), newest - 0.5))
            record.last = max(record.last, seconds(one.tick))
    for fact in ledger.jobs.values():
        if fact.operation == operation and fact.applied_at > seconds(fact.created) - EARLY:
            record.note(seconds(fact.created))
    return record


def _note_event(record: Record, noted: Recorded) -> None:
    event = noted.event
    if event.result is Result.CLEANED:
        record.cleaned_until = max(record.cleaned_until, seconds(event.at))
    elif event.tick and event.result in ENDS and noted.at > seconds(event.tick) - EARLY:
        record.note(seconds(event.tick))


def _due(tick: int, operation: str, ledger: Ledger) -> bool:
    """Return whether the service has to do something about a tick.

    Nothing is due while no process runs and the operation never had a job.
    """
    if any(_ran(life, tick) for life in ledger.lives):
        return True
    return ledger.lives[0].began + SLACK < tick and any(
        fact.operation == operation and fact.applied_at < tick for fact in ledger.jobs.values()
    )


def _ran(life: Life, tick: int) -> bool:
    return life.began + SLACK < tick and (life.ended is None or tick + SLACK < life.ended)


def _fine(tick: int, record: Record, lives: list[Life]) -> bool:
    """Return whether a tick has a record.

    If no process of its time is left, a later record is enough: what a killed process knew of
    its pending tick is gone, and a later job did its work.
    """
    if record.has(tick):
        return True
    lasting = any(life.ended is None and life.began + SLACK < tick for life in lives)
    return not lasting and record.last >= tick


def _never_resumed(tick: int, operation: str, ledger: Ledger, *, wrong_clocks: bool) -> bool:
    """Return whether the process of a tick was killed, and no job showed it to the next one.

    With a wrong clock a process meets a tick at another time, so that any restart counts.
    """
    later = ledger.lives[1:]
    if not wrong_clocks:
        later = [life for life in later if life.began > tick - SLACK]
        if any(life.ended is None and life.began + SLACK < tick for life in ledger.lives):
            return False
    jobs = [fact.applied_at for fact in ledger.jobs.values() if fact.operation == operation]
    return bool(later) and min(jobs, default=float("inf")) > min(life.began for life in later)
