"""The task operations of earlier healings, which a start reads for streams that configure none."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from jobs.clock import EARLIEST, LATEST, Clock
from jobs.model import MAINTAINERS_HEALING, Job, JobKind, Status
from jobs.store import JobStore
from jobs.stream_log import log_about
from jobs.task_operations import (
    PLAIN_HEALING,
    TaskOperations,
    first_operation,
    setting,
    takes_earlier,
)
from jobs.ticks.history import last_jobs
from jobs.ticks.pending import PendingTicks

_log = logging.getLogger(__name__)

REMEDY = "the publication-graph-maintainer listens for %s; set it to what your consumer listens for"
NO_PAST = f"%s is not set, and there is no earlier job: tasks get %s, but {REMEDY}"
NO_SUCCESS = f"%s is not set, and no healing with %s succeeded yet: {REMEDY}"


@dataclass
class EarlierTasks:
    """Reads the earlier healings once; a start that was tried again does not read them again."""

    task_operations: TaskOperations
    store: JobStore
    clock: Clock
    _done: bool = field(default=False, init=False)

    def read_once(self, schedules: Iterable[PendingTicks]) -> None:
        """Choose the task operations; raise `StoreError` if the store fails.

        An earlier healing is the newest job of the schedule's last ticks, which are known by their
        identity. Without any, as after the Node service, it is the newest job of all. Only jobs
        without a date, and those whose newest one has no usable task, are searched further: of them
        it is one that the store finds first.
        """
        healings = [one for one in schedules if one.kind is JobKind.HEALING]
        healings = [one for one in healings if takes_earlier(one.stream)]
        if not self._done and healings:
            found = self._find(healings)
            for ticks in healings:
                self._choose(ticks, found.get(ticks.operation))
        self._done = True

    def _find(self, healings: Sequence[PendingTicks]) -> dict[str, Job]:
        """Return an earlier job of each operation that has any."""
        store = self.store.within(self.clock.deadline())
        operations = {ticks.operation for ticks in healings}
        of_ticks = [uri for ticks in healings for uri in last_jobs(ticks)]
        found = _newest(store.find(of_ticks), operations)
        if missing := sorted(operations - found.keys()):
            newest = store.newest(missing, LATEST)
            found |= _newest(store.find([job.uri for job in newest]) if newest else (), missing)
        if missing := sorted(operations - found.keys()):
            found |= _newest(store.some_of(missing), missing)
        return found

    def _choose(self, ticks: PendingTicks, job: Job | None) -> None:
        log, name = log_about(_log, ticks.stream, ticks.kind), setting(ticks.stream)
        default = ticks.stream.plan(ticks.kind).task_operation
        if job and (earlier := first_operation(job)):
            self.task_operations.continue_with(ticks.operation, earlier)
            log.info("%s is not set: tasks get %s, as in the earlier job %s", name, earlier, job)
            if earlier == PLAIN_HEALING and job.status is not Status.SUCCESS:
                log.warning(NO_SUCCESS, name, earlier, MAINTAINERS_HEALING)
        elif default == PLAIN_HEALING:
            log.warning(NO_PAST, name, default, MAINTAINERS_HEALING)


def _newest(jobs: Sequence[Job], operations: Collection[str]) -> dict[str, Job]:
    """Return the newest job of each of these operations, of the jobs with a usable task.

    A successful one counts before others, because a consumer did its task.
    """
    usable = [job for job in jobs if job.operation in operations and first_operation(job)]
    usable.sort(key=lambda job: (job.status is Status.SUCCESS, job.created or EARLIEST))
    return {job.operation: job for job in usable}
