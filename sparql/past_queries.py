"""The queries about the past: operations in use, some of their jobs, and the newest ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from jobs.model import Status
from sparql.queries import ALL, MAX_LISTED, rows_of, statement, status_iri
from sparql.terms import NOTHING, Term, date_time, fill, integer, iri

MAX_SOME = 10  # jobs of an operation that may have thousands


def some_jobs(operations: Sequence[str]) -> str:
    """Return the query for `MAX_SOME` jobs of each operation."""
    one, limit = statement("some_jobs.rq"), integer(MAX_SOME)
    return _union("?subject", [fill(one, operation=iri(each), limit=limit) for each in operations])


def operations_in_use(operations: Sequence[str]) -> str:
    """Return the query for those of some operations that have a job."""
    one = statement("operation_in_use.rq")
    return _union("?operation", [fill(one, operation=iri(each)) for each in operations])


def newest_jobs(operations: Sequence[str], until: datetime) -> str:
    """Return the query for the newest successful and the newest other job of each operation."""
    few = len(operations) <= MAX_LISTED
    return fill(
        statement("newest_jobs.rq"),
        known=Term(f"VALUES ?operation {{ {rows_of(operations)} }}") if few else NOTHING,
        all=ALL,
        until=date_time(until),
        success=status_iri(Status.SUCCESS),
    )


def _union(variable: str, branches: Sequence[str]) -> str:
    """Return one query for the answers of several."""
    joined = "\n} UNION {\n".join(branches)
    return f"SELECT {variable}\nWHERE {{ {{\n{joined}\n}} }}"
