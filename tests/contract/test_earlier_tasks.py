"""On every store, a start goes on with the healing task of the Node service's jobs."""

from __future__ import annotations

from dataclasses import replace

from jobs.composition import compose_domain
from jobs.domain_settings import DomainSettings
from jobs.model import MAINTAINERS_HEALING, Stream
from jobs.streams import Streams
from tests.support import stack
from tests.support.builders import HEALING, TestClock, operation, stream_of
from tests.support.servers import Store, update
from tests.support.sparql_store import store_of

OTHER_TASK = "http://redpencil.data.gift/id/jobs/concept/TaskOperation/other"


def unset(name: str) -> Stream:
    """Return a stream without a configured task operation of its healing."""
    stream = stream_of(name)
    plans = (replace(plan, task_operation_set=plan.kind is not HEALING) for plan in stream.plans)
    return replace(stream, plans=tuple(plans))


def put_node_job(store: Store, stream: str) -> None:
    """Write a healing as the Node service did, and a second task as a job-controller adds it."""
    job, graph = f"urn:job:{stream}", "http://mu.semte.ch/graphs/system/jobs"
    tasks = "".join(
        f"<urn:task:{stream}-{index}> a task:Task ; adms:status <{stack.STATUS}success> ; "
        f'task:index "{index}" ; task:operation <{task}> ; dct:isPartOf <{job}> . '
        for index, task in enumerate([MAINTAINERS_HEALING, OTHER_TASK])
    )
    text = (
        f"<{job}> a cogs:Job ; adms:status <{stack.STATUS}success> ; "
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
