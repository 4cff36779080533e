"""The sweep: repairs what a crash, a DELETE call or a second process leaves behind.

That is a job without a task, a task without a job, or a job or task with duplicate values.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from jobs import ids
from jobs.clock import EARLIEST, Clock
from jobs.error_reports import ErrorReporter
from jobs.locks import StreamLocks
from jobs.maintenance.recovery import FinalStatus, JobRecovery
from jobs.model import JOB_BASE, TASK_BASE, NewJob, Status, Stream
from jobs.rules import AlreadyDone, Create, decide_task
from jobs.store import (
    BoundStore,
    JobStore,
    JobWithoutTask,
    StoreError,
    TaskWithoutJob,
)
from jobs.stream_log import StreamLog, log_about
from jobs.stream_state import state_for
from jobs.streams import Streams
from jobs.task_operations import TaskOperations
from jobs.ticks.policy import TickPolicy

_log = logging.getLogger(__name__)


@dataclass
class LastingFindings:
    """What several sweeps in a row found, with the monotonic seconds of the first one."""

    _since: Mapping[str, float] = field(default_factory=dict, init=False)

    def note(self, found: Collection[str], elapsed: float, seconds: float) -> set[str]:
        """Note what a sweep found; return what was found for at least some seconds."""
        self._since = {uri: self._since.get(uri, elapsed) for uri in found}
        return {uri for uri, since in self._since.items() if elapsed - since >= seconds}


@dataclass
class Sweeper:
    """Checks the jobs of all streams every few minutes, and repairs them.

    `known` returns the URIs of jobs that may have got a duplicate value after they finished. All
    finished jobs would be too many to read.
    """

    streams: Streams
    store: JobStore
    locks: StreamLocks
    recovery: JobRecovery
    reporter: ErrorReporter
    clock: Clock
    policy: TickPolicy
    known: Callable[[], Sequence[str]]
    task_operations: TaskOperations
    _without_task: LastingFindings = field(default_factory=LastingFindings, init=False)
    _without_job: LastingFindings = field(default_factory=LastingFindings, init=False)

    def sweep(self) -> None:
        """Sweep once; what fails is tried again by the next sweep."""
        if self.locks.closed:
            return
        try:
            found = self._bound().inspect(
                self.streams.operations, self.task_operations.all, self.known()
            )
            self._repair_jobs_without_task(found.jobs_without_task)
            self._delete_tasks_without_job(found.tasks_without_job)
            self._repair_duplicate_values(found.duplicates)
        except StoreError as error:
            _log.info("the sweep was not finished: %s", error)
        self.reporter.flush()

    @property
    def _wait(self) -> float:
        """Seconds after which an update that was under way at the first finding has arrived."""
        return self.clock.timeout + self.policy.settle_seconds

    def _repair_duplicate_values(self, subjects: Sequence[str]) -> None:
        if subjects:
            self._bound().repair(subjects)
        for subject in subjects:
            _log.warning("removed a duplicate value from %s", subject)

    def _repair_jobs_without_task(self, found: Sequence[JobWithoutTask]) -> None:
        """Repair jobs that had no task in two sweeps, far enough apart, the oldest first.

        At most one of a stream gets its task: a read for the next one may not show that task yet.
        """
        now, elapsed = self.clock.now(), self.clock.monotonic()
        lasting = self._without_task.note([one.job.uri for one in found], elapsed, self._wait)
        repaired: set[str | None] = set()
        for one in sorted(found, key=lambda one: (one.job.created or EARLIEST, one.job.uri)):
            stream = self.streams.by_operation(one.job.operation)
            wanted = one.job.uri in lasting and stream.name not in repaired
            if wanted and self._try_to_repair(one, stream, lasting, now):
                repaired.add(stream.name)

    def _try_to_repair(
        self, found: JobWithoutTask, stream: Stream, incomplete: Collection[str], now: datetime
    ) -> bool:
        """Repair a job; return whether it got its task, or may have got it."""
        try:
            return self._repair(found, stream, incomplete, now)
        except StoreError as error:
            text = "job %s, which has no task, was not repaired: %s"
            _log_about(found, stream).info(text, found.job, error)
            return error.in_doubt

    def _repair(
        self, found: JobWithoutTask, stream: Stream, incomplete: Collection[str], now: datetime
    ) -> bool:
        if found.job.created and now - found.job.created > self.policy.window:
            end = found.job.created + self.policy.window
            self._fail(found, stream, end, "it has no task and is too old to get one")
            return False
        deadline = self.clock.deadline()
        with self.locks.hold(stream, deadline):
            store = self.store.within(deadline)
            state = state_for(stream.kind_of(found.job), stream, store)
            state = replace(state, active=store.active(stream.operations))
            decision = decide_task(stream, found.job, state, incomplete, now)
            if isinstance(decision, Create):
                self._add_task(found, stream, store)
        if isinstance(decision, AlreadyDone):
            why = f"it has no task and needs none any more: {decision.reason}"
            self._fail(found, stream, decision.job.created or now, why)
        elif not isinstance(decision, Create):
            self._log_refusal(found, stream, decision.reason)
        return isinstance(decision, Create)

    def _fail(self, found: JobWithoutTask, stream: Stream, at: datetime, why: str) -> None:
        ending = FinalStatus(stream=stream, job=found.job, status=Status.FAILED, at=at, why=why)
        self.recovery.fail([ending], "half")

    def _log_refusal(self, found: JobWithoutTask, stream: Stream, reason: str) -> None:
        text = "job %s has no task and can't get one now: %s"
        _log_about(found, stream).info(text, found.job, reason)

    def _add_task(self, found: JobWithoutTask, stream: Stream, store: BoundStore) -> None:
        job = NewJob(
            job_id=found.job_id,
            task_id=ids.first_task(found.job_id),
            graph=found.graph,
            job_operation=found.job.operation,
            task_operation=self.task_operations.of(stream, stream.kind_of(found.job)),
            created=found.job.created or self.clock.now(),
        )
        store.add_task(job)
        _log_about(found, stream).warning("job %s had no task: added %s", found.job, job.task_uri)

    def _delete_tasks_without_job(self, found: Sequence[TaskWithoutJob]) -> None:
        """Remove this service's tasks that had no job in two sweeps, far enough apart.

        A DELETE call came between the two operations of a request. A consumer would run the task,
        and could close no job.
        """
        elapsed = self.clock.monotonic()
        own = {one.task: one for one in found if _is_own(one)}
        if lasting := self._without_job.note(own.keys(), elapsed, self._wait):
            self._bound().delete_tasks_without_job(sorted(lasting))
        for uri in sorted(lasting):
            _log.warning("removed task %s: its job %s does not exist", uri, own[uri].job)

    def _bound(self) -> BoundStore:
        return self.store.within(self.clock.deadline())


def _log_about(found: JobWithoutTask, stream: Stream) -> StreamLog:
    return log_about(_log, stream, stream.kind_of(found.job), job=found.job)


def _is_own(found: TaskWithoutJob) -> bool:
    """Return whether this service made a task: its id is then computed from the job's."""
    return found.task == TASK_BASE + ids.first_task(found.job.removeprefix(JOB_BASE))
