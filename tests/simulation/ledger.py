"""What the auditor knows of a run: facts, noted when they happen, in seconds of virtual time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from jobs.events import Event
from tests.simulation.store import Update
from tests.simulation.triples import Change

SUPERSEDES = re.compile(r": tick (\S+) supersedes (\d+) (?:or more )?earlier ones? since (\S+)$")


@dataclass(frozen=True)
class Violation:
    """A promise that a run broke; a known limit is listed in the documentation."""

    what: str
    detail: str
    known: bool = False


@dataclass(eq=False)
class JobFact:
    """A job of the service that was applied at least once."""

    uri: str
    operation: str
    created: datetime
    applied_at: float
    removed_at: float | None = None


@dataclass(frozen=True)
class Superseding:
    """A record that a tick replaced some earlier ones, from the log."""

    at: float
    process: str
    schedule: str
    tick: datetime
    count: int
    since: datetime


@dataclass(eq=False)
class Life:
    """A service process from its start to its end."""

    name: str
    slot: int
    began: float
    ready: float | None = None
    ended: float | None = None


@dataclass(frozen=True)
class Recorded:
    """An event of the service, and when and where it was recorded."""

    at: float
    process: str
    event: Event


@dataclass(eq=False)
class Ledger:
    """Everything that was noted."""

    lives: list[Life] = field(default_factory=list)
    events: list[Recorded] = field(default_factory=list)
    supersedings: list[Superseding] = field(default_factory=list)
    jobs: dict[str, JobFact] = field(default_factory=dict)
    updates: dict[str, list[Update]] = field(default_factory=dict)
    requests: dict[tuple[str, str], int] = field(default_factory=dict)
    runs: dict[str, list[float]] = field(default_factory=dict)
    deletes: list[tuple[float, str]] = field(default_factory=list)  # when, of which operation
    synced_until: dict[str, float] = field(default_factory=dict)
    found: list[Violation] = field(default_factory=list)  # what is wrong at once

    def requested(self, update: str, job: str) -> None:
        self.requests[update, job] = self.requests.get((update, job), 0) + 1

    def sent(self, update: Update) -> None:
        if update.job:
            self.updates.setdefault(update.job, []).append(update)

    def applied(self, update: Update, changes: Sequence[Change], now: float) -> None:
        """Note new jobs and removed ones."""
        if update.name == "create" and changes and changes[0].value == "Job":
            self._created(update, changes, now)
        elif update.name == "delete":
            for change in changes:
                self.removed(change, now)

    def removed(self, change: Change, now: float) -> None:
        """Note that a subject is gone: what comes under its URI later is something new."""
        if change.name == "type":
            fact = self.jobs.get(change.uri)
            if fact:
                fact.removed_at = now
            self.runs.pop(change.uri, None)

    def _created(self, update: Update, changes: Sequence[Change], now: float) -> None:
        values = {change.name: change.value for change in changes}
        if update.job not in self.jobs or self.jobs[update.job].removed_at is not None:
            fact = JobFact(update.job, values["operation"], values["created"], now)
            self.jobs[update.job] = fact

    def logged(self, line: str, process: str, now: float) -> None:
        """Note a line of the log that no event carries in full."""
        found = SUPERSEDES.search(line)
        if found:
            tick, count, since = found.groups()
            schedule = line.partition(": tick ")[0]
            self.supersedings.append(
                Superseding(
                    now,
                    process,
                    schedule,
                    datetime.fromisoformat(tick),
                    int(count),
                    datetime.fromisoformat(since),
                )
            )
