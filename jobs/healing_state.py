"""The state of a stream for decisions about its healings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jobs.model import JobKind, Stream, StreamState
from jobs.store import BoundStore


def state_for_healing(store: BoundStore, stream: Stream, known: Sequence[str] = ()) -> StreamState:
    """Return the state of a stream, with a successful healing if it has no initial sync.

    Raise `StoreError` if the store fails. What a decision rests on is read last, because the search
    for a healing takes its time.
    """
    state = store.state(stream, known)
    healing = stream.plan(JobKind.HEALING).job_operation
    if state.synced or not healing or not stream.healing_waits:
        return state
    healed = store.one_successful(healing)
    return replace(store.state(stream, known), healed=healed) if healed else state
