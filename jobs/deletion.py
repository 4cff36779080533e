"""Removing all jobs of a kind, active ones too: an operator's way out when a stream hangs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.iri import BY_HAND
from jobs.model import Job, JobKind, Stream
from jobs.rules import MAX_NAMED, listed, why_healings_wait
from jobs.store import BoundStore, StoreError, StoreUnavailable
from jobs.stream_log import log_about
from jobs.stream_state import state_for
from jobs.text import count, first_few

_log = logging.getLogger(__name__)

MAX_VAIN = 3  # updates in a row after which a read finds every job of the batch again


@dataclass
class _Progress:
    """Which jobs were sent for removal, and which of them a read did not find any more.

    `unread` is how many jobs of the last batch no read has shown yet: they may be gone, or not.
    """

    sent: dict[str, Job] = field(default_factory=dict)
    removed: dict[str, Job] = field(default_factory=dict)
    unread: int = 0

    def __str__(self) -> str:
        """Return how many jobs were removed, for a message about a failure."""
        text = f"{count(len(self.removed), 'job')} removed before that"
        return text + (f", and perhaps some of {self.unread} more" if self.unread else "")


class Deleted(NamedTuple):
    """The jobs that were removed, and those that are left because no update can name them.

    `consequence` is what the stream waits for from now on; empty if that is nothing.
    """

    removed: tuple[Job, ...]
    left: tuple[Job, ...]
    consequence: str


def delete_jobs(
    store: BoundStore, stream: Stream, kind: JobKind, forget: Callable[[Collection[str]], None]
) -> Deleted:
    """Remove the jobs of a kind with their tasks and errors.

    They are removed in batches, so that a failure keeps what was done. Each read shows what the
    updates before it removed, because a store may report a failure after a success (Virtuoso's
    deadlocks), or a success after a failure. `forget` is called with the URIs of all jobs that were
    removed, or may have been. The caller holds the stream's lock. Raise `NoOperationError` if the
    kind has no operation, and `StoreError` if the store fails.
    """
    log = log_about(_log, stream, kind)
    operation = stream.operation(kind)
    progress = _Progress()
    try:
        _delete_batches(store, operation, progress)
        left = store.undeletable_jobs(operation)
    except StoreError as error:
        text = f"{error}; {progress}"
        log.warning("not cleaned by request: %s", text)
        if not (progress.removed or progress.unread):
            raise
        raise StoreUnavailable(f"{text}, call again for the rest", sent=True) from error
    finally:
        forget(progress.sent.keys())
    removed = tuple(progress.removed.values())
    log.info("cleaned by request: %s", _summary(removed))
    consequence = _consequence(store, stream, kind) if removed else ""
    if consequence:
        log.warning("%s", consequence)
    return Deleted(removed, left, consequence)


def _consequence(store: BoundStore, stream: Stream, kind: JobKind) -> str:
    """Return what the stream waits for without the removed jobs, as far as the store answers."""
    if kind is not JobKind.INITIAL_SYNC:
        return ""
    try:
        return why_healings_wait(stream, state_for(JobKind.HEALING, stream, store)) or ""
    except StoreError as error:
        log_about(_log, stream, kind).info("whether healings wait now is not known: %s", error)
        return ""


def refuse_undeletable(jobs: Sequence[Job], removed: int) -> None:
    """Raise `StoreError` if any jobs are left because no update can name them."""
    if jobs:
        named = first_few([f"{job.uri!a} in graph {job.graph}" for job in jobs], MAX_NAMED)
        left = f"{count(removed, 'job')} removed, but {count(len(jobs), 'job')} cannot be removed"
        why = "no update can name a blank node or a relative IRI"
        raise StoreError(f"{left}: {named}; {why}; {BY_HAND}")


def _delete_batches(store: BoundStore, operation: str, progress: _Progress) -> None:
    """Remove batches until none is left."""
    last: dict[str, Job] = {}
    in_vain = 0
    doubt: StoreError = StoreUnavailable("the store does not remove the jobs", sent=True)
    while batch := store.deletable_jobs(operation):
        left = {job.uri for job in batch}
        gone = {uri: job for uri, job in last.items() if uri not in left}
        progress.removed |= gone
        progress.unread = 0
        in_vain = in_vain + 1 if last and not gone else 0
        if in_vain == MAX_VAIN:
            raise doubt
        last = {job.uri: job for job in batch}
        progress.sent |= last
        progress.unread = len(last)
        try:
            store.delete(batch)
        except StoreError as error:  # the next read shows which part was removed
            doubt = error
    progress.removed |= last
    progress.unread = 0


def _summary(jobs: tuple[Job, ...]) -> str:
    active = [job for job in jobs if job.active]
    possessive = "its" if len(jobs) == 1 else "their"
    text = f"{count(len(jobs), 'job')} with {possessive} tasks and errors" if jobs else "no jobs"
    return text + (f", {len(active)} of them active: {listed(active)}" if active else "")
