"""What the reads of the service cost with a million finished jobs in the store.

The store is asked everything while it is nearly empty, and keeps running while the jobs come. A
Virtuoso then keeps the statistics of the small store, as it does in a stack that grows for years.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

from bench.measure import median, seconds
from jobs.model import ACTIVE, SERVICE, Status
from jobs.streams import Streams
from sparql.store import BoundSparqlStore
from sparql.vocabulary import JOB_CLASS, PROPERTIES, STATUS_BASE, TASK_CLASS
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, new_job, operation, stream_of
from tests.support.servers import Store
from tests.support.sparql_store import bound_store_of, soon
from tests.support.virtuoso import Virtuoso

FINISHED = 1_000_000
STREAMS = 10
ACTIVE_JOBS = 5
AGE = timedelta(days=1000)  # over which the finished jobs are spread
TIMES = 7
LOAD_SECONDS = 3600.0
CHUNK = 20_000  # jobs of one request to Oxigraph
IRIS = {name: iri for iri, name in PROPERTIES.items()}
NAMES = [f"s{number}" for number in range(STREAMS)]
ALL = Streams([stream_of(name) for name in NAMES])
STREAM = ALL[3]
Read = Callable[[BoundSparqlStore], object]


def measure(store: Store) -> Iterator[tuple[str, ...]]:
    """Yield a row for each read: with all finished jobs, and without any."""
    for number in range(ACTIVE_JOBS):
        bound_store_of(store).create(new_job(f"active-{number}", DUMP, STREAM), soon())
    before = {name: _median(store, read) for name, read in reads().items()}
    taken = seconds(lambda: load(store))
    yield (f"{FINISHED:,} finished jobs loaded", f"{taken:.0f} s")
    for name, read in reads().items():
        first, after = _once(store, read), _median(store, read)
        what = f"{name}; the first time {1000 * first:.0f} ms"
        ratio = f"{after / before[name]:.1f} ×"
        yield (what, f"{after:.1f} ms", f"{before[name]:.1f} ms", ratio)


def reads() -> dict[str, Read]:
    """Return the reads of the service by their names."""
    now = datetime.now(UTC)
    known = [new_job(f"active-{number}").uri for number in range(20)]
    ticks = [new_job(f"tick-{number}").uri for number in range(40)]
    return {
        "state for a tick": lambda store: store.state(STREAM, known[:1]),
        "state for a late tick": lambda store: store.recent([operation(DUMP, "s3")], now),
        "confirmation": lambda store: store.find(known[:1]),
        "watchdog": lambda store: store.active(ALL.operations),
        "sweep": lambda store: store.inspect(ALL.operations, ALL.task_operations, ticks),
        "start: newest ticks": lambda store: store.find(ticks),
        "start: operations in use": lambda store: store.in_use(ALL.operations),
        "start: some healings": lambda store: store.some_of(
            [operation(HEALING, name) for name in NAMES]
        ),
        "start: initial syncs": lambda store: store.of_operations(
            [operation(INITIAL_SYNC, name) for name in NAMES]
        ),
        "jobs of the last day": lambda store: store.recent(ALL.operations, now - timedelta(days=1)),
        "page: jobs of the last day": lambda store: store.current(
            ALL.operations, now - timedelta(days=1)
        ),
        "page: newest initial syncs": lambda store: store.newest(
            [operation(INITIAL_SYNC, name) for name in NAMES], now
        ),
        "page: newest healings of one stream": lambda store: store.newest(
            [operation(HEALING, "s3")], now
        ),
        "jobs to be deleted": lambda store: store.deletable_jobs(operation(DUMP, "s3")),
    }


def _median(store: Store, read: Read) -> float:
    return median([_once(store, read) for _ in range(TIMES)])


def _once(store: Store, read: Read) -> float:
    return seconds(lambda: read(bound_store_of(store)))


def load(store: Store) -> None:
    """Put the finished jobs into the store, in the fastest way that it has."""
    graph = STREAM.jobs_graph
    if isinstance(store, Virtuoso):
        file = store.folder / "jobs.nt"
        _write(file)
        for statement in (
            f"ld_dir ('{store.folder}', '{file.name}', '{graph}')",
            "rdf_loader_run ()",
        ):
            store.sql(statement, timeout=LOAD_SECONDS)
        file.unlink()
        return
    jobs = triples()
    while chunk := "".join(islice(jobs, CHUNK)):
        request = urllib.request.Request(
            f"{store.url}/store?graph={graph}",
            data=chunk.encode(),
            headers={"Content-Type": "application/n-triples"},
            method="POST",
        )
        with urllib.request.urlopen(request) as answer:
            answer.read()


def _write(file: Path) -> None:
    with file.open("w") as output:
        output.writelines(triples())


def triples() -> Iterator[str]:
    """Yield the triples of each finished job and its task, as N-Triples."""
    start, ends = datetime.now(UTC) - AGE, [one for one in Status if one not in ACTIVE]
    for number in range(FINISHED):
        job = f"http://redpencil.data.gift/id/job/{UUID(int=number)}"
        kind = HEALING if number // STREAMS % 2 else DUMP
        created = (start + AGE * number / FINISHED).isoformat(timespec="milliseconds")
        date = f'"{created}"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
        common = {
            "id": f'"{UUID(int=number)}"',
            "status": f"<{STATUS_BASE}{ends[number % len(ends)].value}>",
            "created": date,
            "modified": date,
        }
        of_job = {
            "type": f"<{JOB_CLASS}>",
            "creator": f"<{SERVICE}>",
            "operation": f"<{operation(kind, NAMES[number % STREAMS])}>",
        }
        of_task = {
            "type": f"<{TASK_CLASS}>",
            "operation": f"<{STREAM.plan(kind).task_operation}>",
            "job": f"<{job}>",
        }
        task = job.replace("/job/", "/task/")
        yield "".join(
            f"<{subject}> <{IRIS[name]}> {value} .\n"
            for subject, values in ((job, common | of_job), (task, common | of_task))
            for name, value in values.items()
        )
