"""Reconciling ticks with the store: tries what is due, and reads what became of sent jobs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from jobs.attempt import Attempt, SentJob, TickOutcome
from jobs.clock import Clock
from jobs.creation import JobCreator
from jobs.deletion import delete_jobs, refuse_undeletable
from jobs.locks import StreamLocks
from jobs.model import Job, JobKind, Stream, Tick
from jobs.rules import AlreadyDone, Create, Obstacle, Refuse, Wait
from jobs.store import JobStore, StoreError
from jobs.stream_log import log_about
from jobs.ticks.confirmation import Confirmation
from jobs.ticks.earlier_tasks import EarlierTasks
from jobs.ticks.pending import PendingTicks
from jobs.ticks.recorder import TickRecorder
from jobs.ticks.resumption import Resumption
from jobs.ticks.schedules import TicksByStream
from jobs.ticks.states import Pending

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """Handles the ticks of all streams, those of one stream one after the other."""

    ticks: TicksByStream
    store: JobStore
    creator: JobCreator
    locks: StreamLocks
    recorder: TickRecorder
    clock: Clock
    confirmation: Confirmation
    resumption: Resumption
    earlier_tasks: EarlierTasks

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that have any ticks."""
        return tuple(group[0].stream for group in self.ticks.values())

    def next_due(self, stream: Stream, instant: datetime) -> datetime:
        """Return when the stream's first tick after `instant` has to be handled."""
        return min(ticks.next_due(instant) for ticks in self.ticks[stream.name])

    def next_retry(self, stream: Stream) -> float | None:
        """Return when to try a pending tick of the stream, on the monotonic clock, or None."""
        retries = [ticks.retry_at for ticks in self.ticks[stream.name]]
        return min((at for at in retries if at is not None), default=None)

    def resume(self) -> None:
        """Make pending what an earlier process left; raise `StoreError` if the store fails."""
        self.earlier_tasks.read_once(self._all())
        starts = [(ticks.stream, ticks.kind) for ticks in self._all() if not ticks.recurs]
        self.creator.choose_startup_ids(starts)
        self.resumption.at_start(self._all())

    def reconcile(self, stream: Stream) -> None:
        """Handle the ticks of a stream that are due; what fails is tried again later."""
        try:
            with self.locks.hold(stream, self.clock.deadline()):
                self._reconcile(self.ticks[stream.name])
        except StoreError as error:
            log_about(_log, stream).info("%s", error)

    def _reconcile(self, group: Sequence[PendingTicks]) -> None:
        for ticks in group:
            if ahead := ticks.step_back(self.clock.now()):
                self.recorder.stepped_back(ticks, ahead)
                self.resumption.after_step_back(ticks)
            self.recorder.superseded(ticks.advance(self.clock.now(), self.clock.monotonic()))
        if any(ticks.pending for ticks in group):
            self.confirmation.check([ticks for ticks in group if ticks.unconfirmed])
        for ticks in group:
            now = self.clock.now()  # before the read that may show that no job did the ticks
            if pending := ticks.due(now, self.clock.monotonic()):
                self._try(ticks, pending)
                if missed := ticks.expire(now):
                    self.recorder.missed(ticks, missed)

    def delete(self, stream: Stream, kind: JobKind) -> tuple[Job, ...]:
        """Remove the jobs of a kind and discard its pending ticks; see `jobs.deletion`.

        Raise `StoreError` if the store fails, or if a job is left because no update can name it.
        """
        deadline = self.clock.deadline()
        with self.locks.hold(stream, deadline):
            store = self.store.within(deadline)
            deleted = delete_jobs(store, stream, kind, self.recorder.reporter.forget)
            until = self._discard(stream, kind)
        self.recorder.deleted(stream, kind, until, deleted)
        refuse_undeletable(deleted.left, len(deleted.removed))
        return deleted.removed

    def _discard(self, stream: Stream, kind: JobKind) -> datetime | None:
        """Discard the pending ticks of a kind; return the newest of them."""
        for ticks in self.ticks.get(stream.name, ()):
            if ticks.kind is kind and (
                until := ticks.discard(self.clock.now(), self.clock.monotonic())
            ):
                self.recorder.discarded(stream, kind, until)
                return until
        return None

    def _all(self) -> Iterator[PendingTicks]:
        for group in self.ticks.values():
            yield from group

    def _try(self, ticks: PendingTicks, pending: Pending) -> None:
        tick, now = pending.newest, self.clock.now()
        blocked = self._blocked_within_stream(ticks)
        # After its window, the store is read anyhow: only a read shows that a tick was missed.
        if blocked and now < pending.expires_at:
            self._defer(ticks, pending, blocked, verified=False)
            return
        self.recorder.log(tick, "trying to create a job")
        try:
            attempt = Attempt(
                since=pending.oldest,
                write=not blocked and ticks.may_write(now, self.clock.monotonic()),
                guarded=pending.guarded or ticks.policy.replicated,
                alone=not ticks.policy.standby_delay,
                fresh_until=pending.fresh_until if ticks.recurs else None,
            )
            outcome = self.creator.create_for_tick(tick, attempt)
        except StoreError as error:
            reason = Wait(str(error), obstacle=Obstacle.STORE)
            self._defer(ticks, pending, reason, verified=False)
        except Exception as error:
            log = log_about(_log, tick.stream, tick.kind, tick=tick)
            log.exception("tick %s failed unexpectedly", tick)
            why = Wait(f"an error in the service itself: {error}", obstacle=Obstacle.SERVICE)
            self._defer(ticks, pending, why)
        else:
            self._apply(ticks, pending, outcome, blocked)

    def _blocked_within_stream(self, ticks: PendingTicks) -> Wait | None:
        """Return what a tick has to wait for in its own stream, before the store is read."""
        group = self.ticks[ticks.stream.name]
        for other in group:
            if other.unconfirmed:
                reason = f"job {other.unconfirmed.job.uri} was sent and is not confirmed yet"
                return Wait(reason, obstacle=Obstacle.STORE)
        for other in group[: group.index(ticks)]:
            why = other.pending.why if other.pending else None
            if why and why.blocking:
                reason = f"behind the {other.kind.value}, which waits: {why.reason}"
                return replace(why, reason=reason)
        return None

    def _apply(
        self, ticks: PendingTicks, pending: Pending, outcome: TickOutcome, blocked: Wait | None
    ) -> None:
        """Note what a try came to."""
        tick = pending.newest
        match outcome:
            case Create():
                self._hold_back(ticks, pending, blocked)
            case SentJob(job, doubt):
                ticks.mark_sent(job, self.clock.now(), self.clock.monotonic())
                text = f"sent job {job.uri}, but {doubt}" if doubt else f"created job {job.uri}"
                self.recorder.log(tick, text, job.uri)
            case AlreadyDone(reason, job):
                ticks.complete(_done_until(ticks, tick, job, self.clock.now()))
                if ticks.pending:
                    self.recorder.log(tick, f"only earlier ones are {reason}", job.uri)
                else:
                    self.recorder.done(tick, reason, job.uri)
            case Wait():
                self._defer(ticks, pending, outcome)
            case Refuse(reason):
                ticks.complete(tick.fire_time)
                self.recorder.refused(tick, reason)
            case _:
                assert_never(outcome)

    def _hold_back(self, ticks: PendingTicks, pending: Pending, blocked: Wait | None) -> None:
        """Note that a job could be created, but that this try was not allowed to write."""
        if blocked is None and ticks.stand_by(self.clock.monotonic()):
            self.recorder.standing_by(pending)
        else:
            self._defer(ticks, pending, blocked or pending.why)

    def _defer(
        self, ticks: PendingTicks, pending: Pending, why: Wait, *, verified: bool = True
    ) -> None:
        ticks.defer(self.clock.monotonic(), why, self.clock.random(), verified=verified)
        self.recorder.deferred(pending, why)


def _done_until(ticks: PendingTicks, tick: Tick, job: Job, now: datetime) -> datetime:
    """Return up to which instant a job did the ticks of a schedule.

    A date in the future counts as now. A standby replica may find a job for only the oldest ticks.
    """
    created = min(job.created or tick.fire_time, now)
    return created if ticks.recurs and job.created else max(created, tick.fire_time)
