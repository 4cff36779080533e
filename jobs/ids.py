"""The ids of jobs, tasks and errors: two processes give the same thing the same id.

So two processes that handle one tick write the same triples, and a store merges them. The ids are
UUIDs of version 5 (RFC 9562), which are computed from a text.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from jobs.text import encodable

DERIVED = 5  # the version of a UUID from a name


def tick_job(operation: str, fire_time: datetime) -> str:
    """Return the id of a tick's job."""
    return _id(operation, _instant(fire_time))


def startup_job(operation: str, previous: str | None) -> str:
    """Return the id of the job of a start; `previous` is the URI of the job before it, if any."""
    return _id(operation, "startup", previous or "first")


def is_derived(text: str) -> bool:
    """Return whether this is an id from a text; the id of a job by request is a random UUID."""
    try:
        return UUID(text).version == DERIVED
    except ValueError:
        return False


def first_task(job_id: str) -> str:
    """Return the id of a job's task with index 0."""
    return _id(job_id, "0")


def error(subject: str, cause: str, period: datetime) -> str:
    """Return the id of the error about a subject and cause in the period that begins then."""
    return _id(subject, cause, _instant(period))


def _id(*parts: str) -> str:
    """Return the id of some parts; they hold no white space, so that none can be confused."""
    return str(uuid5(NAMESPACE_URL, encodable(" ".join(parts))))


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")
