"""The state of a stream, as the decision about a job of one kind needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jobs.model import JobKind, Stream, StreamState
from jobs.rules import needs_sync
from jobs.store import BoundStore


def state_for(
    kind: JobKind, stream: Stream, store: BoundStore, known: Sequence[str] = ()
) -> StreamState:
    """Return the state of a stream, with those of the known jobs that exist.

    If the kind needs an initial sync and there is none, a successful healing is looked for. What a
    decision rests on is read last, because that search takes its time. Raise `StoreError` if the
    store fails.
    """
    state = store.state(stream, known)
    healing = stream.plan(JobKind.HEALING).job_operation
    if state.synced or not healing or not needs_sync(stream, kind):
        return state
    healed = store.one_successful(healing)
    return replace(store.state(stream, known), healed=healed) if healed else state
