"""What a call costs, beside the same statements without the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from uuid import uuid4

from bench.bare import Bare
from bench.measure import cpu, interleaved, median, p99, rate, seconds, status
from sparql import queries
from tests.support.builders import NOW, new_job
from tests.support.servers import Store, update
from tests.support.service import DUMP, Service

CALLS = 500
CALLERS = 8
EACH = 40  # calls of each caller
ACTIVE = 500  # jobs
DELETED = 10_000
BATCH = 25  # jobs that one update writes; Virtuoso takes no long requests
PATH = "/dump-publication-graph-jobs"


class Caller:
    """Calls the service over one kept connection."""

    def __init__(self, service: Service) -> None:
        self._connection = HTTPConnection("127.0.0.1", service.port)

    def post(self) -> None:
        """Create a dump job."""
        self.call("POST")

    def call(self, method: str) -> None:
        """Make a call that has to succeed."""
        self._connection.request(method, PATH)
        with self._connection.getresponse() as answer:
            text = answer.read()
            assert answer.status == 200, text

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def put_jobs(store: Store, number: int) -> None:
    """Put active dump jobs of the service's stream into the store, one for each minute."""
    for start in range(0, number, BATCH):
        minutes = range(start, min(start + BATCH, number))
        texts = [
            queries.create_job(
                replace(
                    new_job(str(uuid4()), created=NOW + timedelta(minutes=minute)),
                    job_operation=DUMP,
                    task_id=str(uuid4()),
                )
            )
            for minute in minutes
        ]
        prefixes = texts[0][: texts[0].index("INSERT")]
        update(store, prefixes + " ;\n".join(text.removeprefix(prefixes) for text in texts))


def measure(store: Store) -> Iterator[tuple[str, ...]]:
    """Yield rows: what, the service, the bare statements, and the ratio."""
    with ExitStack() as stack:
        quiet = {"LOG_SPARQL_QUERIES": "false", "LOG_SPARQL_UPDATES": "false"}
        service = stack.enter_context(Service(store, {"START_INITIAL_SYNC": "false", **quiet}))
        service.ready()
        assert service.process is not None
        pid = service.process.pid
        yield ("resident memory, idle", f"{status(pid, 'VmRSS') / 1024:.0f} MiB")
        caller = stack.enter_context(closing(Caller(service)))
        bare = stack.enter_context(closing(Bare(store)))
        interleaved(20, caller.post, bare.create)  # both are warm
        before = cpu(pid)
        yield _compared("POST a dump job", *interleaved(CALLS, caller.post, bare.create))
        spent = 1000 * (cpu(pid) - before) / CALLS
        yield ("processor time of a POST", f"{spent:.1f} ms")
        put_jobs(store, ACTIVE)
        times = interleaved(CALLS // 2, caller.post, bare.create)
        yield _compared(f"with {ACTIVE} active jobs", *times)
        callers = [stack.enter_context(closing(Caller(service))) for _ in range(CALLERS)]
        bares = [stack.enter_context(closing(Bare(store))) for _ in range(CALLERS)]
        ours, least = (
            rate([one.post for one in callers], EACH),
            rate([b.create for b in bares], EACH),
        )
        yield (
            f"jobs a second, {CALLERS} callers",
            f"{ours:.0f}",
            f"{least:.0f}",
            f"{ours / least:.2f} ×",
        )
        yield ("resident memory, after that", f"{status(pid, 'VmRSS') / 1024:.0f} MiB")
        with closing(Caller(service)) as person:
            person.call("DELETE")
        put_jobs(store, DELETED)
        with closing(Caller(service)) as person:
            taken = seconds(lambda: person.call("DELETE"))
        yield (f"DELETE of {DELETED:,} jobs", f"{taken:.1f} s")


def _compared(what: str, ours: list[float], least: list[float]) -> tuple[str, ...]:
    return (
        f"{what}, median / p99",
        f"{median(ours):.1f} / {p99(ours):.1f} ms",
        f"{median(least):.1f} / {p99(least):.1f} ms",
        f"{median(ours) / median(least):.2f} ×",
    )
