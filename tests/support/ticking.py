"""One stream whose ticks are handled at instants that the test chooses."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from jobs.model import Status, Stream
from jobs.ticks.policy import TickPolicy
from tests.support.builders import (
    DUMP,
    HEALING,
    HOUR,
    INITIAL_SYNC,
    MINUTE,
    SECOND,
    TestClock,
    at,
    operation,
    stream_of,
)
from tests.support.domain import Harness
from tests.support.fakes import FakeJobStore

START, SIX = at("2024-01-06T05:00:00"), at("2024-01-06T06:00:00")
SIX_DAILY = "0 6 * * *"
POLICY = TickPolicy(window=HOUR, settle_time=10 * SECOND, max_pause=MINUTE)
DUMP_AT_SIX = f"{operation(DUMP)} 06:00:00"
HEALING_AT_SIX = f"{operation(HEALING)} 06:00:00"


class OneStream(Harness):
    """The reconciler of one stream; several with one clock and store are replicas."""

    def __init__(
        self,
        stream: Stream,
        policy: TickPolicy = POLICY,
        clock: TestClock | None = None,
        store: FakeJobStore | None = None,
        configured: datetime | None = None,
    ) -> None:
        clock, store = clock or TestClock(now=START), store or FakeJobStore()
        super().__init__((stream,), clock, store, policy=policy, configured=configured)
        self.stream = stream

    def reconcile(self, now: datetime) -> None:
        """Let time pass, confirm what was sent, and handle what is due."""
        self.clock.move_to(now)
        self.confirmation.confirm()
        self.reconciler.reconcile(self.stream)

    def reconcile_often(self, until: datetime, every: timedelta = SECOND) -> None:
        """Let time pass, and handle again and again what is due."""
        while self.clock.now < until:
            self.reconcile(self.clock.now + every)

    def restarted(self) -> OneStream:
        """Return the process that follows this one, which has resumed its ticks."""
        successor = OneStream(self.stream, self.policy, self.clock, self.store)
        successor.reconciler.resume()
        return successor

    @property
    def sent(self) -> list[str]:
        """The jobs that were sent, as operation and time."""
        return [f"{job.job_operation} {job.created:%H:%M:%S}" for job in self.store.created]

    def finish_jobs(self) -> None:
        """Set every job to success."""
        done = [replace(job, status=Status.SUCCESS) for job in self.store.jobs.values()]
        self.store.add(*done)


def ticking(**patterns: str) -> Stream:
    """Return a stream without an initial sync, with these cron patterns."""
    kinds = {"healing": HEALING, "dump": DUMP}
    return stream_of(
        patterns={kinds[name]: text for name, text in patterns.items()},
        disabled=[INITIAL_SYNC],
        healing_waits=False,
    )


def syncing() -> Stream:
    """Return a stream that has only an initial sync, at each start."""
    return stream_of(patterns={})
