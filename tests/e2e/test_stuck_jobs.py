"""Stuck jobs, end to end: the service reports the cause and the remedy, or ends the job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.support import stack
from tests.support.servers import Store, select, update
from tests.support.service import SYNC, Service, eventually

WATCHFUL = {
    "WATCHDOG_MINUTES": "0.005",
    "PICKUP_MINUTES": "0.01",
    "STUCK_MINUTES": "0.01",
    "SWEEP_SECONDS": "3600",  # no sweep may repair the job without a task
}


def sync_of(store: Store) -> tuple[str, str]:
    """Wait for the initial sync that the start creates; return the job and its task."""
    job = eventually(lambda: stack.jobs(store, SYNC), "an initial sync")[0]
    task = eventually(lambda: stack.tasks(store, job), "its task")[0]
    return job, task


def properties_of_errors(store: Store, job: str) -> list[dict[str, str]]:
    """Return one row for each property of the errors that reference a job."""
    return select(
        store,
        f"""{stack.PREFIXES} SELECT ?error ?p ?o {{ GRAPH ?g {{
            ?error a oslc:Error ; dct:references <{job}> ; ?p ?o }} }}""",
    )


def messages(store: Store, job: str) -> list[str]:
    return [row["o"] for row in properties_of_errors(store, job) if row["p"].endswith("#message")]


def delete_task(store: Store, task: str) -> None:
    update(store, f"DELETE WHERE {{ GRAPH ?g {{ <{task}> ?p ?o }} }}")


def set_task(status: str) -> Callable[[Store, str], None]:
    return lambda store, task: stack.set_status(store, task, status)


CAUSES = {
    "no task": delete_task,
    "task never picked up": lambda _store, _task: None,
    "task running long": set_task("busy"),
    "tasks all done, job still active": set_task("success"),
    "task failed, job still active": set_task("failed"),
}
REMEDIES = {
    "no task": "DELETE /initial-sync-jobs",
    "task never picked up": "deltas/initialPublicationGraphSyncing: it was down when the task came",
    "task running long": "set JOB_TIMEOUT_MINUTES, which fails such jobs",
    "tasks all done, job still active": f"its configuration lacks job operation {SYNC}",
    "task failed, job still active": "CLOSE_FINISHED_JOBS=true",
}


@pytest.mark.parametrize("cause", CAUSES)
def test_log_and_store_name_the_cause_and_its_remedy(triplestore: Store, cause: str) -> None:
    with Service(triplestore, WATCHFUL | {"PICKUP_MINUTES": "0.05"}) as service:
        job, task = sync_of(triplestore)
        CAUSES[cause](triplestore, task)
        service.logged(f"job {job}: {cause}: ")
        (message,) = eventually(lambda: messages(triplestore, job), "an error resource")
        log = service.log
    warnings = [line for line in log.splitlines() if f"WARNING {message}" in line]
    assert len(warnings) == 1
    assert message.startswith(f"initial sync of the environment's stream: job {job}: {cause}: ")
    assert REMEDIES[cause] in message


def test_an_error_has_each_property_once_as_alerting_needs_it(triplestore: Store) -> None:
    with Service(triplestore, WATCHFUL | {"ERROR_CREATOR_URI": "http://example.org/us"}):
        job, _ = sync_of(triplestore)
        eventually(lambda: messages(triplestore, job), "an error resource")
        rows = properties_of_errors(triplestore, job)
    found = [(row["p"].replace("#", "/").rpartition("/")[2], row["o"]) for row in rows]
    assert Counter(name for name, _ in found) == Counter(
        ["type", "type", "uuid", "subject", "message", "created", "creator", "references"]
    )
    assert dict(found)["subject"] == "Delta Producer Background Jobs Initiator"
    assert dict(found)["creator"] == "http://example.org/us"


def test_two_replicas_and_a_restart_report_a_stuck_job_once(triplestore: Store) -> None:
    with Service(triplestore, WATCHFUL) as first, Service(triplestore, WATCHFUL) as second:
        job, _ = sync_of(triplestore)
        first.ready()
        first.stop()
        second.logged(f"{job}: task never picked up")
        first.start().ready()
        first.logged(f"initial sync of the environment's stream: reported before: job {job}")
        first.stop()
        second.stop()
        lines = (first.log + second.log).splitlines()
    assert len(messages(triplestore, job)) == 1
    warnings = [line for line in lines if "WARNING initial sync" in line]
    assert len([line for line in warnings if "task never picked up" in line]) == 1


@pytest.mark.parametrize("outcome", ["success", "failed"])
def test_a_job_whose_task_ended_is_closed_if_that_is_allowed(
    triplestore: Store, outcome: str
) -> None:
    allowed = WATCHFUL | {"CLOSE_FINISHED_JOBS": "true", "PICKUP_MINUTES": "1"}
    with Service(triplestore, allowed) as service:
        job, task = sync_of(triplestore)
        stack.set_status(triplestore, task, outcome)
        eventually(lambda: stack.status_of(triplestore, job) == [outcome], "the job is closed")
        service.logged(f"job {job} was set to {outcome}")
        asked = service.call("POST", "/healing-jobs")
        assert asked.status == (200 if outcome == "success" else 409)
    assert messages(triplestore, job) == []
