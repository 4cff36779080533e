"""Reconciling ticks with the store: tries what is due, and reads what became of sent jobs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from jobs.clock import EARLIEST, Clock
from jobs.creation import JobCreator, SentJob, TickOutcome
from jobs.deletion import delete_jobs
from jobs.locks import StreamLocks
from jobs.model import Job, JobKind, Stream, Tick, Trigger
from jobs.rules import CLOCK_TOLERANCE, RULES, AlreadyDone, Obstacle, Refuse, Wait
from jobs.store import BoundStore, JobStore, StoreError
from jobs.stream_log import log_about
from jobs.text import count
from jobs.ticks.pending import Pending, PendingTicks, Unconfirmed
from jobs.ticks.policy import Once, TickPolicy
from jobs.ticks.recorder import TickRecorder

_log = logging.getLogger(__name__)

TicksByStream = Mapping[str | None, tuple[PendingTicks, ...]]


def ticks_by_stream(
    streams: Iterable[Stream], start: datetime, policy: TickPolicy
) -> TicksByStream:
    """Return the pending ticks of each stream's enabled kinds, in the order of their handling."""
    groups = {stream.name: tuple(_ticks_of(stream, start, policy)) for stream in streams}
    return {name: group for name, group in groups.items() if group}


def _ticks_of(stream: Stream, start: datetime, policy: TickPolicy) -> Iterator[PendingTicks]:
    """Yield a schedule for each enabled kind; a start's job is the only tick of its schedule."""
    for plan in stream.plans:
        if plan.enabled and RULES[plan.kind].started_by is Trigger.STARTUP:
            yield PendingTicks(stream, plan.kind, Once(start), EARLIEST, policy)
        elif plan.schedule:
            handled_until = plan.schedule.latest(start)
            yield PendingTicks(stream, plan.kind, plan.schedule, handled_until, policy)


