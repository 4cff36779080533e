"""Records what becomes of ticks: a log line, and an event for metrics and status."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from jobs.clock import Clock
from jobs.deletion import Deleted
from jobs.error_reports import ErrorReport, ErrorReporter
from jobs.events import Event, EventLog, Result
from jobs.model import JobKind, Stream, Tick, Trigger
from jobs.rules import RULES, Obstacle, Wait
from jobs.store import StoreError
from jobs.stream_log import log_about
from jobs.text import count
from jobs.ticks.pending import PendingTicks
from jobs.ticks.policy import MAX_COUNTED
from jobs.ticks.states import Pending, Superseded

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TickRecorder:
    """Records what the reconciler finds and does."""

    reporter: ErrorReporter
    clock: Clock
    events: EventLog

    def log(self, tick: Tick, text: str, job: str | None = None, level: int = logging.INFO) -> None:
        """Write a log line about a tick."""
        log = log_about(_log, tick.stream, tick.kind, tick=tick, job=job)
        log.log(level, "tick %s: %s", tick, text)

    def created(self, tick: Tick, text: str, job: str, lateness: timedelta) -> None:
        """Record that a read confirmed the job of a tick."""
        self.log(tick, text, job)
        self._record(tick, Result.CREATED, job=job, lateness=lateness)

    def resumed(self, tick: Tick, seconds: float) -> None:
        """Log that a tick that was left over is tried in some seconds."""
        text = "was left over: it is tried in %.0f s, when earlier writes have arrived"
        self.log(tick, text % seconds)

    def not_resumed(self, tick: Tick, why: str) -> None:
        """Log that a tick without a job is not taken up at a start."""
        self.log(tick, f"is not resumed: {why}")

    def stepped_back(self, ticks: PendingTicks, ahead: timedelta) -> None:
        """Log that the wall clock is behind the newest tick that was handled."""
        log = log_about(_log, ticks.stream, ticks.kind)
        text = "the clock was set back: it is %.0f s behind the newest tick"
        log.warning(text, ahead.total_seconds())

    def standing_by(self, pending: Pending) -> None:
        """Record that this replica waits for another one to create the job."""
        reason = "this replica stands by for another one"
        self.log(pending.newest, f"waits: {reason}")
        self._record(pending.newest, Result.WAITS, reason=reason)

    def done(self, tick: Tick, reason: str, job: str) -> None:
        """Record that a job that exists did a tick's work."""
        self.log(tick, reason, job)
        self._record(tick, Result.DONE, reason=reason, job=job)

    def refused(self, tick: Tick, reason: str) -> None:
        """Record that the rules refuse a tick."""
        self.log(tick, f"refused: {reason}")
        self._record(tick, Result.REFUSED, reason=reason)

    def deferred(self, pending: Pending, why: Wait) -> None:
        """Record why the newest pending tick waits; the first time as a warning."""
        level = logging.INFO if pending.tries else logging.WARNING
        tick, job = pending.newest, why.blocking[0].uri if why.blocking else None
        self.log(tick, f"waits: {why.reason}", job, level)
        self._record(tick, Result.WAITS, reason=why.reason, job=job)

    def superseded(self, superseded: Superseded | None) -> None:
        """Record which tick superseded earlier ones, if any did."""
        if superseded is None:
            return
        tick, number, since = superseded.tick, superseded.count, superseded.since.isoformat()
        log = log_about(_log, tick.stream, tick.kind, tick=tick)
        log.info("tick %s supersedes %s since %s", tick, _counted(number, "earlier one"), since)
        self._record(tick, Result.SUPERSEDED, count=number)

    def missed(self, ticks: PendingTicks, pending: Pending) -> None:
        """Report ticks that were missed, once per period for each kind of obstacle."""
        why, tick, since = pending.why, pending.newest, pending.first.isoformat()
        others = (
            f", with {_counted(pending.others, 'other')} since {since}" if pending.others else ""
        )
        job = why.blocking[0] if why.blocking else None
        report = ErrorReport(
            stream=tick.stream,
            kind=tick.kind,
            subject=ticks.operation,
            cause=f"missed:{why.obstacle.name}",
            at=pending.expires_at,
            message=f"tick {tick}: missed{others}: {why.reason}",
            job=job,
            tick=tick,
        )
        if why.obstacle is not Obstacle.SERVICE or not self._known(report):
            self.reporter.report(report)
        self._record(tick, Result.MISSED, reason=why.reason, job=job.uri if job else None)

    def _known(self, report: ErrorReport) -> bool:
        """Return whether an earlier process reported the ticks with another cause.

        That process knew more: this one only knows that the ticks were left over.
        """
        causes = [f"missed:{obstacle.name}" for obstacle in Obstacle]
        try:
            known = any(self.reporter.known([replace(report, cause=cause) for cause in causes]))
        except StoreError:
            return False
        if known:
            log = log_about(_log, report.stream, report.kind, tick=report.tick)
            log.info("reported before: %s", report.message)
        return known

    def discarded(self, stream: Stream, kind: JobKind, until: datetime) -> None:
        """Log that a person's DELETE discarded the pending ticks up to an instant."""
        log_about(_log, stream, kind).info("ticks up to %s: cleaned by request", until.isoformat())

    def deleted(
        self, stream: Stream, kind: JobKind, until: datetime | None, deleted: Deleted
    ) -> None:
        """Record that a person removed jobs, and with them the pending ticks up to an instant."""
        consequence = f"; {deleted.consequence}" if deleted.consequence else ""
        event = Event(
            stream=stream,
            kind=kind,
            result=Result.CLEANED,
            trigger=Trigger.REQUEST,
            at=self.clock.now(),
            tick=until,
            reason=f"jobs removed by request: {len(deleted.removed)}{consequence}",
        )
        self.events.record(event)

    def _record(self, tick: Tick, result: Result, **more: Any) -> None:
        event = Event(
            stream=tick.stream,
            kind=tick.kind,
            result=result,
            trigger=RULES[tick.kind].started_by,
            at=self.clock.now(),
            tick=tick.fire_time,
            **more,
        )
        self.events.record(event)


def _counted(number: int, noun: str) -> str:
    """Return a number of ticks with its noun; counting ends at `MAX_COUNTED`."""
    return count(number, noun if number < MAX_COUNTED else f"or more {noun}")
