"""Jobs and tasks as they lie in the store: whole, single, single-valued, explained, run once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from chaos.evidence import READ_AGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.evidence import Evidence, Job
    from chaos.history import Attempt, Record

SLOW = 1.0  # seconds; a store that applies an update later than that is beyond what twins can stand


def duplicated(evidence: Evidence) -> Iterator[str]:
    """Two jobs for one tick, two tasks for one job."""
    by_tick: dict[tuple[str, float], list[Job]] = defaultdict(list)
    for job in evidence.jobs:
        if job.schedule is not None:
            by_tick[job.schedule.who, job.created].append(job)
        if len(job.tasks) > 1:
            yield f"{job} has {len(job.tasks)} tasks"
    for (who, _), jobs in by_tick.items():
        if len(jobs) > 1:
            yield f"{who}: {len(jobs)} jobs of one tick: {', '.join(x.record.uri for x in jobs)}"


def unexplained(evidence: Evidence) -> Iterator[str]:
    """Jobs of a schedule that no tick made and nobody asked for.

    A run begins with an empty store, where nothing is caught up: no tick before that made a job.
    """
    begin = min((life.began for life in evidence.history.lives), default=0.0)
    for job in evidence.jobs:
        if not (job.schedule or job.requested or job.started):
            yield f"{job} was created at {job.created:.3f}, which is no fire time"
        elif job.schedule and job.created < begin - 1:
            yield f"{job} is of a tick {begin - job.created:.0f} s before the first start"


def halves(evidence: Evidence) -> Iterator[str]:
    """Jobs without a task at the end, or for too long; tasks without a job.

    A job that is too old to be repaired is set to failed, with an error that references it.
    """
    history = evidence.history
    named = {uri for error in evidence.errors for uri in error.values.get("references", ())}
    for job in evidence.jobs:
        given_up = job.record.uri in named and _failed(job.record)
        alone_since = history.end - job.record.first
        if job.tasks:
            late = min(task.first for task in job.tasks) - job.record.first
            if late > history.times.repair:
                yield f"{job} had no task for {late:.0f} s"
        elif job.record.final is None:
            if alone_for(job.record) > history.times.repair:
                yield f"{job} had no task for {alone_for(job.record):.0f} s, and was deleted"
        elif not given_up and alone_since > history.times.repair:
            yield f"{job} has no task"
    yield from _orphans(evidence)


def alone_for(record: Record) -> float:
    """Return for how long a record that is gone was active at least."""
    return sum(max(0.0, span.last - span.first) for span in record.active)


def _failed(record: Record) -> bool:
    statuses = (record.final or {}).get("status", [])
    return [status.rpartition("/")[2] for status in statuses] == ["failed"]


def _orphans(evidence: Evidence) -> Iterator[str]:
    there = {record.uri for record in evidence.history.records if record.final is not None}
    for job, tasks in evidence.tasks_of.items():
        for task in tasks:
            if task.final is not None and job not in there:
                yield f"task {task.uri} has no job: {job} is not there"


def second_values(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Properties of jobs and tasks that have two values at the end: the subject, and what to say.

    Errors count too: readers of all three break on a second value. Two types are theirs by design.
    """
    for record in evidence.history.records:
        doubled = [
            name
            for name, objects in (record.final or {}).items()
            if len(objects) > 1 and not (name == "type" and "message" in record.values)
        ]
        if doubled:
            yield record.uri, f"{record.uri} has a second value of {', '.join(doubled)}"


class Reruns:
    """The tasks that were run more than once, by why that was.

    `bugs` are those that the service could have known of. `twins`: a second process of the same
    moment wrote the job again, and the store applied that only after the consumer had begun; to
    be known of that would have taken a lock. `cleaned`: the job was removed by a call that another
    process got, and made again by one that still had its tick to confirm; or it is the initial
    sync of a later start, which has the name of the first where no other is left.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.bugs: list[str] = []
        self.twins: list[str] = []
        self.cleaned: list[str] = []
        self.twin_subjects: set[str] = set()
        self._evidence = evidence
        self._job_of = {task.uri: job for job in evidence.jobs for task in job.tasks}
        begun: dict[str, list[float]] = defaultdict(list)
        for work in evidence.history.works:
            begun[work.task].append(work.at)
        for task, instants in begun.items():
            if len(instants) > 1:
                self._sort_in(task, instants)

    def _sort_in(self, task: str, instants: list[float]) -> None:
        text = f"task {task} was run {len(instants)} times"
        attempts = self._evidence.attempts_at.get(task, [])
        again = [x for x in attempts[1:] if (x.applied or 0) > instants[0]]
        if again and all(self._was_cleaned(task, attempt, instants[0]) for attempt in again):
            self.cleaned.append(text)
        elif again and all(self._was_twin(attempts[0], attempt) for attempt in again):
            self.twins.append(text)
            self.twin_subjects |= {uri for attempt in again for uri in attempt.uris}
        else:
            self.bugs.append(text)

    def _was_twin(self, first: Attempt, second: Attempt) -> bool:
        if second.process == first.process:
            return False
        life = self._evidence.sender(second)
        asleep = life.paused(second.sent - READ_AGE, second.sent) if life else 0.0
        unaware = second.sent <= (first.applied or 0) + READ_AGE + asleep
        slow = (second.applied or 0) - second.sent > SLOW or asleep > 0
        return unaware and (slow or self._evidence.history.adversarial)

    def _was_cleaned(self, task: str, again: Attempt, since: float) -> bool:
        job = self._job_of.get(task)
        return job is not None and any(
            call.method == "DELETE"
            and (call.process != again.process or job.started)
            and call.operation == job.stream.operation(job.kind)
            and since - SLOW <= call.answered
            and call.sent <= (again.applied or 0)
            for call in self._evidence.history.calls
        )
