"""From process start to armed schedules: wait for the store, take up what a predecessor left."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from jobs.initiator import Surroundings
    from jobs.settler import Settler
    from jobs.store import JobStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Startup:
    """The way into service; `ready` is set at its end, and `stop` ends it early.

    `ping_seconds` lie between two looks for a store that is away.
    """

    store: JobStore
    settler: Settler
    arm: Callable[[], None]
    world: Surroundings
    ping_seconds: float
    ready: Event
    stop: Event

    def run(self) -> None:
        """Wait for the store, take up what a predecessor left, arm the schedules, be ready."""
        if self._succeeds(self._begin):
            self.arm()
            self.ready.set()
            _log.info("ready: the schedules are armed")

    def _begin(self) -> None:
        self.store.ping(self.world.deadline())
        self.settler.inherit()

    def _succeeds(self, attempt: Callable[[], None]) -> bool:
        """Wait until the store lets `attempt` succeed; return False if the service stops first."""
        waiting_for = ""
        while not self.stop.is_set():
            try:
                attempt()
            except StoreError as error:
                if str(error) != waiting_for:
                    _log.warning("waiting for the store: %s", error)
                waiting_for = str(error)
                self.stop.wait(self.ping_seconds)
            else:
                if waiting_for:
                    _log.info("the store answers")
                return True
        return False
