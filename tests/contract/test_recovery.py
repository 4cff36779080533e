"""The watchdog ends stuck jobs in real stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jobs.composition import compose_domain
from jobs.domain_settings import DomainSettings
from jobs.model import NewJob, Remedies, Status
from jobs.streams import Streams
from tests.support import stack
from tests.support.builders import NOW, TestClock, new_job, stream_of
from tests.support.servers import Store
from tests.support.sparql_store import bound_store_of, soon, store_of

HOUR = timedelta(hours=1)


class Watched:
    """The watchdog on a real store with one job, and a clock that the test moves."""

    def __init__(self, triplestore: Store, **remedies: Any) -> None:
        self.job: NewJob = new_job("a")
        bound_store_of(triplestore).create(self.job, soon())
        self._clock = TestClock()
        streams = Streams([stream_of(remedies=Remedies(**remedies))])
        domain = compose_domain(
            streams, store_of(triplestore), self._clock.clock(), DomainSettings()
        )
        self._watchdog = domain.watchdog

    def scan(self, *hours: int) -> None:
        """Scan so many hours after the job was created."""
        for hour in hours:
            self._clock.now = NOW + hour * HOUR
            self._watchdog.scan()


def test_a_silent_job_is_failed_with_its_task_and_one_error(triplestore: Store) -> None:
    watched = Watched(triplestore, job_timeout=2 * HOUR, timed_by="JOB_TIMEOUT_MINUTES")
    job = watched.job
    stack.set_status(triplestore, job.task_uri, "busy")
    watched.scan(0, 1, 2)
    assert stack.status_of(triplestore, job.uri) == ["busy"]
    watched.scan(3, 4, 5)
    assert stack.status_of(triplestore, job.uri) == ["failed"]
    assert stack.status_of(triplestore, job.task_uri) == ["failed"]
    (message,) = stack.errors(triplestore)
    assert "no sign of life for 120 minutes (JOB_TIMEOUT_MINUTES)" in message


@pytest.mark.parametrize("outcome", ["success", "failed"])
def test_a_job_is_closed_with_the_outcome_of_its_task(triplestore: Store, outcome: str) -> None:
    watched = Watched(triplestore, close_finished=True)
    job = watched.job
    stack.set_status(triplestore, job.task_uri, outcome)
    watched.scan(1)
    assert stack.status_of(triplestore, job.uri) == ["busy"]
    watched.scan(2)
    assert stack.status_of(triplestore, job.uri) == [outcome]
    (closed,) = bound_store_of(triplestore).find([job.uri])
    assert (closed.status, closed.modified) == (Status(outcome), NOW), "the date of the last change"
    assert stack.errors(triplestore) == []
