"""Which paths name a stream."""

from __future__ import annotations

from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, ValidationError

from jobs.model import Stream
from jobs.streams import Streams, UnknownStreamError
from settings.values import RESERVED_NAMES
from web.status.report import UNNAMED


def find(streams: Streams, name: str) -> Stream:
    """Return the stream that a path names; raise `UnknownStreamError` if there is none."""
    return streams.find(None if name == UNNAMED else name)


def converter(streams: Streams) -> type[BaseConverter]:
    """Return the URL converter from the first part of a path to a stream.

    Every method gets 404 for a stream that does not exist. The names of calls are no streams, so
    that other rules answer for them.
    """

    class StreamConverter(BaseConverter):
        def to_python(self, value: str) -> Stream:
            if value in RESERVED_NAMES:
                raise ValidationError
            try:
                return find(streams, value)
            except UnknownStreamError as error:
                raise NotFound(str(error)) from error

    return StreamConverter
