"""Threads that work until the run is over."""

from __future__ import annotations

import threading
from abc import abstractmethod
from contextlib import ExitStack

from tests.support.contexts import Resource


class Worker(threading.Thread, Resource):
    """A thread that runs as long as a `with` block, and keeps the exception that ended it."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.error: Exception | None = None
        self.over = threading.Event()

    @abstractmethod
    def work(self) -> None:
        """Do the work, and return soon after `over` is set."""

    def run(self) -> None:
        """Work, and keep an exception for `check`."""
        try:
            self.work()
        except Exception as error:  # noqa: BLE001 - `check` raises it in the main thread
            self.error = error

    def finish(self) -> None:
        """End the work, and raise the exception that it failed with."""
        self.over.set()
        self.join()
        self.check()

    def check(self) -> None:
        """Raise the exception that the work failed with, if any."""
        if self.error is not None:
            raise RuntimeError(f"{self.name} failed") from self.error

    def acquire(self, stack: ExitStack) -> None:
        """Run the thread until the block ends."""
        self.start()
        stack.callback(self.join)
        stack.callback(self.over.set)
