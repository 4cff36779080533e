"""The service's own client and job store, connected to a server of the tests."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from jobs.store import BoundStore, Deadline, Inspection
from jobs.streams import Streams
from sparql.client import SparqlClient
from sparql.store import BoundSparqlStore, SparqlJobStore
from tests.support.builders import stream_of
from tests.support.patience import PATIENCE
from tests.support.servers import Endpoints


def soon(seconds: float = PATIENCE) -> Deadline:
    """Return a deadline on the real clock."""
    return Deadline.after(seconds, time.monotonic)


def client_of(url: str, update_url: str | None = None, **options: Any) -> SparqlClient:
    """Return a client; by default it sends updates to the same URL as queries."""
    options.setdefault("new_id", lambda: str(uuid4()))
    return SparqlClient(query_url=url, update_url=update_url or url, **options)


def store_of(server: Endpoints) -> SparqlJobStore:
    """Return the job store in a triplestore."""
    return SparqlJobStore(client_of(server.endpoint, server.update_endpoint))


def bound_store_of(server: Endpoints, seconds: float = 60) -> BoundSparqlStore:
    """Return the job store in a triplestore, within a deadline that begins now."""
    return store_of(server).within(soon(seconds))


def inspect(store: BoundStore, known: Sequence[str] = ()) -> Inspection:
    """Return what a sweep finds of the stream of the tests."""
    streams = Streams([stream_of()])
    return store.inspect(streams.operations, streams.task_operations, known)
