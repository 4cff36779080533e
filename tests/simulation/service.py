"""The service under test: the real one, or one that is broken on purpose to test the auditor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jobs.composition import Domain
from jobs.store import JobStore


def as_it_is(store: JobStore) -> JobStore:
    return store


def nothing(domain: Domain) -> None:
    """Leave the domain as it is."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """How a process is composed; `store` and `prepare` may put something broken into it."""

    store: Callable[[JobStore], JobStore] = as_it_is
    prepare: Callable[[Domain], None] = nothing


REAL = Service()
