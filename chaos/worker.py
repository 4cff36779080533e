"""Threads that do something again and again until the run is over."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class Worker(threading.Thread, ABC):
    """A thread that lives as long as a `with` block; `error` is what it failed of."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.error: Exception | None = None
        self.over = threading.Event()

    @abstractmethod
    def work(self) -> None:
        """Do the work, and return soon after `over` is set."""

    def run(self) -> None:
        """Work, and keep an error for the thread that looks after all."""
        try:
            self.work()
        except Exception as error:  # noqa: BLE001 - raised again by the thread that looks after all
            self.error = error

    def finish(self) -> None:
        """End the work, and raise what it failed of."""
        self.over.set()
        self.join()
        self.check()

    def check(self) -> None:
        """Raise what the work failed of, if it did."""
        if self.error is not None:
            raise RuntimeError(f"{self.name} failed") from self.error

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.over.set()
        self.join()
