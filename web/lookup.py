"""Finding the stream that a call is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.model import Stream


class Streams:
    """All streams, by name without regard to case; the environment's has none."""

    def __init__(self, streams: Iterable[Stream]) -> None:
        self._streams = {_key(stream.name): stream for stream in streams}

    def find(self, name: str | None) -> Stream:
        """Return the stream; raise `NotFound` with the names that there are."""
        stream = self._streams.get(_key(name))
        if stream is None:
            raise NotFound(self._no_such_stream(name))
        return stream

    def _no_such_stream(self, name: str | None) -> str:
        names = ", ".join(stream.name for stream in self._streams.values() if stream.name)
        if name is None:
            return f"the environment sets up no stream; put a name in front: {names}"
        return f"there is no stream {name}; there is {names or 'only the one without a name'}"


def _key(name: str | None) -> str | None:
    return name if name is None else name.casefold()
