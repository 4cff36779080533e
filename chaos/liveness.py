"""The other half of the promise: a tick that nothing stands in the way of is created at once.

A service that superseded every tick by the next, and said so, would pass every other check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaos.accounting import Fate, Tick
from chaos.streams import Kind

if TYPE_CHECKING:
    from chaos.evidence import Evidence, Job
    from chaos.history import Life

AT_ONCE = 1.5  # seconds


def neglected(evidence: Evidence, ticks: list[Tick]) -> list[str]:
    """Return the ticks that met no fault, no pause, no call and no active job, and no job came."""
    judge = _Judge(evidence)
    created = (Fate.CREATED, Fate.LATER_JOB)
    return [
        f"{tick.schedule.who}: tick {tick.fire_time:.0f}, {tick.fate}"
        for tick in ticks
        if tick.fate not in created and judge.was_free(tick)
    ]


class _Judge:
    """Tells whether anything stood in a tick's way; when in doubt it did."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._history = evidence.history

    def was_free(self, tick: Tick) -> bool:
        """Tell whether the store was free for this tick, and some process for it."""
        start, end = tick.fire_time - 1.0, tick.fire_time + AT_ONCE
        jobs = [job for job in self._evidence.jobs if job.stream == tick.schedule.stream]
        return (
            any(self._attended(life, start, end) for life in self._history.lives)
            and not any(self._busy(job, start, end) for job in jobs)
            and not any(call.sent <= end and call.answered >= start for call in self._history.calls)
            and (not tick.schedule.waits_for_sync or self._synced(jobs, start, end))
        )

    def _attended(self, life: Life, start: float, end: float) -> bool:
        """Tell whether a life of the first slot was there, with a clear way to the store.

        A fault shortly before leaves open what it did, and keeps the process waiting.
        """
        times = self._history.times
        before = start - times.timeout - times.settle - times.longest_pause
        came = life.slot == 0 and life.ready is not None and life.ready < before
        stayed = life.ended is None or life.ended > end
        if not (came and stayed) or life.paused(before, end):
            return False
        return not any(
            trouble.process == life.process and trouble.start <= end and trouble.end >= before
            for trouble in self._history.troubles
        )

    def _busy(self, job: Job, start: float, end: float) -> bool:
        return any(span.may_touch(start, end) for span in job.record.active)

    def _synced(self, jobs: list[Job], start: float, end: float) -> bool:
        return any(
            span.covers(start, end)
            for job in jobs
            if job.kind is Kind.SYNC
            for span in job.record.succeeded
        )
