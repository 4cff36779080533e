"""All configured streams, found by name or by job operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

from jobs.model import Stream


class UnknownStreamError(LookupError):
    """No stream has the name; the message lists the names that exist."""


class Streams(Sequence[Stream]):
    """All streams in their configured order; equal to another one with the same streams."""

    def __init__(self, streams: Iterable[Stream]) -> None:
        self._streams = tuple(streams)
        self._by_name = {_key(stream.name): stream for stream in self._streams}
        self._by_operation = {
            operation: stream for stream in self._streams for operation in stream.operations
        }

    @overload
    def __getitem__(self, index: int) -> Stream: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Stream, ...]: ...
    def __getitem__(self, index: int | slice) -> Stream | tuple[Stream, ...]:
        return self._streams[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Streams) and self._streams == other._streams

    def __hash__(self) -> int:
        return hash(self._streams)

    def __len__(self) -> int:
        return len(self._streams)

    def find(self, name: str | None) -> Stream:
        """Return the stream of a name, ignoring case; None is the environment's.

        Raise `UnknownStreamError` if there is none.
        """
        if _key(name) in self._by_name:
            return self._by_name[_key(name)]
        names = ", ".join(stream.name for stream in self if stream.name)
        if name is None:
            raise UnknownStreamError(f"the environment sets up no stream; add a name: {names}")
        existing = names or "only the stream without a name"
        raise UnknownStreamError(f"there is no stream {name}; there is {existing}")

    def by_operation(self, operation: str) -> Stream:
        """Return the stream that has a job operation; raise KeyError if none has."""
        return self._by_operation[operation]

    @property
    def operations(self) -> tuple[str, ...]:
        """The job operations of all streams."""
        return tuple(self._by_operation)

    @property
    def task_operations(self) -> tuple[str, ...]:
        """The task operations of all streams, each once."""
        return tuple(dict.fromkeys(plan.task_operation for one in self for plan in one.plans))


def _key(name: str | None) -> str | None:
    return name if name is None else name.casefold()
