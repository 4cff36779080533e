"""Resuming ticks that an earlier process left, or that this one met while its clock was wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.clock import EARLIEST, Clock
from jobs.model import Job, Tick
from jobs.store import BoundStore, JobStore, StoreError
from jobs.ticks.history import (
    READ_AGE,
    STEP,
    last_before,
    long_before,
    newest_of_tick,
    tick_job,
    tick_of,
)
from jobs.ticks.pending import PendingTicks
from jobs.ticks.recorder import TickRecorder

NO_PROOF = "no job shows that its pattern was used, and {}"
OTHER_PATTERN = NO_PROOF.format("its operation has other jobs")
NEW_STREAM = NO_PROOF.format("the stream's first jobs are newer")
TOO_OLD = NO_PROOF.format("its window is over")
CHANGED_PATTERN = "the newest job of a tick, {}, is of another pattern"
CHANGED = "its window is over, and the configuration was changed after it"


@dataclass(frozen=True)
class Resumption:
    """Makes the newest tick of a schedule pending again, if it was due and no job did it.

    A time before a pattern was used is no tick. The job of an earlier tick shows by its
    identity that the pattern was used. `configured` is when the configuration was changed the
    last time, as far as it is known. `started` is in monotonic seconds.
    """

    store: JobStore
    recorder: TickRecorder
    clock: Clock
    started: float
    configured: datetime | None

    def at_start(self, schedules: Iterable[PendingTicks]) -> None:
        """Resume what an earlier process left; raise `StoreError` if the store fails."""
        recurring = [ticks for ticks in schedules if ticks.recurs]
        found = self._find({ticks: [ticks.handled_until] for ticks in recurring})
        left = [ticks for ticks in recurring if ticks not in found]
        operations = {one for ticks in left for one in ticks.stream.operations}
        in_use = self._bound().in_use(sorted(operations))
        for fire_times in (last_before, long_before):
            left = [one for one in left if one not in found and one.operation in in_use]
            found |= self._find(
                {ticks: list(fire_times(ticks.schedule, ticks.handled_until)) for ticks in left}
            )
        unproven = [ticks for ticks in recurring if ticks not in found]
        old = self._older_streams(unproven, in_use)
        others: dict[PendingTicks, Job] = {}
        for ticks, job in self._newest_jobs(recurring, in_use, found):
            if fire_time := tick_of(ticks, job):
                found[ticks] = fire_time
            else:
                others[ticks] = job
        for ticks in recurring:
            if other := others.get(ticks):
                self.recorder.not_resumed(_newest(ticks), CHANGED_PATTERN.format(other))
            elif last := found.get(ticks):
                self._resume_after(ticks, last)
            else:
                self._resume_without_proof(ticks, in_use, old)

    def after_step_back(self, ticks: PendingTicks) -> None:
        """Resume what a schedule left while the clock was ahead.

        A schedule without jobs is resumed from the true start of this process, or from the moment
        at which a person removed its jobs. So is one whose jobs cannot be read: the try of the tick
        reads whether a job did it.
        """
        if ticks.pending or ticks.unconfirmed:
            return
        newest = ticks.handled_until
        candidates = [newest, *last_before(ticks.schedule, newest)]
        try:
            last = self._find({ticks: candidates}).get(ticks)
        except StoreError:
            last = None
        begin = max(self.started, ticks.cleaned_at)
        true_begin = self.clock.now() - timedelta(seconds=self.clock.monotonic() - begin)
        self._resume(ticks, last or true_begin)

    def _find(
        self, candidates: Mapping[PendingTicks, Collection[datetime]]
    ) -> dict[PendingTicks, datetime]:
        """Return the newest of these fire times of each schedule that has a job."""
        by_uri = {
            tick_job(ticks, fire_time): (ticks, fire_time)
            for ticks, fire_times in candidates.items()
            for fire_time in fire_times
        }
        found: dict[PendingTicks, datetime] = {}
        for job in self._bound().find(list(by_uri)):
            ticks, fire_time = by_uri[job.uri]
            found[ticks] = max(fire_time, found.get(ticks, fire_time))
        return found

    def _newest_jobs(
        self,
        recurring: Iterable[PendingTicks],
        in_use: Collection[str],
        found: Mapping[PendingTicks, datetime],
    ) -> Iterator[tuple[PendingTicks, Job]]:
        """Yield the newest job of a tick, of each schedule whose newest tick has none.

        It may be of another pattern, which was in use before, or have been in use in between. It
        may also be of a tick that was not looked up.
        """
        left = [
            ticks
            for ticks in recurring
            if ticks.operation in in_use and found.get(ticks) != ticks.handled_until
        ]
        if left:
            operations = sorted({ticks.operation for ticks in left})
            jobs = self._bound().recent(operations, self.clock.now() - READ_AGE)
            newest = ((ticks, newest_of_tick(jobs, ticks.operation)) for ticks in left)
            yield from ((ticks, job) for ticks, job in newest if job)

    def _resume_after(self, ticks: PendingTicks, last: datetime) -> None:
        """Resume a schedule whose last tick with a job is known."""
        newest = ticks.handled_until
        changed = self.configured is not None and self.configured > newest
        if last >= newest:
            job = tick_job(ticks, newest)
            self.recorder.done(_newest(ticks), f"done by job {job}", job)
        elif changed and not self._in_window(ticks):
            self.recorder.not_resumed(_newest(ticks), CHANGED)
        else:
            self._resume(ticks, last)

    def _older_streams(
        self, unproven: Iterable[PendingTicks], in_use: Collection[str]
    ) -> set[PendingTicks]:
        """Return the schedules whose stream has a job from before their tick.

        It is looked for among the jobs that the store finds first. Without one, the tick is from
        before the first start of the stream: a process that starts soon after that one finds its
        jobs.
        """
        wanted = [one for one in unproven if one.operation not in in_use and self._in_window(one)]
        used = {name for one in wanted for name in one.stream.operations if name in in_use}
        oldest: dict[str, datetime] = {}
        for job in self._bound().some_of(sorted(used)) if used else ():
            created = job.created or EARLIEST
            oldest[job.operation] = min(created, oldest.get(job.operation, created))
        return {
            ticks
            for ticks in wanted
            if any(oldest[x] < ticks.handled_until for x in ticks.stream.operations if x in oldest)
        }

    def _resume_without_proof(
        self, ticks: PendingTicks, in_use: Collection[str], old: Collection[PendingTicks]
    ) -> None:
        """Resume a schedule of which no tick has a job, if only its jobs were removed."""
        if ticks.operation in in_use:
            self.recorder.not_resumed(_newest(ticks), OTHER_PATTERN)
        elif not any(operation in in_use for operation in ticks.stream.operations):
            return  # the stream is new
        elif not self._in_window(ticks):
            self.recorder.not_resumed(_newest(ticks), TOO_OLD)
        elif ticks not in old:
            self.recorder.not_resumed(_newest(ticks), NEW_STREAM)
        else:
            self._resume(ticks, ticks.handled_until - STEP)

    def _resume(self, ticks: PendingTicks, since: datetime) -> None:
        superseded = ticks.resume(self.clock.now(), self.clock.monotonic(), since)
        if ticks.pending:
            pause = ticks.pending.retry_at - self.clock.monotonic()
            self.recorder.resumed(ticks.pending.newest, pause)
        self.recorder.superseded(superseded)

    def _in_window(self, ticks: PendingTicks) -> bool:
        return self.clock.now() < ticks.handled_until + ticks.policy.window

    def _bound(self) -> BoundStore:
        return self.store.within(self.clock.deadline())


def _newest(ticks: PendingTicks) -> Tick:
    return Tick(ticks.stream, ticks.kind, ticks.handled_until)
