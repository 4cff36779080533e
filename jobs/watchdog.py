"""Looks at all active jobs every few minutes: tells why one is stuck, frees it where allowed."""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

from jobs.diagnosis import UNDATED, diagnose
from jobs.freeing import Freer
from jobs.journal import about
from jobs.reporter import Report
from jobs.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from jobs.diagnosis import Cause, Trouble
    from jobs.initiator import Initiator, Surroundings
    from jobs.model import Job, Stream
    from jobs.reporter import Reporter
    from jobs.store import JobStore

_log = logging.getLogger(__name__)

MOST_TOLD = 500  # at one look; the others are told at the next ones


class Watchdog:
    """Remembers what it saw at its last look, so that a cause counts when two looks see it."""

    def __init__(
        self,
        streams: Iterable[Stream],
        store: JobStore,
        initiator: Initiator,
        reporter: Reporter,
        world: Surroundings,
    ) -> None:
        self._streams = {op: stream for stream in streams for op in stream.operations}
        self._store = store
        self._initiator = initiator
        self._reporter = reporter
        self._freer = Freer(store, initiator, reporter, world)
        self._world = world
        self._first_look: datetime | None = None
        self._seen: dict[str, datetime] = {}
        self._suspects: Mapping[str, Trouble] = {}
        self._troubles: Mapping[str, Trouble] = {}
        self._told: dict[tuple[str, Cause], datetime] = {}

    @property
    def troubles(self) -> Mapping[str, Trouble]:
        """What is wrong with active jobs as of the last look, by the job's URI."""
        return MappingProxyType(self._troubles)

    def look(self) -> None:
        """Look once; what fails is tried at the next look."""
        if self._initiator.closed:
            return
        try:
            self._look(self._world.now())
        except StoreError as error:
            _log.info("the look at active jobs was not finished: %s", error)
        self._reporter.flush()

    def _look(self, now: datetime) -> None:
        jobs = self._store.active(tuple(self._streams), self._world.deadline())
        self._first_look = self._first_look or now
        self._seen = {job.uri: self._seen.get(job.uri, now) for job in jobs}
        named = [(self._streams[job.operation], job) for job in jobs]
        freed = self._freer.fail_silent(named, self._seen, now)
        found = [
            trouble for job in jobs if job.uri not in freed if (trouble := self._diagnose(job, now))
        ]
        counted = [trouble for trouble in found if self._seen_before(trouble)]
        self._suspects = {trouble.job.uri: trouble for trouble in found}
        freed |= self._freer.close_finished(counted)
        stuck = [trouble for trouble in counted if trouble.job.uri not in freed]
        self._troubles = {trouble.job.uri: trouble for trouble in stuck}
        self._tell(stuck, now)

    def _diagnose(self, job: Job, now: datetime) -> Trouble | None:
        seen = self._seen[job.uri]
        came_up = seen if seen != self._first_look else UNDATED
        return diagnose(job, self._streams[job.operation], self._world.patience, now, came_up)

    def _seen_before(self, trouble: Trouble) -> bool:
        """Tell whether the last look saw the same; a job that has moved on since gets its time."""
        before = self._suspects.get(trouble.job.uri)
        return before is not None and _state(before) == _state(trouble)

    def _tell(self, stuck: Sequence[Trouble], now: datetime) -> None:
        """Report what was not reported for a while, by this process or another."""
        keys = {_key(trouble) for trouble in stuck}
        self._told = {key: at for key, at in self._told.items() if key in keys and at <= now}
        due = [t for t in stuck if now >= self._told.get(_key(t), UNDATED) + self._reporter.repeat]
        due = due[:MOST_TOLD]
        reports = [_report(trouble, self._period(trouble, now)) for trouble in due]
        for trouble, report, known in zip(due, reports, self._reporter.known(reports), strict=True):
            self._told[_key(trouble)] = report.at if known else now
            if known:
                facts = about(report.stream, report.kind, job=report.job)
                _log.info("reported before: %s", report.message, extra=facts)
            else:
                self._reporter.report(report)

    def _period(self, trouble: Trouble, now: datetime) -> datetime:
        """Return when the period began that `now` is in; the first one begins with the trouble."""
        return now - (now - trouble.since) % self._reporter.repeat


def _report(trouble: Trouble, at: datetime) -> Report:
    return Report(
        stream=trouble.stream,
        kind=trouble.stream.kind_of(trouble.job),
        thing=trouble.job.uri,
        what=f"stuck:{trouble.cause.name}",
        at=at,
        message=str(trouble),
        job=trouble.job,
    )


def _key(trouble: Trouble) -> tuple[str, Cause]:
    return trouble.job.uri, trouble.cause


def _state(trouble: Trouble) -> tuple[Cause, datetime]:
    return trouble.cause, trouble.since
