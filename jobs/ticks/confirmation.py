"""Confirming sent jobs: a read shows whether they exist, and what their ticks need next."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from jobs.clock import Clock
from jobs.locks import StreamLocks
from jobs.model import Job
from jobs.store import JobStore, StoreError
from jobs.text import count
from jobs.ticks.pending import PendingTicks
from jobs.ticks.policy import FIRST_PAUSE
from jobs.ticks.recorder import TickRecorder
from jobs.ticks.schedules import TicksByStream
from jobs.ticks.states import Unconfirmed

_log = logging.getLogger(__name__)


@dataclass
class Confirmation:
    """Reads whether sent jobs exist, those of all streams in one query."""

    ticks: TicksByStream
    store: JobStore
    locks: StreamLocks
    recorder: TickRecorder
    clock: Clock
    _busy_until: dict[str | None, float] = field(default_factory=dict, init=False)

    def next_check(self) -> float | None:
        """Return when to read whether sent jobs exist, on the monotonic clock, or None."""
        return min(
            (self._check_at(ticks) for ticks in self._all() if ticks.unconfirmed), default=None
        )

    def _check_at(self, ticks: PendingTicks) -> float:
        """Return when to confirm; later if the stream's lock was taken at the last try."""
        check_at = ticks.unconfirmed.check_at if ticks.unconfirmed else math.inf
        return max(check_at, self._busy_until.get(ticks.stream.name, -math.inf))

    def confirm(self) -> None:
        """Read in one query whether the sent jobs exist whose confirmation is due."""
        elapsed = self.clock.monotonic()
        self.check([t for t in self._all() if t.unconfirmed and self._check_at(t) <= elapsed])

    def check(self, unconfirmed: Sequence[PendingTicks]) -> None:
        """Read whether the jobs of these schedules exist."""
        elapsed = self.clock.monotonic()  # before the read: what it shows is at least as new
        waiting = [(ticks, ticks.unconfirmed) for ticks in unconfirmed if ticks.unconfirmed]
        found = self._find([sent.job.uri for _, sent in waiting])
        for ticks, sent in waiting:
            self._apply_found(ticks, sent, found, elapsed)

    def _find(self, uris: Sequence[str]) -> dict[str, Job] | None:
        """Return which jobs exist; None if the store does not answer."""
        try:
            if not uris:
                return {}
            store = self.store.within(self.clock.deadline())
            return {job.uri: job for job in store.find(uris)}
        except StoreError as error:
            _log.info("could not read whether %s exist: %s", count(len(uris), "sent job"), error)
            return None

    def _apply_found(
        self, ticks: PendingTicks, sent: Unconfirmed, found: dict[str, Job] | None, elapsed: float
    ) -> None:
        """Note what a read found for a sent job; None means that nothing is known."""
        try:
            with self.locks.hold(ticks.stream, self.clock.deadline(0)):
                if ticks.unconfirmed is sent:
                    self._settle(ticks, sent, found, elapsed)
        except StoreError:  # another tick of the stream is being handled, which reads the same
            pause = max(FIRST_PAUSE, elapsed - sent.sent_at)
            self._busy_until[ticks.stream.name] = self.clock.monotonic() + pause

    def _settle(
        self, ticks: PendingTicks, sent: Unconfirmed, found: dict[str, Job] | None, elapsed: float
    ) -> None:
        job, tick = (found or {}).get(sent.job.uri), sent.pending.newest
        over = ticks.settle_time_over(elapsed)
        if job and (job.tasks or over):
            ticks.complete(tick.fire_time)
            text = f"done by job {job}" + ("" if job.tasks else ", whose task is still missing")
            self.recorder.created(tick, text, job.uri, sent.lateness)
        elif found is None or not over:
            ticks.confirm_later(elapsed)
        else:
            text = f"job {sent.job.uri} was never stored"
            self.recorder.log(tick, text, sent.job.uri, logging.WARNING)
            self.recorder.superseded(ticks.requeue(elapsed))

    def _all(self) -> Iterator[PendingTicks]:
        for group in self.ticks.values():
            yield from group
