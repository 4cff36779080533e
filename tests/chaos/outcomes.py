"""The outcome of every tick that was due."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.evidence import Evidence, Job
from tests.chaos.history import ProcessRun, Record
from tests.chaos.logs import LineKind, TickLine, seconds
from tests.chaos.streams import Kind, Schedule

SAME = 0.001  # seconds; instants are written with milliseconds
LOG_DELAY = 1.0  # seconds; a process writes lines that belong together within this time


class Outcome(StrEnum):
    """The outcome of a tick, in the order in which the auditor checks."""

    CREATED = "created"
    LATER_JOB = "done by a later job"
    MISSED = "missed, with an error"
    MISSED_WITHOUT_ERROR = "missed, without an error"
    SUPERSEDED = "superseded"
    CLEANED = "cleaned by request"
    LOST_WITH_PROCESS = "superseded while no process ran to log it"
    NOTHING_TO_CATCH_UP = "due while no process ran, without a job of an earlier tick"
    UNACCOUNTED = "unaccounted"


@dataclass(frozen=True)
class Tick:
    """A tick that was due, with its outcome."""

    schedule: Schedule
    fire_time: float
    outcome: Outcome


def ticks_of(evidence: Evidence) -> list[Tick]:
    """Return every tick from the first readiness to the horizon of the run."""
    ready = [run.ready for run in evidence.history.process_runs if run.ready is not None]
    if not ready:
        return []
    return [
        tick
        for schedule in evidence.history.schedules
        for tick in TickChecker(evidence, schedule).ticks(min(ready), evidence.history.horizon)
    ]


class TickChecker:
    """Finds the outcomes of the ticks of one schedule."""

    def __init__(self, evidence: Evidence, schedule: Schedule) -> None:
        self._evidence = evidence
        self._history = evidence.history
        self._schedule = schedule
        self._jobs: list[Job] = [
            job
            for job in evidence.jobs
            if job.stream == schedule.stream and job.kind is schedule.kind
        ]
        self._created = {job.created for job in self._jobs if job.schedule == schedule}
        self._created_by_uri = {job.record.uri: job.created for job in self._jobs}
        self._lines: dict[LineKind, list[TickLine]] = defaultdict(list)
        for line in evidence.lines_by_label.get(schedule.label, []):
            self._lines[line.kind].append(line)

    def ticks(self, start: float, horizon: float) -> list[Tick]:
        """Return the ticks up to the horizon with their outcomes.

        A lost tick needs a newer tick with an outcome, so the newest ticks are checked first, also
        those after the horizon.
        """
        found: list[Tick] = []
        newer_has_outcome = False
        for fire_time in reversed(self._schedule.fire_times(start, self._history.end)):
            outcome = self._outcome(fire_time, newer_has_outcome=newer_has_outcome)
            newer_has_outcome = newer_has_outcome or outcome is not Outcome.UNACCOUNTED
            if fire_time <= horizon:
                found.append(Tick(self._schedule, fire_time, outcome))
        return found

    def _outcome(self, tick: float, *, newer_has_outcome: bool) -> Outcome:
        checks = {
            Outcome.CREATED: self._was_created,
            Outcome.LATER_JOB: self._was_done_later,
            Outcome.MISSED: self._was_missed,
            Outcome.SUPERSEDED: self._was_superseded,
            Outcome.CLEANED: self._was_cleaned,
        }
        found = [outcome for outcome, check in checks.items() if check(tick)]
        if Outcome.MISSED in found and not (self._has_error(tick) or self._may_be_deleted(tick)):
            # The process may have been killed before the store took the error. The next process
            # then resumes the tick and logs its outcome.
            found = [x for x in found if x is not Outcome.MISSED] or [Outcome.MISSED_WITHOUT_ERROR]
        return found[0] if found else self._not_logged(tick, newer_has_outcome=newer_has_outcome)

    def _was_created(self, tick: float) -> bool:
        """Return whether a job of the tick was seen, or written and deleted before it was seen."""
        return tick in self._created or any(
            line.tick == tick and line.uri in self._evidence.attempts_by_uri
            for line in self._lines[LineKind.CREATED]
        )

    def _was_done_later(self, tick: float) -> bool:
        return any(
            line.tick == tick and self._created_by_uri.get(line.uri or "", 0.0) >= tick - SAME
            for line in self._lines[LineKind.DONE]
        )

    def _missed_lines(self, tick: float) -> list[TickLine]:
        return [line for line in self._lines[LineKind.MISSED] if line.since <= tick <= line.tick]

    def _was_missed(self, tick: float) -> bool:
        return bool(self._missed_lines(tick))

    def _has_error(self, tick: float) -> bool:
        """Return whether an error names the schedule and the instants of a line about this tick.

        An error of the same cause that was recent then is enough, because the service stores each
        cause only once per ERROR_REPEAT_HOURS.
        """
        label = self._schedule.label
        errors = [x for x in self._evidence.errors if label in x.value("message")]
        return any(
            all(text in error.value("message") for text in line.written)
            or self._was_recent(error, line)
            for line in self._missed_lines(tick)
            for error in errors
        )

    def _may_be_deleted(self, tick: float) -> bool:
        """Return whether a call removed jobs of the stream, and so errors that reference them."""
        operations = {self._schedule.stream.operation(kind) for kind in Kind}
        deletes = [
            call.answered
            for call in self._history.calls
            if call.method == "DELETE" and call.operation in operations
        ]
        lines = self._missed_lines(tick)
        return any(line.at <= at + LOG_DELAY for line in lines for at in deletes)

    def _was_recent(self, error: Record, line: TickLine) -> bool:
        """Return whether an error was recent when the window of the line's ticks closed."""
        closed, times = line.since + self._history.times.window, self._history.times
        is_missed = ": missed" in error.value("message")
        return is_missed and abs(closed - seconds(error.value("created"))) < times.error_repeat

    def _was_superseded(self, tick: float) -> bool:
        return any(line.since <= tick < line.tick for line in self._lines[LineKind.SUPERSEDES])

    def _was_cleaned(self, tick: float) -> bool:
        """Return whether a DELETE call ended the tick while it could still be pending."""
        grace = self._history.times.grace
        return any(x.tick - grace <= tick <= x.tick for x in self._lines[LineKind.CLEANED])

    def _not_logged(self, tick: float, *, newer_has_outcome: bool) -> Outcome:
        """Return the outcome of a tick without a log line, which is a mistake of a process or not.

        A process is responsible for all ticks since the newest one at its readiness. It must log
        the outcome within the window of the tick, and before the outcome of a newer tick.
        """
        runs = [run for run in self._history.process_runs if self._is_responsible(run, tick)]
        answerable = [run for run in runs if not self._ended_too_early(run, tick)]
        if not answerable and newer_has_outcome:
            return Outcome.LOST_WITH_PROCESS
        if answerable and all(self._nothing_to_catch_up(run, tick) for run in answerable):
            return Outcome.NOTHING_TO_CATCH_UP
        return Outcome.UNACCOUNTED

    def _is_responsible(self, run: ProcessRun, tick: float) -> bool:
        if run.ready is None or (run.ended is not None and run.ended < tick):
            return False
        return tick > run.ready or not self._schedule.fire_times(tick, run.ready)

    def _ended_too_early(self, run: ProcessRun, tick: float) -> bool:
        """Return whether a process ended before it had to log the outcome."""
        if run.ended is None:
            return False
        paused = run.paused(tick, run.ended)
        if run.ended > max(tick, run.ready or 0) + self._history.times.grace + paused:
            return False
        return not any(
            line.tick > tick
            and self._history.process_runs[line.process_run] is run
            and line.at < run.ended - LOG_DELAY
            for kind in (LineKind.CREATED, LineKind.DONE, LineKind.MISSED)
            for line in self._lines[kind]
        )

    def _nothing_to_catch_up(self, run: ProcessRun, tick: float) -> bool:
        """Return whether no tick had a job when a process found this one at its readiness.

        There was no job yet, or none but those by request, or the last ones had been deleted. No
        job showed then that the pattern was in use.
        """
        if run.ready is None or run.ready < tick:
            return False
        ready = run.ready
        of_ticks = [job.record for job in self._jobs if job.schedule == self._schedule]
        seen = sorted(one.first_seen for one in of_ticks if one.first_seen <= ready)
        return not seen or any(
            call.method == "DELETE"
            and call.operation == self._schedule.operation
            and seen[-1] - LOG_DELAY <= call.sent <= ready
            for call in self._history.calls
        )
