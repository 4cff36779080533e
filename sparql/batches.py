"""How many values one statement takes, and work on lists of values in parts of that size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

BATCH = 1000  # values of one list; Virtuoso takes at most 4,094
SOUGHT = 20  # operations of one query that has a branch for each
READ_JOBS = 200  # of one read for tasks and errors; a Virtuoso often answers 10,000 rows at most
# The deltas of one update are one message, and the dump-file-publisher refuses more than 100 kB. A
# triple takes about 400 bytes of it.
DELETED_TASKS = 24
REPAIRED = 60  # jobs and tasks, of which few triples change
AT_ONCE = 6  # requests


def batches(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield the values in lists of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def in_parallel(work: Callable[[T], R], parts: Iterable[T]) -> list[R]:
    """Do the work for each part, `AT_ONCE` of them at a time, and return the results in order.

    Raise the first error when all parts are done.
    """
    todo = list(parts)
    if len(todo) <= 1:
        return [work(part) for part in todo]
    with ThreadPoolExecutor(min(len(todo), AT_ONCE)) as pool:
        return [done.result() for done in [pool.submit(work, part) for part in todo]]
