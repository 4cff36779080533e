"""From process start to armed schedules: wait for the store, then do what is due."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from jobs.model import JobKind, Trigger
from jobs.rules import RULES
from jobs.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jobs.initiator import Initiator, Surroundings
    from jobs.model import Stream
    from jobs.store import JobStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Startup:
    """The way into service; `ready` is set at its end, and `stop` ends it early.

    `ping_seconds` lie between two looks for a store that is away.
    """

    streams: Iterable[Stream]
    store: JobStore
    initiator: Initiator
    arm: Callable[[], None]
    world: Surroundings
    ping_seconds: float
    ready: Event
    stop: Event

    def run(self) -> None:
        """Wait for the store, create what is due at a start, arm the schedules, be ready.

        What could not be settled because the store went away again is tried until it can; it
        keeps no other stream waiting.
        """
        due = [
            (stream, kind)
            for stream in self.streams
            for kind, rule in RULES.items()
            if rule.started_by is Trigger.STARTUP and stream.plan(kind).enabled
        ]
        while self._store_answers():
            due = [(stream, kind) for stream, kind in due if not self._settled(stream, kind)]
            if not self.ready.is_set():
                self.arm()
                self.ready.set()
                _log.info("ready: the schedules are armed")
            if not due:
                return
            self.stop.wait(self.ping_seconds)

    def _settled(self, stream: Stream, kind: JobKind) -> bool:
        """Try to create a job; return whether that is settled, one way or the other."""
        try:
            self.initiator.initiate(stream, kind, Trigger.STARTUP)
        except StoreUnavailable as error:
            _log.warning("%s of %s waits for the store: %s", kind.value, stream, error)
            return False
        except StoreError as error:
            self.initiator.failed(stream, kind, error)
        return True

    def _store_answers(self) -> bool:
        """Wait until the store answers; return False if the service stops before that."""
        waiting = False
        while not self.stop.is_set():
            try:
                self.store.ping(self.world.deadline())
            except StoreError as error:
                if not waiting:
                    _log.warning("waiting for the store: %s", error)
                waiting = True
                self.stop.wait(self.ping_seconds)
            else:
                if waiting:
                    _log.info("the store answers")
                return True
        return False
