"""How many values one statement takes, and lists of values in parts of that size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

BATCH = 1000  # values of one list; Virtuoso takes at most 4,094
SOUGHT = 20  # operations of one query that has a branch for each
READ_JOBS = 200  # of one read for tasks and errors; a Virtuoso often answers 10,000 rows at most
# The deltas of one update are one message, and the dump-file-publisher refuses more than 100 kB. A
# triple takes about 400 bytes of it, the message of an error up to 8,000.
DELETED = 24  # jobs and tasks
DELETED_ERRORS = 8
REPAIRED = 60  # jobs and tasks, of which few triples change


def batches(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield the values in lists of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
