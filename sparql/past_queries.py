"""The statements with which a start reads the past: operations in use, and some of their jobs."""

from __future__ import annotations

from collections.abc import Sequence

from sparql.queries import statement
from sparql.terms import fill, integer, iri

MAX_SOME = 10  # jobs of an operation that may have thousands


def some_jobs(operations: Sequence[str]) -> str:
    """Return the query for `MAX_SOME` jobs of each operation."""
    one, limit = statement("some_jobs.rq"), integer(MAX_SOME)
    return _union("?subject", [fill(one, operation=iri(each), limit=limit) for each in operations])


def operations_in_use(operations: Sequence[str]) -> str:
    """Return the query for those of some operations that have a job."""
    one = statement("operation_in_use.rq")
    return _union("?operation", [fill(one, operation=iri(each)) for each in operations])


def _union(variable: str, branches: Sequence[str]) -> str:
    """Return one query for the answers of several."""
    joined = "\n} UNION {\n".join(branches)
    return f"SELECT {variable}\nWHERE {{ {{\n{joined}\n}} }}"
