"""Fixtures of the contract tests."""

from __future__ import annotations

import pytest

from sparql.store import BoundSparqlStore
from tests.support.servers import Store
from tests.support.sparql_store import bound_store_of


@pytest.fixture
def store(triplestore: Store) -> BoundSparqlStore:
    """The service's job store in a real store of each kind, empty."""
    return bound_store_of(triplestore)
