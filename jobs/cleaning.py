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


MOST_VAIN = 3  # updates in a row that removed nothing, as a read tells


def clean(store: JobStore, stream: Stream, kind: JobKind, deadline: Deadline) -> tuple[Job, ...]:
    """Remove the jobs of a kind with their tasks and errors, and return them.

    One batch after the other, so that no update is too large for a store, and what was done
    stays done. Each read tells what the update before it has removed: a store may say that it
    failed when it did not (Virtuoso's deadlocks), and the other way round. To be called in the
    stream's turn. Raise `NoOperationError` where no operation is configured for the kind,
    `StoreError` where the store fails.
    """
    operation = stream.operation(kind)
    removed: dict[str, Job] = {}
    try:
        _remove(store, operation, removed, deadline)
    except StoreError as error:
        if not removed:
            raise
        message = f"{error}; {len(removed)} jobs were removed before that, call again for the rest"
        raise StoreUnavailable(message, sent=True) from error
    finally:
        _tell(stream, kind, tuple(removed.values()))
    return tuple(removed.values())


def _remove(store: JobStore, operation: str, removed: dict[str, Job], deadline: Deadline) -> None:
    """Remove batches until none is left, and put what is gone in `removed`."""
    sent: dict[str, Job] = {}
    in_vain = 0
    doubt: StoreError = StoreUnavailable("the store does not remove what it says", sent=True)
    while batch := store.batch_of(operation, deadline):
        left = {job.uri: job for job in batch}
        gone = {uri: job for uri, job in sent.items() if uri not in left}
        removed |= gone
        in_vain = in_vain + 1 if sent and not gone else 0
        if in_vain == MOST_VAIN:
            raise doubt
        sent = left
        try:
            store.delete(batch, deadline)
        except StoreError as error:
            if not error.in_doubt:
                raise
            doubt = error
    removed |= sent


def _tell(stream: Stream, kind: JobKind, jobs: tuple[Job, ...]) -> None:
    running = [job for job in jobs if job.active]
    text = f"{len(jobs)} jobs with their tasks and errors" if jobs else "no jobs"
    text += f", {len(running)} of them running: {listed(running)}" if running else ""
    line = "%s of %s: cleaned by request: %s"
    _log.info(line, kind.value, stream, text, extra=about(stream, kind))
