"""The sweep: repairs what a crash or a second process leaves behind.

That is a job without a task, or a job or task with duplicate values.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from jobs import ids
from jobs.clock import Clock
from jobs.error_reports import ErrorReport, ErrorReporter
from jobs.locks import StreamLocks
from jobs.model import NewJob, Status, Stream, Trigger
from jobs.rules import Create, decide
from jobs.store import BoundStore, JobStore, JobWithoutTask, StoreError
from jobs.stream_log import StreamLog, log_about
from jobs.streams import Streams
from jobs.ticks.policy import TickPolicy

_log = logging.getLogger(__name__)


@dataclass
class Sweeper:
    """Checks the jobs of all streams every few minutes, and repairs them."""

    streams: Streams
    store: JobStore
    locks: StreamLocks
    reporter: ErrorReporter
    clock: Clock
    policy: TickPolicy
    _without_task_since: Mapping[str, float] = field(default_factory=dict, init=False)

    def sweep(self) -> None:
        """Sweep once; what fails is tried again by the next sweep."""
        if self.locks.closed:
            return
        try:
            self._repair_duplicate_values()
            self._repair_jobs_without_task()
        except StoreError as error:
            _log.info("the sweep was not finished: %s", error)
        self.reporter.flush()

    def _repair_duplicate_values(self) -> None:
        for subject in self._bound().repair_duplicate_values(self.streams.operations):
            _log.warning("removed a duplicate value from %s", subject)

    def _repair_jobs_without_task(self) -> None:
        """Repair jobs that had no task in two sweeps, far enough apart.

        Meanwhile an update that was on its way has had the time to arrive.
        """
        now, elapsed = self.clock.now(), self.clock.monotonic()
        found = self._bound().jobs_without_task(self.streams.operations)
        before = self._without_task_since
        self._without_task_since = {one.job.uri: before.get(one.job.uri, elapsed) for one in found}
        for one in found:
            if elapsed - self._without_task_since[one.job.uri] >= self.policy.settle_seconds:
                self._try_to_repair(one, self.streams.by_operation(one.job.operation), now)

    def _try_to_repair(self, found: JobWithoutTask, stream: Stream, now: datetime) -> None:
        try:
            self._repair(found, stream, now)
        except StoreError as error:
            text = "job %s, which has no task, was not repaired: %s"
            _log_about(found, stream).info(text, found.job, error)

    def _repair(self, found: JobWithoutTask, stream: Stream, now: datetime) -> None:
        deadline = self.clock.deadline()
        with self.locks.hold(stream, deadline):
            store = self.store.within(deadline)
            if found.job.created and now - found.job.created > self.policy.window:
                self._give_up(found, stream, now, store)
            elif self._allowed(found, stream, store):
                self._add_task(found, stream, store)

    def _give_up(
        self, found: JobWithoutTask, stream: Stream, now: datetime, store: BoundStore
    ) -> None:
        doubt = None
        try:
            store.set_status(found.job, Status.FAILED, now)
        except StoreError as error:
            if not error.in_doubt:
                raise
            doubt = error
        report = ErrorReport(
            stream=stream,
            kind=stream.kind_of(found.job),
            subject=found.job.uri,
            cause="half",
            at=(found.job.created or now) + self.policy.window,
            message=f"job {found.job} has no task and is too old to get one: it was set to failed",
            job=found.job,
        )
        # In doubt too: if the update was applied, no sweep finds the job again.
        self.reporter.report(report)
        if doubt:
            raise doubt

    def _allowed(self, found: JobWithoutTask, stream: Stream, store: BoundStore) -> bool:
        """Return whether the rules would create such a job now if it did not exist."""
        now = self.clock.now()
        state = store.state(stream, now)
        others = tuple(job for job in state.active if job.uri != found.job.uri)
        kind = stream.kind_of(found.job)
        decision = decide(stream, kind, Trigger.TICK, replace(state, active=others), now)
        if isinstance(decision, Create):
            return True
        text = "job %s has no task and can't get one now: %s"
        _log_about(found, stream).info(text, found.job, decision.reason)
        return False

    def _add_task(self, found: JobWithoutTask, stream: Stream, store: BoundStore) -> None:
        job = NewJob(
            job_id=found.job_id,
            task_id=ids.first_task(found.job_id),
            graph=found.graph,
            job_operation=found.job.operation,
            task_operation=stream.plan(stream.kind_of(found.job)).task_operation,
            created=found.job.created or self.clock.now(),
        )
        store.add_task(job)
        _log_about(found, stream).warning("job %s had no task: added %s", found.job, job.task_uri)

    def _bound(self) -> BoundStore:
        return self.store.within(self.clock.deadline())


def _log_about(found: JobWithoutTask, stream: Stream) -> StreamLog:
    return log_about(_log, stream, stream.kind_of(found.job), job=found.job)
