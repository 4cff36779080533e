"""Ticks that nothing prevented must create a job at once.

Otherwise a service that logs each tick as superseded by the next would pass all other checks.
"""

from __future__ import annotations

from tests.chaos.evidence import Evidence, Job, undisturbed
from tests.chaos.outcomes import Outcome, Tick
from tests.chaos.streams import Kind

AT_ONCE = 1.5  # seconds


def not_created(evidence: Evidence, ticks: list[Tick]) -> list[str]:
    """Return the ticks without a job that met no fault, no pause, no call and no active job."""
    created = (Outcome.CREATED, Outcome.LATER_JOB)
    return [
        f"{tick.schedule.label}: tick {tick.fire_time:.0f}, {tick.outcome}"
        for tick in ticks
        if tick.outcome not in created and _was_free(evidence, tick)
    ]


def _was_free(evidence: Evidence, tick: Tick) -> bool:
    """Return whether certainly nothing prevented the job of a tick."""
    history = evidence.history
    start, end = tick.fire_time - 1.0, tick.fire_time + AT_ONCE
    jobs = [job for job in evidence.jobs if job.stream == tick.schedule.stream]
    return (
        any(undisturbed(evidence, run, start, end) for run in history.process_runs)
        and not any(span.may_touch(start, end) for job in jobs for span in job.record.active)
        and not any(call.sent <= end and call.answered >= start for call in history.calls)
        and (not tick.schedule.waits_for_sync or _was_synced(jobs, start, end))
    )


def _was_synced(jobs: list[Job], start: float, end: float) -> bool:
    return any(
        span.covers(start, end)
        for job in jobs
        if job.kind is Kind.SYNC
        for span in job.record.succeeded
    )
