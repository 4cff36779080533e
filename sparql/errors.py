"""Every way in which a request can end without a usable answer.

    jobs.store.StoreError
    └─ SparqlError
       ├─ Unreachable   refused, unknown host, connection lost, or a gateway says so (502, 503, 504)
       ├─ TimedOut      no whole answer within the caller's time
       ├─ Rejected      the store answered with another status than success; redirects too
       └─ BadAnswer     status 200 with something that is no answer: HTML, cut JSON, partial rows

An update that ended with an error that is `in_doubt` may have been applied, or may be later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from jobs.store import StoreError, StoreUnavailable
from jobs.text import one_line
from sparql.terms import TermError

MAX_MESSAGE = 400  # characters: the URL, what is wrong, and the beginning of the answer


class SparqlError(StoreError):
    """A request that ended without a usable answer; its text is one short line."""

    def __str__(self) -> str:
        """Return the message; parts of it come from the store, in any length and form."""
        return one_line(super().__str__(), MAX_MESSAGE)


class Unreachable(SparqlError, StoreUnavailable):
    """No store answers there, or the connection to it was lost."""


class TimedOut(SparqlError, StoreUnavailable):
    """No whole answer came within the caller's time."""


class Rejected(SparqlError):
    """The store answered with a status of failure; after 5xx an update may be applied."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.in_doubt = status >= HTTPStatus.INTERNAL_SERVER_ERROR


class BadAnswer(SparqlError):
    """The store answered with something else than what was asked."""

    in_doubt = True


@contextmanager
def writable() -> Iterator[None]:
    """Report a URI that came from the store and cannot be written as a failure of the store."""
    try:
        yield
    except TermError as error:
        raise SparqlError(f"this job can't be changed: {error}") from error
