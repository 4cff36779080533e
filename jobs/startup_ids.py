"""The ids of the jobs of a start: one for each operation, the same at every try."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from jobs import ids
from jobs.model import JOB_BASE, Job, JobKind, Status, Stream
from jobs.rules import listed
from jobs.store import BoundStore
from jobs.stream_log import log_about

_log = logging.getLogger(__name__)


@dataclass
class StartupIds:
    """Chooses the id of a start's job from the newest job before it."""

    _chosen: dict[str, str] = field(default_factory=dict, init=False)

    def choose(self, starts: Sequence[tuple[Stream, JobKind]], store: BoundStore) -> None:
        """Choose the ids of the jobs of a start; raise `StoreError` if the store fails."""
        new = {stream.operation(kind): (stream, kind) for stream, kind in starts}
        # From jobs of every date: after a wrong clock the same id must not come again.
        missing = [operation for operation in new if operation not in self._chosen]
        earlier = _by_operation(store.of_operations(missing))
        for operation in missing:
            jobs = earlier.get(operation, [])
            previous = jobs[-1].uri if jobs else None
            self._chosen[operation] = ids.startup_job(operation, previous)
            _report_earlier(*new[operation], jobs)

    def id_of(self, stream: Stream, kind: JobKind, store: BoundStore) -> str:
        """Return the id of the job of a start, the same each time."""
        if stream.operation(kind) not in self._chosen:
            self.choose([(stream, kind)], store)
        return self._chosen[stream.operation(kind)]

    @property
    def jobs(self) -> list[str]:
        """The URIs of the jobs whose ids are chosen."""
        return [JOB_BASE + job_id for job_id in self._chosen.values()]


def _by_operation(jobs: Sequence[Job]) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = {}
    for job in jobs:
        found.setdefault(job.operation, []).append(job)
    return found


def _report_earlier(stream: Stream, kind: JobKind, earlier: Sequence[Job]) -> None:
    """Log why a start creates a new initial sync although there was one before."""
    if earlier and not any(job.status is Status.SUCCESS or job.active for job in earlier):
        text = "none succeeded yet, and the last one is %s: a new one is due"
        log_about(_log, stream, kind).info(text, listed(earlier[-1:]))
