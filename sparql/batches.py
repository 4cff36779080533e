"""How many values one statement takes, and work on lists of values in parts of that size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

BATCH = 1000  # values of one list; Virtuoso takes at most 4,094
SOUGHT = 20  # operations of one query that has a branch for each
READ_JOBS = 200  # of one read for tasks and errors; a Virtuoso often answers 10,000 rows at most
# The deltas of one update are one message, and the dump-file-publisher refuses more than 100 kB. A
# triple takes about 400 bytes of it.
DELETED_TASKS = 24
REPAIRED = 20  # jobs and tasks, of which few triples change; the request takes 2 kB for each
AT_ONCE = 3  # parts; with six updates of neighbours at a time, Virtuoso has deadlocks


def batches(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield the values in lists of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def in_parallel(work: Callable[[Sequence[str]], None], parts: Iterable[Sequence[str]]) -> None:
    """Do the work for each part, `AT_ONCE` of them at a time.

    After an error no further part is begun, and the error is raised when the running ones are done.
    """
    failed = Event()

    def begin(part: Sequence[str]) -> None:
        if failed.is_set():
            return
        try:
            work(part)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(begin, part) for part in parts]:
            done.result()
