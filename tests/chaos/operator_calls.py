"""An operator who calls the API of the processes, also at inconvenient moments."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue

from tests.chaos.events import OperatorCall
from tests.chaos.history import ApiCall
from tests.chaos.processes import ServiceProcess
from tests.chaos.worker import Worker

POLL_INTERVAL = 0.2  # seconds


class Operator(Worker):
    """Makes the requested calls one after the other."""

    def __init__(self, processes: list[ServiceProcess]) -> None:
        super().__init__("operator")
        self.calls: list[ApiCall] = []
        self._processes = processes
        self._queue: SimpleQueue[OperatorCall] = SimpleQueue()

    def enqueue(self, call: OperatorCall) -> None:
        """Request a call, which is made when the call before is answered."""
        self._queue.put(call)

    def work(self) -> None:
        """Make calls until the run is over."""
        while not self.over.is_set():
            try:
                self._make(self._queue.get(timeout=POLL_INTERVAL))
            except Empty:
                continue

    def _make(self, call: OperatorCall) -> None:
        sent = time.time()
        status = self._processes[call.process].call(call.method, call.stream.path(call.kind))
        self.calls.append(
            ApiCall(
                process=call.process,
                method=call.method,
                operation=call.stream.operation(call.kind),
                sent=sent,
                answered=time.time(),
                status=status,
            )
        )
