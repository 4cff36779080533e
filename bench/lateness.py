"""How late a job is in the store after its tick fired, with one stream on an idle machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.measure import median, p99
from jobs import ids
from jobs.model import JOB_BASE
from tests.support import stack
from tests.support.servers import Store, select
from tests.support.service import DUMP, Service

PERIOD = 3  # seconds
TICKS = 30
POLL_SECONDS = 0.001
VARIABLES = {"CRON_PATTERN_DUMP_JOB": f"*/{PERIOD} * * * * *", "START_INITIAL_SYNC": "false"}


def measure(store: Store) -> Iterator[tuple[str, ...]]:
    """Yield a row about some ticks, whose jobs end at once."""
    with Service(store, VARIABLES) as service:
        service.ready()
        first = (int(time.time()) // PERIOD + 2) * PERIOD
        time.sleep(first - 1 - time.time())
        for job in stack.jobs(store, DUMP):  # of a tick before the first one
            stack.finish(store, job)
        late = [_lateness(store, first + PERIOD * number) for number in range(TICKS)]
    yield ("from fire time to job, median", f"{median(late):.0f} ms")
    yield ("from fire time to job, 99th percentile", f"{p99(late):.0f} ms")


def _lateness(store: Store, fire_time: int) -> float:
    """Return after how many seconds the job of a tick is in the store, and finish it."""
    job = JOB_BASE + ids.tick_job(DUMP, datetime.fromtimestamp(fire_time, UTC))
    time.sleep(max(0.0, fire_time - time.time()))
    while not select(store, f"SELECT ?p WHERE {{ GRAPH ?g {{ <{job}> ?p ?o }} }}"):
        assert time.time() < fire_time + PERIOD, f"no job {job}"
        time.sleep(POLL_SECONDS)
    found = time.time()
    stack.finish(store, job)
    return found - fire_time
