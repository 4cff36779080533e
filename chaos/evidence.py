"""The history by the questions that are asked of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

from chaos import logs
from chaos.streams import Kind, Schedule, Stream

if TYPE_CHECKING:
    from chaos.history import Asked, Attempt, History, Life, Record

# A read may be a second old when its decision is written; the rest is the request's own way.
READ_AGE = 1.5


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job that was seen, with its tasks and where it came from."""

    record: Record
    stream: Stream
    kind: Kind
    created: float
    tasks: tuple[Record, ...]
    schedule: Schedule | None  # of the tick that made it; None: nobody's tick did
    requested: bool
    attempt: Attempt | None  # the first that reached the store
    life: Life | None  # which sent it

    def __str__(self) -> str:
        return f"{self.stream.who(self.kind)}: {self.record.uri}"

    @property
    def started(self) -> bool:
        """Whether it is an initial sync that a process made when it started."""
        return self.kind is Kind.SYNC and not self.requested

    @property
    def decided(self) -> tuple[float, float]:
        """From when to when the state may have been read that it was decided on."""
        if self.attempt is None:
            return self.record.appeared - READ_AGE, self.record.appeared
        sent = self.attempt.sent
        asleep = self.life.paused(sent - READ_AGE, sent) if self.life else 0.0
        return sent - READ_AGE - asleep, sent


class Evidence:
    """All that is asked of a history more than once."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.entries = list(logs.entries(history.lives))

    @cached_property
    def by_who(self) -> dict[str, list[logs.Entry]]:
        """What was logged of each schedule."""
        found = defaultdict(list)
        for entry in self.entries:
            found[entry.who].append(entry)
        return found

    @cached_property
    def tasks_of(self) -> dict[str, list[Record]]:
        """The tasks of each job's URI, whether the job was seen or not."""
        found = defaultdict(list)
        for record in self.history.records:
            if "isPartOf" in record.values:
                found[record.value("isPartOf")].append(record)
        return found

    @cached_property
    def jobs(self) -> list[Job]:
        """The jobs, the earliest first."""
        operations = {
            stream.operation(kind): (stream, kind)
            for stream in self.history.streams
            for kind in Kind
        }
        found = [
            self._job(record, *operations[record.value("operation")])
            for record in self.history.records
            if record.value("operation") in operations
        ]
        return sorted(found, key=lambda job: job.created)

    @cached_property
    def errors(self) -> list[Record]:
        """The error resources."""
        return [record for record in self.history.records if "message" in record.values]

    @cached_property
    def attempts_at(self) -> dict[str, list[Attempt]]:
        """The attempts at each job and task that reached the store, in the order they did."""
        found = defaultdict(list)
        for attempt in sorted(self.history.attempts, key=lambda attempt: attempt.applied or 0):
            for uri in attempt.uris if attempt.applied else ():
                found[uri].append(attempt)
        return found

    def life_at(self, process: int, instant: float) -> Life | None:
        """Return the life of a process at an instant."""
        lives = [x for x in self.history.lives if x.process == process and x.began <= instant]
        return max(lives, key=lambda life: life.began, default=None)

    def sender(self, attempt: Attempt) -> Life | None:
        """Return the life that sent an attempt."""
        return self.life_at(attempt.process, attempt.sent)

    @cached_property
    def _schedules(self) -> dict[str, Schedule]:
        return {schedule.operation: schedule for schedule in self.history.schedules}

    @cached_property
    def _unheard(self) -> list[Asked]:
        """The calls whose answer was lost: each may have made one job that no log line names."""
        return [x for x in self.history.calls if x.method == "POST" and x.status != HTTPStatus.OK]

    @cached_property
    def _requested(self) -> set[str]:
        return logs.requested(self.history.lives)

    def _asked_for(self, operation: str, created: float) -> bool:
        for call in self._unheard:
            if call.operation == operation and call.sent - 1 <= created <= call.answered + 1:
                self._unheard.remove(call)
                return True
        return False

    def _job(self, record: Record, stream: Stream, kind: Kind) -> Job:
        created = logs.seconds(record.value("created")) if record.value("created") else 0.0
        operation = record.value("operation")
        schedule = self._schedules.get(operation)
        requested = record.uri in self._requested
        ticked = schedule and not requested and schedule.is_fire_time(created)
        requested = requested or (not ticked and self._asked_for(operation, created))
        attempt = next(iter(self.attempts_at.get(record.uri, [])), None)
        return Job(
            record=record,
            stream=stream,
            kind=kind,
            created=created,
            tasks=tuple(self.tasks_of.get(record.uri, ())),
            schedule=schedule if ticked else None,
            requested=requested,
            attempt=attempt,
            life=self.sender(attempt) if attempt else None,
        )
