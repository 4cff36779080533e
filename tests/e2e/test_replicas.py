"""Two real processes in slots 0 and 1 on one store."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support import stack
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Fault
from tests.support.servers import Store
from tests.support.service import DUMP, Service, eventually

ENVIRONMENT = {
    "START_INITIAL_SYNC": "false",
    "CRON_PATTERN_DUMP_JOB": "* * * * * *",
    "MU_SPARQL_TIMEOUT": "3",
    "UPDATE_SETTLE_SECONDS": "1",
    "RETRY_MAX_SECONDS": "0.5",
}


@pytest.fixture
def proxy(embedded: Store) -> Iterator[FaultProxy]:
    with FaultProxy(embedded.endpoint) as proxy:
        proxy.update_endpoint = proxy.url + urlsplit(embedded.update_endpoint).path
        yield proxy


def test_after_a_long_block_a_slow_write_of_one_replica_is_not_joined_by_another(
    embedded: Store, proxy: FaultProxy
) -> None:
    """Both replicas have waited for longer than the delay of the second one."""
    with (
        Service(proxy, ENVIRONMENT | {"REPLICA": "0"}) as first,
        Service(embedded, ENVIRONMENT | {"REPLICA": "1"}) as second,
    ):
        (blocking,) = eventually(lambda: stack.jobs(embedded, DUMP), "the job of a tick")
        waits = f"waits: active: {blocking} (busy)"
        eventually(lambda: second.log.count(waits) > 10, "tries of the second replica")
        first.logged(f"done by job {blocking}")
        proxy.requests.clear()
        proxy.only_updates = True
        proxy.script(Fault.HANG_THEN_APPLY)
        stack.finish(embedded, blocking)
        eventually(lambda: proxy.updates, "a write of the first replica")
        seen = second.log.count(stands_by := "waits: this replica stands by for another one")
        eventually(lambda: second.log.count(stands_by) > seen + 1, "reads of the second replica")
        assert stack.jobs(embedded, DUMP) == [blocking]
        proxy.release()
        eventually(lambda: len(stack.jobs(embedded, DUMP)) > 1, "the job of the first replica")
        _, job = stack.jobs(embedded, DUMP)
        second.logged(f"waits: active: {job} (busy)")
        assert stack.jobs(embedded, DUMP) == [blocking, job]
        assert len(stack.tasks(embedded, job)) == 1
