"""Says what becomes of ticks: a line for the log, and an event for whoever counts or asks later."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from jobs.journal import Event, Result, about
from jobs.model import Trigger
from jobs.reporter import Report
from jobs.rules import RULES

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.agenda import Agenda, Backlog, Superseded
    from jobs.initiator import Surroundings
    from jobs.model import JobKind, Stream, Tick, Wait
    from jobs.reporter import Reporter

_log = logging.getLogger(__name__)


class Teller:
    """Speaks for the settler."""

    def __init__(self, reporter: Reporter, world: Surroundings) -> None:
        self._reporter = reporter
        self._world = world

    def line(
        self,
        agenda: Agenda,
        tick: Tick,
        text: str,
        job: str | None = None,
        *,
        level: int = logging.INFO,
    ) -> None:
        """Write a line about a tick."""
        facts = about(agenda.stream, agenda.kind, tick=tick, job=job)
        _log.log(level, "%s: tick %s: %s", agenda, tick, text, extra=facts)

    def outcome(
        self,
        agenda: Agenda,
        tick: Tick,
        result: Result,
        text: str,
        job: str | None = None,
        **more: Any,
    ) -> None:
        """Say what a tick came to."""
        self.line(agenda, tick, text, job)
        reason = "" if result is Result.CREATED else text
        self._note_tick(agenda, tick, result, reason=reason, job=job, **more)

    def waits(self, agenda: Agenda, backlog: Backlog, why: Wait) -> None:
        """Say why the newest tick of a backlog waits; the first time as a warning."""
        level = logging.INFO if backlog.tries else logging.WARNING
        tick, job = backlog.newest, why.blocking[0].uri if why.blocking else None
        self.line(agenda, tick, f"waits: {why.reason}", job, level=level)
        self._note_tick(agenda, tick, Result.WAITS, reason=why.reason, job=job)

    def superseded(self, agenda: Agenda, superseded: Superseded | None) -> None:
        """Say which tick took the place of earlier ones, if one did."""
        if superseded is None:
            return
        tick, count, since = superseded.tick, superseded.count, superseded.since.isoformat()
        text = "%s: tick %s supersedes %s earlier ones since %s"
        facts = about(agenda.stream, agenda.kind, tick=tick)
        _log.info(text, agenda, tick, count, since, extra=facts)
        self._note_tick(agenda, tick, Result.SUPERSEDED, count=count)

    def missed(self, agenda: Agenda, backlog: Backlog) -> None:
        """Report what was missed, once in a while for each kind of obstacle."""
        why, tick, since = backlog.why, backlog.newest, backlog.oldest.isoformat()
        facts = f"missed, with {backlog.others} others since {since}"
        job = why.blocking[0] if why.blocking else None
        report = Report(
            stream=agenda.stream,
            kind=agenda.kind,
            thing=agenda.operation,
            what=f"missed:{why.obstacle.name}",
            at=backlog.oldest + self._world.policy.window,
            message=f"{agenda}: tick {tick}: {facts}: {why.reason}",
            job=job,
            tick=tick,
        )
        self._reporter.report(report)
        self._note_tick(
            agenda, tick, Result.MISSED, reason=why.reason, job=job.uri if job else None
        )

    def cleaned(self, stream: Stream, kind: JobKind, until: datetime | None, count: int) -> None:
        """Note that a person removed jobs, and with them the ticks that waited `until` then."""
        event = Event(
            stream=stream,
            kind=kind,
            result=Result.CLEANED,
            trigger=Trigger.REQUEST,
            at=self._world.now(),
            tick=until,
            reason=f"jobs removed by request: {count}",
        )
        self._world.note(event)

    def _note_tick(self, agenda: Agenda, tick: Tick, result: Result, **more: Any) -> None:
        event = Event(
            stream=agenda.stream,
            kind=agenda.kind,
            result=result,
            trigger=RULES[agenda.kind].started_by,
            at=self._world.now(),
            tick=tick.fire_time,
            **more,
        )
        self._world.note(event)
