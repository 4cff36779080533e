"""The base class of the context managers that tests and the fault suite use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from types import TracebackType
from typing import Self


class Resource(ABC):
    """A context manager that releases what it acquired in reverse order.

    If `acquire` fails half way, the parts that it acquired until then are released.
    """

    _acquired: ExitStack

    @abstractmethod
    def acquire(self, stack: ExitStack) -> None:
        """Set up each part and put its release on the stack."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.acquire(stack)
            self._acquired = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._acquired.__exit__(kind, error, traceback)