@dataclass(frozen=True)
class Reconciler:
    """Handles the ticks of all streams, those of one stream one after the other."""

    ticks: TicksByStream
    store: JobStore
    creator: JobCreator
    locks: StreamLocks
    recorder: TickRecorder
    clock: Clock

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that have any ticks."""
        return tuple(group[0].stream for group in self.ticks.values())

    def next_due(self, stream: Stream, instant: datetime) -> datetime:
        """Return when the stream's first tick after `instant` has to be handled."""
        return min(ticks.next_due(instant) for ticks in self.ticks[stream.name])

    def next_retry(self, stream: Stream) -> datetime | None:
        """Return when a pending tick of the stream is to be tried; None if there is none."""
        retries = [ticks.retry_at for ticks in self.ticks[stream.name]]
        return min(filter(None, retries), default=None)

    def next_confirmation(self) -> datetime | None:
        """Return when to read whether sent jobs exist; None if none is unconfirmed."""
        checks = [ticks.unconfirmed.check_at for ticks in self._all() if ticks.unconfirmed]
        return min(checks, default=None)

    def resume(self) -> None:
        """Make pending what an earlier process left; raise `StoreError` if the store fails."""
        recurring = [ticks for ticks in self._all() if ticks.recurs]
        until = self.clock.now() + CLOCK_TOLERANCE
        found = self._bound().newest([ticks.operation for ticks in recurring], until)
        newest = {job.operation: job for job in found if job.created}  # the oldest come first
        for ticks in recurring:
            self._resume(ticks, newest.get(ticks.operation))

    def _resume(self, ticks: PendingTicks, last: Job | None) -> None:
        """Resume one schedule; `last` is the newest job of its operation."""
        created = last.created if last else None
        if last and created and created >= ticks.handled_until:
            tick = Tick(ticks.stream, ticks.kind, ticks.handled_until)
            self.recorder.done(tick, f"done by job {last}", last.uri)
        self.recorder.superseded(ticks.resume(self.clock.now(), created))

    def reconcile(self, stream: Stream) -> None:
        """Handle the ticks of a stream that are due; what fails is tried again later."""
        try:
            with self.locks.hold(stream, self.clock.deadline()):
                self._reconcile(self.ticks[stream.name])
        except StoreError as error:
            log_about(_log, stream).info("%s", error)

    def _reconcile(self, group: Sequence[PendingTicks]) -> None:
        for ticks in group:
            self.recorder.superseded(ticks.advance(self.clock.now()))
        if any(ticks.pending for ticks in group):
            self._confirm([ticks for ticks in group if ticks.unconfirmed])
        for ticks in group:
            if pending := ticks.due(self.clock.now()):
                self._try(ticks, pending)
            if missed := ticks.expire(self.clock.now()):
                self.recorder.missed(ticks, missed)

    def confirm(self) -> None:
        """Read in one query whether the sent jobs exist whose confirmation is due."""
        now = self.clock.now()
        self._confirm([t for t in self._all() if t.unconfirmed and t.unconfirmed.check_at <= now])

    def delete(self, stream: Stream, kind: JobKind) -> tuple[Job, ...]:
        """Remove the jobs of a kind and discard its pending ticks; see `jobs.deletion`."""
        deadline = self.clock.deadline()
        with self.locks.hold(stream, deadline):
            jobs = delete_jobs(self.store.within(deadline), stream, kind)
            until = self._discard(stream, kind)
        self.recorder.deleted(stream, kind, until, len(jobs))
        return jobs

    def _discard(self, stream: Stream, kind: JobKind) -> datetime | None:
        """Discard the pending ticks of a kind; return the newest of them."""
        for ticks in self.ticks.get(stream.name, ()):
            if ticks.kind is kind and (until := ticks.discard(self.clock.now())):
                self.recorder.discarded(stream, kind, until)
                return until
        return None

    def _all(self) -> Iterator[PendingTicks]:
        for group in self.ticks.values():
            yield from group

    def _bound(self) -> BoundStore:
        return self.store.within(self.clock.deadline())

    def _try(self, ticks: PendingTicks, pending: Pending) -> None:
        tick = pending.newest
        if blocked := self._blocked_within_stream(ticks):
            self._defer(ticks, pending, blocked)
            return
        self.recorder.log(tick, "trying to create a job")
        try:
            outcome = self.creator.create_for_tick(tick, pending.oldest)
        except StoreError as error:
            self._defer(ticks, pending, Wait(str(error), obstacle=Obstacle.STORE))
        except Exception as error:
            log = log_about(_log, tick.stream, tick.kind, tick=tick)
            log.exception("tick %s failed unexpectedly", tick)
            why = f"an error in the service itself: {error}"
            self._defer(ticks, pending, Wait(why, obstacle=Obstacle.SERVICE))
        else:
            self._apply(ticks, pending, outcome)

    def _blocked_within_stream(self, ticks: PendingTicks) -> Wait | None:
        """Return what a tick has to wait for in its own stream, before the store is read."""
        group = self.ticks[ticks.stream.name]
        for other in group:
            if other.unconfirmed:
                reason = f"job {other.unconfirmed.job.uri} was sent and is not confirmed yet"
                return Wait(reason, obstacle=Obstacle.STORE)
        for other in group[: group.index(ticks)]:
            why = other.pending.why if other.pending else None
            if other.kind is JobKind.HEALING and why and why.blocking:
                return replace(why, reason="behind the healing, which waits")
        return None

    def _apply(self, ticks: PendingTicks, pending: Pending, outcome: TickOutcome) -> None:
        """Note what a try came to."""
        tick = pending.newest
        match outcome:
            case SentJob(job, doubt):
                ticks.mark_sent(job, self.clock.now())
                text = f"sent job {job.uri}, but {doubt}" if doubt else f"created job {job.uri}"
                self.recorder.log(tick, text, job.uri)
            case AlreadyDone(reason, job):
                ticks.complete(tick.fire_time)
                self.recorder.done(tick, reason, job.uri)
            case Wait():
                self._defer(ticks, pending, outcome)
            case Refuse(reason):
                ticks.complete(tick.fire_time)
                self.recorder.refused(tick, reason)
            case _:
                assert_never(outcome)

    def _defer(self, ticks: PendingTicks, pending: Pending, why: Wait) -> None:
        ticks.defer(self.clock.now(), why, self.clock.random())
        self.recorder.deferred(pending, why)

    def _confirm(self, unconfirmed: Sequence[PendingTicks]) -> None:
        now = self.clock.now()
        waiting = [(ticks, ticks.unconfirmed) for ticks in unconfirmed if ticks.unconfirmed]
        found = self._find([sent.job.uri for _, sent in waiting])
        for ticks, sent in waiting:
            self._apply_found(ticks, sent, found, now)

    def _find(self, uris: Sequence[str]) -> dict[str, Job] | None:
        """Return which jobs exist; None if the store does not answer."""
        try:
            return {job.uri: job for job in self._bound().find(uris)} if uris else {}
        except StoreError as error:
            _log.info("could not read whether %s exist: %s", count(len(uris), "sent job"), error)
            return None

    def _apply_found(
        self, ticks: PendingTicks, sent: Unconfirmed, found: dict[str, Job] | None, now: datetime
    ) -> None:
        """Note what a read at `now` found for a sent job; None means that nothing is known."""
        try:
            with self.locks.hold(ticks.stream, self.clock.deadline(0)):
                if ticks.unconfirmed is sent:
                    self._settle(ticks, sent, found, now)
        except StoreError:
            return  # another tick of the stream is being handled: the next read tells

    def _settle(
        self, ticks: PendingTicks, sent: Unconfirmed, found: dict[str, Job] | None, now: datetime
    ) -> None:
        job, tick = (found or {}).get(sent.job.uri), sent.pending.newest
        over = ticks.settle_time_over(now)
        if job and (job.tasks or over):
            ticks.complete(tick.fire_time)
            text = f"done by job {job}" + ("" if job.tasks else ", whose task is still missing")
            self.recorder.created(tick, text, job.uri, sent.sent_at)
        elif found is None or not over:
            ticks.confirm_later(now)
        else:
            text = f"job {sent.job.uri} was never stored"
            self.recorder.log(tick, text, sent.job.uri, logging.WARNING)
            self.recorder.superseded(ticks.requeue(now))
