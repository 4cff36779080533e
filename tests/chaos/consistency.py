"""Jobs and tasks in the store: complete, unique, single-valued, explained and run once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.evidence import MAX_READ_AGE, Evidence, Job, undisturbed
from tests.chaos.history import InsertAttempt, Record

SLOW = 1.0  # seconds; two processes in one slot need a store that applies updates within this time


def duplicated(evidence: Evidence) -> Iterator[str]:
    """Find two jobs of one tick and two tasks of one job."""
    by_tick: dict[tuple[str, float], list[Job]] = defaultdict(list)
    for job in evidence.jobs:
        if job.schedule is not None:
            by_tick[job.schedule.label, job.created].append(job)
        if len(job.tasks) > 1:
            yield f"{job} has {len(job.tasks)} tasks"
    for (label, _), jobs in by_tick.items():
        if len(jobs) > 1:
            yield f"{label}: {len(jobs)} jobs of one tick: {', '.join(x.record.uri for x in jobs)}"


def unexplained(evidence: Evidence) -> Iterator[str]:
    """Find jobs that no tick, no call and no start explains.

    A run starts with an empty store, in which the service catches up no earlier ticks. So no job
    may have a fire time before the first start.
    """
    start = min((run.started for run in evidence.history.process_runs), default=0.0)
    for job in evidence.jobs:
        if not (job.schedule or job.requested or job.by_startup):
            yield f"{job} was created at {job.created:.3f}, which is no fire time"
        elif job.schedule and job.created < start - 1:
            yield f"{job} is of a tick {start - job.created:.0f} s before the first start"


def incomplete(evidence: Evidence) -> Iterator[str]:
    """Find jobs that have no task at the end or had none for too long, and tasks without a job.

    A job that is too old for a repair gets the status failed, and an error that references it. A
    DELETE call may remove a job before a process had the time to repair it.
    """
    history = evidence.history
    referenced = {uri for error in evidence.errors for uri in error.values.get("references", ())}
    for job in evidence.jobs:
        given_up = job.record.uri in referenced and _failed(job.record)
        age = history.end - job.record.first_seen
        if job.tasks:
            late = min(task.first_seen for task in job.tasks) - job.record.first_seen
            if late > history.times.repair:
                yield f"{job} had no task for {late:.0f} s"
        elif job.record.final is None:
            too_long = active_seconds(job.record) > history.times.repair
            if too_long and _could_be_repaired(evidence, job.record):
                yield f"{job} had no task for {active_seconds(job.record):.0f} s, until its DELETE"
        elif not given_up and age > history.times.repair:
            yield f"{job} has no task"
    yield from _orphans(evidence)


def active_seconds(record: Record) -> float:
    """Return for how many seconds at least a record was active."""
    return sum(max(0.0, span.last - span.first) for span in record.active)


def _could_be_repaired(evidence: Evidence, record: Record) -> bool:
    """Return whether a process had undisturbed access to the store for the sweeps of a repair."""
    times, runs = evidence.history.times, evidence.history.process_runs
    needed = 2 * times.sweep + times.settle + times.timeout
    return any(
        undisturbed(evidence, run, span.last - needed - rest, span.last - rest)
        for span in record.active
        for rest in range(int(span.last - span.first - needed) + 1)
        for run in runs
    )


def _failed(record: Record) -> bool:
    statuses = (record.final or {}).get("status", [])
    return [status.rpartition("/")[2] for status in statuses] == ["failed"]


def _orphans(evidence: Evidence) -> Iterator[str]:
    stored = {record.uri for record in evidence.history.records if record.final is not None}
    for job, tasks in evidence.tasks_of.items():
        for task in tasks:
            if task.final is not None and job not in stored:
                yield f"task {task.uri} has no job: {job} is not in the store"


def duplicate_values(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Find properties with two values at the end; return the subject and a description.

    Jobs, tasks and errors are checked, because readers of all three fail on a second value. Only
    errors have two types by design.
    """
    for record in evidence.history.records:
        names = [
            name
            for name, objects in (record.final or {}).items()
            if len(objects) > 1 and not (name == "type" and "message" in record.values)
        ]
        if names:
            yield record.uri, f"{record.uri} has several values of {', '.join(names)}"


class Reruns:
    """The tasks that were run more than once, by cause.

    - `bugs`: the service could have prevented it.
    - `races`: at the same moment, a second process wrote the job again, and the store applied that
      write only after the consumer had started. Only a lock would prevent this.
    - `deleted`: a call to another process deleted the job, and a process that was still confirming
      its tick created it again. Or it is an initial sync: after a DELETE, a later start creates it
      again with the same URI.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.bugs: list[str] = []
        self.races: list[str] = []
        self.deleted: list[str] = []
        self.raced_subjects: set[str] = set()
        self._evidence = evidence
        self._job_of = {task.uri: job for job in evidence.jobs for task in job.tasks}
        starts: dict[str, list[float]] = defaultdict(list)
        for run in evidence.history.task_runs:
            starts[run.task].append(run.at)
        for task, instants in starts.items():
            if len(instants) > 1:
                self._classify(task, instants)

    def _classify(self, task: str, instants: list[float]) -> None:
        text = f"task {task} was run {len(instants)} times"
        attempts = self._evidence.attempts_by_uri.get(task, [])
        again = [x for x in attempts[1:] if (x.applied or 0) > instants[0]]
        if again and all(self._was_deleted(task, attempt, instants[0]) for attempt in again):
            self.deleted.append(text)
        elif again and all(self._was_race(attempts[0], attempt) for attempt in again):
            self.races.append(text)
            self.raced_subjects |= {uri for attempt in again for uri in attempt.uris}
        else:
            self.bugs.append(text)

    def _was_race(self, first: InsertAttempt, second: InsertAttempt) -> bool:
        if second.process == first.process:
            return False
        sender = self._evidence.sender(second)
        paused = sender.paused(second.sent - MAX_READ_AGE, second.sent) if sender else 0.0
        unaware = second.sent <= (first.applied or 0) + MAX_READ_AGE + paused
        slow = (second.applied or 0) - second.sent > SLOW or paused > 0
        return unaware and (slow or self._evidence.history.adversarial)

    def _was_deleted(self, task: str, again: InsertAttempt, since: float) -> bool:
        job = self._job_of.get(task)
        return job is not None and any(
            call.method == "DELETE"
            and (call.process != again.process or job.by_startup)
            and call.operation == job.stream.operation(job.kind)
            and since - SLOW <= call.answered
            and call.sent <= (again.applied or 0)
            for call in self._evidence.history.calls
        )
