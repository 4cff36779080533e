"""Telling operators what went wrong: a log line, and an error resource as soon as possible."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from jobs import identity
from jobs.journal import about
from jobs.model import ErrorResource
from jobs.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from jobs.model import Job, JobKind, Stream, Tick
    from jobs.store import Deadline, JobStore

_log = logging.getLogger(__name__)

MESSAGE_LIMIT = 4000  # Virtuoso stores literals of more than 4,096 characters aside, as files
MOST_WAITING = 1000  # errors that wait for a store that is away; beyond that the oldest go
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Something that an operator has to know: `what` is wrong with a `thing`, since `at`.

    `thing` is an IRI and `what` a word; together they are what is stored only once in a while.
    `at` derives from what is in the store, so that two processes give the same.
    """

    stream: Stream
    thing: str
    what: str
    at: datetime
    message: str
    job: Job | None = None
    kind: JobKind | None = None
    tick: Tick | None = None


@dataclass(frozen=True)
class _Waiting:
    """An error that is to be stored, unless it is there already or `previous` is young."""

    error: ErrorResource
    previous: ErrorResource


class Reporter:
    """Logs errors at once and keeps them until they are stored.

    One thing is reported at most once in `repeat`, whoever does it, over restarts too. Time is
    cut into periods of that length, and an error's id derives from its period: to look for those
    of this period and the one before tells whether there was one.
    """

    def __init__(
        self, store: JobStore, *, repeat: timedelta, deadline: Callable[[], Deadline]
    ) -> None:
        self._store = store
        self.repeat = repeat
        self._deadline = deadline
        self._waiting: dict[str, _Waiting] = {}
        self._flushing = Lock()

    def report(self, report: Report) -> None:
        """Log a report and keep it to be stored as an error that references its job."""
        facts = about(report.stream, report.kind, tick=report.tick, job=report.job)
        _log.warning("%s", report.message, extra=facts)
        waiting = self._errors(report)
        if len(self._waiting) >= MOST_WAITING:
            _log.error("too many errors wait for the store: the oldest is dropped")
            self._waiting.pop(next(iter(self._waiting)), None)
        self._waiting.setdefault(waiting.error.uri, waiting)

    def holds(self, report: Report) -> bool:
        """Return whether a report waits to be stored."""
        return self._errors(report).error.uri in self._waiting

    def known(self, reports: Sequence[Report]) -> list[bool]:
        """Return for each report whether it was stored before, so that it is nothing new."""
        waiting = [self._errors(report) for report in reports]
        stored = self._stored(waiting)
        return [self._is_known(one, stored) for one in waiting]

    def flush(self) -> None:
        """Store what waits, as far as the store takes it; to be called outside of any turn.

        An error is done with when a read finds it: the store's word for it may be a lie. One that
        the store refuses holds up no other.
        """
        if not self._flushing.acquire(blocking=False):
            return  # another thread is at it
        try:
            self._flush()
        except StoreError as failure:
            _log.error("error resources have to wait for the store: %s", failure)
        finally:
            self._flushing.release()

    def _flush(self) -> None:
        waiting = list(self._waiting.values())
        if not waiting:
            return
        stored = self._stored(waiting)
        written = []
        for one in waiting:
            if self._is_known(one, stored):
                self._waiting.pop(one.error.uri, None)
            elif self._write(one.error):
                written.append(one)
                stored[one.error.uri] = one.error.created
        found = self._stored(written)
        for one in written:
            if one.error.uri in found:
                self._waiting.pop(one.error.uri, None)

    def _errors(self, report: Report) -> _Waiting:
        """Return the errors of a report in its period and in the one before."""
        at = max(report.at, EPOCH)
        start = at - (at - EPOCH) % self.repeat
        return _Waiting(_error(report, start), _error(report, start - self.repeat))

    def _stored(self, waiting: Sequence[_Waiting]) -> dict[str, datetime | None]:
        """Ask the store which of these errors there are, and of which date."""
        uris = [error.uri for one in waiting for error in (one.error, one.previous)]
        return dict(self._store.recorded(uris, self._deadline())) if uris else {}

    def _is_known(self, one: _Waiting, stored: Mapping[str, datetime | None]) -> bool:
        previous = stored.get(one.previous.uri)
        young = previous is not None and one.error.created < previous + self.repeat
        return young or one.error.uri in stored

    def _write(self, error: ErrorResource) -> bool:
        """Write an error; return whether the store says that it took it."""
        try:
            self._store.record(error, self._deadline())
        except StoreUnavailable:
            raise
        except StoreError as failure:
            _log.error("the store does not take an error resource: %s", failure)
            return False
        return True


def _error(report: Report, period: datetime) -> ErrorResource:
    return ErrorResource(
        error_id=identity.error(report.thing, report.what, period),
        graph=report.stream.jobs_graph,
        creator=report.stream.error_creator,
        message=report.message[:MESSAGE_LIMIT],
        created=report.at,
        job=report.job.uri if report.job else None,
    )
