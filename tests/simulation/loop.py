"""Virtual time: a queue of events, and pieces of work that sleep without threads.

A piece of work is a greenlet of one service process. It runs until it sleeps, and then the next
event runs. The order depends on virtual time alone, so that a run can be repeated exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Protocol

from greenlet import GreenletExit, getcurrent, greenlet


class Owner(Protocol):
    """What work belongs to: a service process, which can be paused or dead."""

    dead: bool
    paused_until: float

    def failed(self, error: Exception) -> None:
        """Note that work ended with an exception that the service did not handle."""


class Work(greenlet):  # type: ignore[misc] # greenlet has no types
    """One piece of work of a process."""

    owner: Owner


class Loop:
    """The events of one world, in the order of virtual time; `now` is in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self._queue: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._number = 0
        self._hub = getcurrent()

    def at(self, when: float, run: Callable[..., object], *args: object) -> None:
        """Run something at an instant, or now if the instant has passed."""
        self._number += 1
        heappush(self._queue, (max(when, self.now), self._number, run, args))

    def after(self, seconds: float, run: Callable[..., object], *args: object) -> None:
        """Run something after some seconds."""
        self.at(self.now + seconds, run, *args)

    def run_until(self, end: float) -> None:
        """Run every event up to an instant."""
        queue = self._queue
        self._hub = getcurrent()
        while queue and queue[0][0] <= end:
            self.now, _, run, args = heappop(queue)
            run(*args)
        self.now = end

    def start(self, owner: Owner, run: Callable[..., object], *args: object) -> Work:
        """Begin a piece of work now; it runs until it sleeps for the first time."""

        def whole() -> None:
            try:
                run(*args)
            except GreenletExit:
                pass
            except Exception as error:  # noqa: BLE001 # as APScheduler: the thread survives
                owner.failed(error)

        work = Work(whole, self._hub)
        work.owner = owner
        self.at(self.now, self.resume, work)
        return work

    def sleep(self, seconds: float) -> None:
        """Suspend the current piece of work."""
        self.at(self.now + seconds, self.resume, getcurrent())
        self._hub.switch()

    def wait(self) -> None:
        """Suspend the current piece of work until `resume` is called for it."""
        self._hub.switch()

    def resume(self, work: Work) -> None:
        """Continue a piece of work; work of a paused process continues after the pause."""
        owner = work.owner
        if owner.dead or work.dead:
            return
        if owner.paused_until > self.now:
            self.at(owner.paused_until, self.resume, work)
        else:
            work.switch()


class Flag:
    """A `threading.Event` in virtual time; only its timeout ends a wait."""

    def __init__(self, loop: Loop) -> None:
        self._loop, self._set = loop, False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def wait(self, timeout: float) -> bool:
        self._loop.sleep(timeout)
        return self._set
