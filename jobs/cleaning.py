"""Removing all jobs of a kind, running ones too: what operators do about a stream that hangs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from jobs.journal import about
from jobs.rules import listed
from jobs.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from jobs.model import Job, JobKind, Stream
    from jobs.store import Deadline, JobStore

_log = logging.getLogger(__name__)


def clean(store: JobStore, stream: Stream, kind: JobKind, deadline: Deadline) -> tuple[Job, ...]:
    """Remove the jobs of a kind with their tasks and errors, and return them.

    One batch after the other, so that no update is too large for a store, and what was done
    stays done. To be called in the stream's turn. Raise `NoOperationError` where no operation is
    configured for the kind, `StoreError` where the store fails.
    """
    operation = stream.operation(kind)
    removed: dict[str, Job] = {}
    try:
        while batch := store.batch_of(operation, deadline):
            if removed.keys() >= {job.uri for job in batch}:
                raise StoreUnavailable("the store does not remove what it says it did", sent=True)
            store.delete(batch, deadline)
            removed |= {job.uri: job for job in batch}
    except StoreError as error:
        if not removed:
            raise
        message = f"{error}; {len(removed)} jobs were removed before that, call again for the rest"
        raise StoreUnavailable(message, sent=True) from error
    finally:
        _tell(stream, kind, tuple(removed.values()))
    return tuple(removed.values())


def _tell(stream: Stream, kind: JobKind, jobs: tuple[Job, ...]) -> None:
    running = [job for job in jobs if job.active]
    text = f"{len(jobs)} jobs with their tasks and errors" if jobs else "no jobs"
    text += f", {len(running)} of them running: {listed(running)}" if running else ""
    line = "%s of %s: cleaned by request: %s"
    _log.info(line, kind.value, stream, text, extra=about(stream, kind))
