"""The statements with which a start reads the past: operations in use, and some of their jobs."""

from __future__ import annotations

from collections.abc import Sequence

from sparql.queries import rows_of, statement
from sparql.terms import fill, integer, iri

MAX_SOME = 10  # jobs of an operation that may have thousands


def some_jobs(operations: Sequence[str]) -> str:
    """Return the query for `MAX_SOME` jobs of each operation, with a branch for each."""
    one, limit = statement("some_jobs.rq"), integer(MAX_SOME)
    branches = [fill(one, operation=iri(operation), limit=limit) for operation in operations]
    joined = "\n} UNION {\n".join(branches)
    return f"SELECT ?subject\nWHERE {{ {{\n{joined}\n}} }}"


def operations_in_use(operations: Sequence[str]) -> str:
    """Return the query for those of some operations that have a job."""
    return fill(statement("operations_in_use.rq"), operations=rows_of(operations))
