"""The history, indexed by the questions of the auditor."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

from tests.chaos import logs
from tests.chaos.history import ApiCall, History, InsertAttempt, ProcessRun, Record
from tests.chaos.streams import Kind, Schedule, Stream

# Seconds. The service acts on reads of at most a second; the rest is for the request itself.
MAX_READ_AGE = 1.5


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job that was seen, with its tasks and its origin."""

    record: Record
    stream: Stream
    kind: Kind
    created: float
    tasks: tuple[Record, ...]
    schedule: Schedule | None  # of the tick that created it, if a tick did
    requested: bool
    attempt: InsertAttempt | None  # the first that reached the store
    sender: ProcessRun | None  # of that attempt

    def __str__(self) -> str:
        return f"{self.stream.label(self.kind)}: {self.record.uri}"

    @property
    def by_startup(self) -> bool:
        """Whether it is an initial sync that a process created when it started."""
        return self.kind is Kind.SYNC and not self.requested

    @property
    def decision_time(self) -> tuple[float, float]:
        """The time in which the process read the state that led to this job."""
        if self.attempt is None:
            return self.record.not_yet - MAX_READ_AGE, self.record.not_yet
        sent = self.attempt.sent
        paused = self.sender.paused(sent - MAX_READ_AGE, sent) if self.sender else 0.0
        return sent - MAX_READ_AGE - paused, sent


class Evidence:
    """The derived facts of a history that several checks use."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.tick_lines = list(logs.tick_lines(history.process_runs))

    @cached_property
    def lines_by_label(self) -> dict[str, list[logs.TickLine]]:
        """The tick lines of each schedule."""
        found = defaultdict(list)
        for line in self.tick_lines:
            found[line.label].append(line)
        return found

    @cached_property
    def tasks_of(self) -> dict[str, list[Record]]:
        """The tasks by the URI of their job, also of jobs that were never seen."""
        found = defaultdict(list)
        for record in self.history.records:
            if "isPartOf" in record.values:
                found[record.value("isPartOf")].append(record)
        return found

    @cached_property
    def jobs(self) -> list[Job]:
        """The jobs, earliest first."""
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
    def jobs_by_stream(self) -> list[list[Job]]:
        """The jobs of each stream, earliest first."""
        found = defaultdict(list)
        for job in self.jobs:
            found[job.stream].append(job)
        return list(found.values())

    @cached_property
    def errors(self) -> list[Record]:
        """The error resources."""
        return [record for record in self.history.records if "message" in record.values]

    @cached_property
    def attempts_by_uri(self) -> dict[str, list[InsertAttempt]]:
        """The attempts that inserted each job and task, in the order in which they did."""
        found = defaultdict(list)
        for attempt in sorted(self.history.attempts, key=lambda attempt: attempt.applied or 0):
            for uri in attempt.uris if attempt.applied else ():
                found[uri].append(attempt)
        return found

    def sender(self, attempt: InsertAttempt) -> ProcessRun | None:
        """Return the process run that sent an attempt."""
        runs = [
            run
            for run in self.history.process_runs
            if run.process == attempt.process and run.started <= attempt.sent
        ]
        return max(runs, key=lambda run: run.started, default=None)

    @cached_property
    def _schedules(self) -> dict[str, Schedule]:
        return {schedule.operation: schedule for schedule in self.history.schedules}

    @cached_property
    def _unanswered(self) -> list[ApiCall]:
        """The calls whose answer was lost. Each may have created a job without a log line."""
        return [x for x in self.history.calls if x.method == "POST" and x.status != HTTPStatus.OK]

    @cached_property
    def _requested(self) -> set[str]:
        return logs.requested(self.history.process_runs)

    def _by_unanswered_call(self, operation: str, created: float) -> bool:
        for call in self._unanswered:
            if call.operation == operation and call.sent - 1 <= created <= call.answered + 1:
                self._unanswered.remove(call)
                return True
        return False

    def _job(self, record: Record, stream: Stream, kind: Kind) -> Job:
        created = logs.seconds(record.value("created")) if record.value("created") else 0.0
        operation = record.value("operation")
        schedule = self._schedules.get(operation)
        requested = record.uri in self._requested
        by_tick = schedule and not requested and schedule.is_fire_time(created)
        requested = requested or (not by_tick and self._by_unanswered_call(operation, created))
        attempt = next(iter(self.attempts_by_uri.get(record.uri, [])), None)
        return Job(
            record=record,
            stream=stream,
            kind=kind,
            created=created,
            tasks=tuple(self.tasks_of.get(record.uri, ())),
            schedule=schedule if by_tick else None,
            requested=requested,
            attempt=attempt,
            sender=self.sender(attempt) if attempt else None,
        )


def undisturbed(evidence: Evidence, run: ProcessRun, start: float, end: float) -> bool:
    """Return whether a process of the first slot ran with undisturbed access to the store.

    After a fault, the process waits until it knows the result, so the time before counts too.
    """
    times = evidence.history.times
    before = start - times.timeout - times.settle - times.max_retry_pause
    was_ready = run.slot == 0 and run.ready is not None and run.ready < before
    ran_on = run.ended is None or run.ended > end
    if not (was_ready and ran_on) or run.paused(before, end):
        return False
    return not any(
        found.process == run.process and found.start <= end and found.end >= before
        for found in evidence.history.disruptions
    )
