"""On every store, a start goes on with the healing task of the Node service's jobs."""

from __future__ import annotations

from dataclasses import replace

from jobs.composition import compose_domain
from jobs.domain_settings import DomainSettings
from jobs.model import MAINTAINERS_HEALING, Stream
from jobs.streams import Streams
from tests.support import stack
from tests.support.builders import HEALING, TestClock, at, operation, stream_of
from tests.support.servers import Store, update
from tests.support.sparql_store import store_of

OTHER_TASK = "http://redpencil.data.gift/id/jobs/concept/TaskOperation/other"


def unset(name: str) -> Stream:
    """Return a stream without a configured task operation of its healing."""
    stream = stream_of(name)
    plans = (replace(plan, task_operation_set=plan.kind is not HEALING) for plan in stream.plans)
    return replace(stream, plans=tuple(plans))


def put_node_job(
    store: Store,
    stream: str,
    task_operation: str = MAINTAINERS_HEALING,
    name: str = "1",
    created: str = "2024-01-01T00:00:00.000Z",
) -> None:
    """Write a healing as the Node service did, and a second task as a job-controller adds it."""
    job, graph = f"urn:job:{stream}:{name}", "http://mu.semte.ch/graphs/system/jobs"
    tasks = "".join(
        f"<urn:task:{stream}:{name}:{index}> a task:Task ; adms:status <{stack.STATUS}success> ; "
        f'task:index "{index}" ; task:operation <{task}> ; dct:isPartOf <{job}> . '
        for index, task in enumerate([task_operation, OTHER_TASK])
    )
    text = (
        f"<{job}> a cogs:Job ; adms:status <{stack.STATUS}success> ; "
        f'dct:created "{created}"^^xsd:dateTime ; '
        f"task:operation <{operation(HEALING, stream)}> . {tasks}"
    )
    update(store, f"{stack.PREFIXES} INSERT DATA {{ GRAPH <{graph}> {{ {text} }} }}")


def test_a_stream_with_healings_of_the_node_service_keeps_their_task(triplestore: Store) -> None:
    put_node_job(triplestore, "old")
    streams = Streams([unset("old"), unset("new")])
    clock = TestClock().clock()
    domain = compose_domain(streams, store_of(triplestore), clock, DomainSettings())
    domain.reconciler.resume()
    default = streams[1].plan(HEALING).task_operation
    found = [domain.creator.task_operations.of(stream, HEALING) for stream in streams]
    assert found == [MAINTAINERS_HEALING, default]


def test_the_newest_of_many_healings_counts(triplestore: Store) -> None:
    """A store finds those first that were written first."""
    for day in range(1, 21):
        created = f"2024-01-{day:02}T00:00:00.000Z"
        put_node_job(triplestore, "changed", "urn:former", f"{day}", created)
    put_node_job(triplestore, "changed", name="newest", created="2025-01-01T00:00:00.000Z")
    stream = unset("changed")
    domain = compose_domain(
        Streams([stream]),
        store_of(triplestore),
        TestClock(at("2025-01-02T00:00:00")).clock(),
        DomainSettings(),
    )
    domain.reconciler.resume()
    assert domain.creator.task_operations.of(stream, HEALING) == MAINTAINERS_HEALING
