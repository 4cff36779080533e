"""Which id a job, task or error gets: what two processes make of the same thing is the same.

So two that settle one tick write the very same triples, and a store merges them. The names are
UUIDs of version 5 (RFC 9562), which derive from a text.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

if TYPE_CHECKING:
    from datetime import datetime


def _id(*parts: str) -> str:
    """Return the id of a text; no part holds white space, so that parts can't be mixed up.

    Half a character (a lone surrogate), as a store may hand one over, counts as `?`.
    """
    return str(uuid5(NAMESPACE_URL, " ".join(parts).encode(errors="replace").decode()))


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def tick_job(operation: str, fire_time: datetime) -> str:
    """Return the id of the job that a tick makes."""
    return _id(operation, _instant(fire_time))


def startup_job(operation: str, previous: str | None) -> str:
    """Return the id of the job made at a start, after the one of the URI `previous`."""
    return _id(operation, "startup", previous or "first")


def first_task(job_id: str) -> str:
    """Return the id of a job's task with index 0."""
    return _id(job_id, "0")


def error(thing: str, what: str, period: datetime) -> str:
    """Return the id of the error that says what is wrong with a thing in a period of time."""
    return _id(thing, what, _instant(period))
