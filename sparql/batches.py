"""How many values one statement takes, and work on lists of values in parts of that size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

BATCH = 1000  # values of one list; Virtuoso takes at most 4,094
SOUGHT = 20  # operations of one query that has a branch for each
READ_JOBS = 200  # of one read for tasks and errors; a Virtuoso often answers 10,000 rows at most
# The deltas of one update are one message, and the dump-file-publisher refuses more than 100 kB. A
# triple takes about 400 bytes of it, the message of an error up to 8,000.
DELETED = 24  # jobs and tasks
DELETED_ERRORS = 8
REPAIRED = 60  # jobs and tasks, of which few triples change
AT_ONCE = 6  # updates


def batches(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield the values in lists of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def in_parallel(work: Callable[[Sequence[str]], None], parts: Sequence[Sequence[str]]) -> None:
    """Do the work for each part, `AT_ONCE` of them at a time; raise the first error at the end."""
    if len(parts) == 1:
        work(parts[0])
    elif parts:
        with ThreadPoolExecutor(min(len(parts), AT_ONCE)) as pool:
            for done in [pool.submit(work, part) for part in parts]:
                done.result()
