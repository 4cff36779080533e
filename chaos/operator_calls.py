"""An operator who calls the API of one process or another, at the worst moments."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from chaos.history import Asked
from chaos.worker import Worker

if TYPE_CHECKING:
    from chaos.events import Call
    from chaos.processes import Process

POLL = 0.2


class Operator(Worker):
    """Makes one call after the other, as they are asked for."""

    def __init__(self, processes: list[Process]) -> None:
        super().__init__("operator")
        self.calls: list[Asked] = []
        self._processes = processes
        self._queue: SimpleQueue[Call] = SimpleQueue()

    def ask(self, call: Call) -> None:
        """Have a call made as soon as the one before is answered."""
        self._queue.put(call)

    def work(self) -> None:
        """Make the calls until the run is over."""
        while not self.over.is_set():
            try:
                self._make(self._queue.get(timeout=POLL))
            except Empty:
                continue

    def _make(self, call: Call) -> None:
        sent = time.time()
        status = self._processes[call.process].call(call.method, call.stream.path(call.kind))
        self.calls.append(
            Asked(
                process=call.process,
                method=call.method,
                operation=call.stream.operation(call.kind),
                sent=sent,
                answered=time.time(),
                status=status,
            )
        )
