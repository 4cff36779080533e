"""From the start of the process to running schedules: wait for the store, resume ticks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

from jobs.clock import Clock
from jobs.store import JobStore, StoreError
from jobs.ticks.reconciler import Reconciler

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Startup:
    """Brings the service into operation.

    `ping_seconds` is the pause between two tries while the store is absent. `ready` is set when
    the schedules run; `stop` ends the start early.
    """

    store: JobStore
    reconciler: Reconciler
    start_schedules: Callable[[], None]
    clock: Clock
    ping_seconds: float
    ready: Event
    stop: Event

    def begin(self) -> None:
        """Run in the background; set `stop` if that fails unexpectedly."""
        Thread(target=self._run_or_stop, name="startup", daemon=True).start()

    def _run_or_stop(self) -> None:
        try:
            self.run()
        except Exception:  # noqa: BLE001 - a live server without schedules would be worse
            _log.critical("the start failed unexpectedly", exc_info=True)
            self.stop.set()

    def run(self) -> None:
        """Wait for the store, resume what an earlier process left, and start the schedules."""
        if self._resumed():
            self.start_schedules()
            self.ready.set()
            _log.info("ready: the schedules are armed")

    def _resumed(self) -> bool:
        """Try until the store answers; return False if the service stops before that."""
        waiting_for = ""
        while not self.stop.is_set():
            try:
                self.store.within(self.clock.deadline()).ping()
                self.reconciler.resume()
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
