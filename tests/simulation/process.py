"""One process of the service: the real domain, started, paused and killed in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from greenlet import GreenletExit, getcurrent

from jobs.clock import Clock
from jobs.composition import Domain
from jobs.ticks.startup import Startup
from tests.simulation.loop import Flag, Loop, Work
from tests.simulation.wakeups import VirtualScheduler

CLOCK_CHECK_SECONDS = 1.0
PING_SECONDS = 2.0
NEW_ID = "00000000"  # the beginning of the ids of jobs by request


@dataclass(eq=False)
class Process:
    """A process that lives from `start` to `kill`."""

    name: str
    slot: int
    loop: Loop
    random: Random
    on_failure: Callable[[str], None]
    on_ready: Callable[[], None]
    dead: bool = False
    paused_until: float = 0.0
    works: dict[Work, None] = field(default_factory=dict)
    new_ids: int = 0

    def clock(self, wall: Callable[[], datetime], timeout: float) -> Clock:
        return Clock(
            now=wall,
            monotonic=lambda: self.loop.now,
            new_id=self._new_id,
            random=self.random.random,
            timeout=timeout,
        )

    def start(self, domain: Domain, wall: Callable[[], datetime]) -> None:
        """Start as `app.start_up` does."""
        self.domain = domain
        self.scheduler = VirtualScheduler(
            self.loop, self.work, wall, lambda: 0.001 + 0.004 * self.random.random()
        )
        domain.scheduler._scheduler = self.scheduler  # noqa: SLF001 # APScheduler's place
        startup = Startup(
            store=domain.store,
            reconciler=domain.reconciler,
            start_schedules=domain.scheduler.start,
            clock=domain.clock,
            ping_seconds=PING_SECONDS,
            ready=_Ready(self.loop, self.on_ready),  # type: ignore[arg-type]
            stop=Flag(self.loop),  # type: ignore[arg-type]
        )
        self.work(startup.run)
        self.loop.after(CLOCK_CHECK_SECONDS, self._check_clock)

    def _check_clock(self) -> None:
        """Check for a set clock, as the main thread of the service does."""
        if not self.dead:
            self.domain.scheduler.check_clock()
            self.loop.after(CLOCK_CHECK_SECONDS, self._check_clock)

    def work(self, run: Callable[..., object], *args: object) -> Work:
        """Begin a piece of work."""
        work = self.loop.start(self, run, *args)
        self.works[work] = None
        if len(self.works) > 50:
            self.works = {one: None for one in self.works if not one.dead}
        return work

    def kill(self) -> None:
        """End at once, as after `kill -9`; what was sent stays on its way."""
        if self.dead:
            return
        self.dead = True
        self.scheduler.running = False
        for work in self.works:
            if not work.dead and work is not getcurrent():
                work.throw(GreenletExit)
        self.works = {}

    def pause(self, seconds: float) -> None:
        self.paused_until = max(self.paused_until, self.loop.now + seconds)

    def failed(self, error: Exception) -> None:
        self.on_failure(f"{type(error).__name__}: {error}")

    def _new_id(self) -> str:
        """Return a new id; only jobs by request get one, and the auditor knows them by it."""
        self.new_ids += 1
        return f"{NEW_ID}-{self.random.getrandbits(32):08x}-{self.new_ids}"


class _Ready(Flag):
    def __init__(self, loop: Loop, done: Callable[[], None]) -> None:
        super().__init__(loop)
        self._done = done

    def set(self) -> None:
        super().set()
        self._done()
