"""Setting stuck jobs free on real stores: what is left there afterwards."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.initiator import Initiator
from jobs.model import Remedies, Status
from jobs.reporter import Reporter
from jobs.watchdog import Watchdog
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests import stack
from tests.builders import DUMP, NOW, World, new_job, stream_of

if TYPE_CHECKING:
    from tests.servers import Store

HOUR = timedelta(hours=1)


class Watched:
    """A watchdog on a real store, with a clock that the test moves."""

    def __init__(self, triplestore: Store, remedies: Remedies) -> None:
        client = SparqlClient(
            query_url=triplestore.endpoint,
            update_url=triplestore.update_endpoint,
            new_call_id=lambda: "call",
        )
        self.world = World()
        about = replace(self.world.surroundings(), monotonic=time.monotonic)
        self.store = SparqlJobStore(client)
        self.deadline = about.deadline
        reporter = Reporter(self.store, repeat=24 * HOUR, deadline=about.deadline)
        streams = [stream_of(remedies=remedies)]
        initiator = Initiator(streams, self.store, about)
        self.watchdog = Watchdog(streams, self.store, initiator, reporter, about)

    def look(self, after: timedelta) -> None:
        self.world.now = NOW + after
        self.watchdog.look()


def test_a_silent_job_is_failed_with_its_task_and_one_error(triplestore: Store) -> None:
    watched = Watched(triplestore, Remedies(job_timeout=2 * HOUR, timed_by="JOB_TIMEOUT_MINUTES"))
    job = new_job("a")
    watched.store.create(job, watched.deadline(), watched.deadline())
    stack.set_status(triplestore, job.task_uri, "busy")
    for hours in (0, 1, 2):
        watched.look(hours * HOUR)
    assert stack.status_of(triplestore, job.uri) == ["busy"]
    for hours in (3, 4, 5):
        watched.look(hours * HOUR)
    assert stack.status_of(triplestore, job.uri) == ["failed"]
    assert stack.status_of(triplestore, job.task_uri) == ["failed"]
    (message,) = stack.errors(triplestore)
    assert "no sign of life for 120 minutes (JOB_TIMEOUT_MINUTES)" in message


@pytest.mark.parametrize("outcome", ["success", "failed"])
def test_a_job_is_closed_as_its_tasks_ended(triplestore: Store, outcome: str) -> None:
    watched = Watched(triplestore, Remedies(close_finished=True))
    job = new_job("a")
    watched.store.create(job, watched.deadline(), watched.deadline())
    stack.set_status(triplestore, job.task_uri, outcome)
    watched.look(HOUR)
    assert stack.status_of(triplestore, job.uri) == ["busy"]
    watched.look(2 * HOUR)
    assert stack.status_of(triplestore, job.uri) == [outcome]
    (closed,) = watched.store.find([job.uri], watched.deadline())
    assert (closed.status, closed.modified) == (Status(outcome), NOW), "as the store tells it"
    assert stack.errors(triplestore) == []
    assert closed.operation == stream_of().operation(DUMP)
