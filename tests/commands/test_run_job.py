"""flask run-job: the running service creates a job, and the store tells what becomes of it.

Time passes only in the command's pauses; there the other services of the stack do their part.
"""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from jobs.store import Deadline, StoreUnavailable
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests import stack
from tests.builders import DUMP, HEALING, World, new_job
from tests.canned import Canned, answer
from tests.commands.commanding import run
from tests.configuring import CONFIG, ENVIRONMENT, loaded, stream
from tests.fakes import FakeJobStore
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.testing import Result

    from config import Settings
    from jobs.model import Job, JobKind
    from jobs.store import JobStore
    from tests.servers import Store

NEW = new_job("98e14608-b84b-57ed-b9e9-d7388f638a1e", DUMP)
URI = NEW.uri
CREATED = json.dumps({"msg": f"Dump publication graph job {URI} triggered"}).encode()
UNNAMED = loaded(ENVIRONMENT)
NAMED = loaded(files={CONFIG: [stream("public"), stream("Posts")]})
NOT_CLOSED = (
    "; nothing has closed the job, so it blocks its stream: job-controller should (does its "
    "configuration have this job operation?), or this service with CLOSE_FINISHED_JOBS=true"
)
IN_DOUBT = "the job may have been created all the same: flask status shows it"


def refusing(status: int, detail: str) -> bytes:
    body = json.dumps({"errors": [{"status": str(status), "title": "t", "detail": detail}]})
    return answer(status, body.encode(), {"Content-Type": "application/vnd.api+json"})


def run_job(said: bytes, *arguments: str, settings: Settings = UNNAMED, **more: Any) -> Result:
    """Run the command on a service that says this."""
    with Canned(said) as server:
        url = server.endpoint.removesuffix("/sparql")
        return run(settings, "run-job", *arguments, "--url", url, **more)


def called(*arguments: str, settings: Settings = UNNAMED) -> str:
    """Return what the command asks of the service."""
    with Canned(answer(200, CREATED)) as server:
        url = server.endpoint.removesuffix("/sparql")
        result = run(settings, "run-job", *arguments, "--url", f"{url}/")
        (request,) = server.requests
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{URI}\n", "")
    return f"{request.method} {request.path}"


# the call


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("initial-sync", "/initial-sync-jobs"),
        ("healing", "/healing-jobs"),
        ("dump", "/dump-publication-graph-jobs"),
    ],
)
def test_each_kind_has_its_call_and_prints_the_jobs_uri(kind: str, path: str) -> None:
    assert called(kind) == f"POST {path}"


def test_a_stream_of_the_file_is_called_by_its_name() -> None:
    assert called("dump", "--stream", "posts", settings=NAMED) == (
        "POST /Posts/dump-publication-graph-jobs"
    )


def test_the_environments_stream_is_a_dash_or_no_name() -> None:
    both = loaded(ENVIRONMENT, {CONFIG: [stream()]})
    assert called("healing", "--stream", "-", settings=both) == "POST /healing-jobs"
    assert called("healing", settings=both) == "POST /healing-jobs"


def test_the_only_stream_need_not_be_named() -> None:
    settings = loaded(files={CONFIG: [stream()]})
    assert called("healing", settings=settings) == "POST /public/healing-jobs"


def test_of_several_streams_one_must_be_named() -> None:
    result = run(NAMED, "run-job", "dump")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Invalid value for --stream: name one of public, Posts\n" in result.stderr


def test_a_kind_that_is_none_is_a_usage_error() -> None:
    result = run(UNNAMED, "run-job", "dumps")
    assert result.exit_code == 2
    assert "'dumps' is not one of 'initial-sync', 'healing', 'dump'" in result.stderr


# no job


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (409, "dump is disabled; DUMP=true enables it"),
        (503, "not ready: the service waits for the store"),
    ],
)
def test_a_refusal_is_told_with_its_detail(status: int, detail: str) -> None:
    result = run_job(refusing(status, detail), "dump", "--wait", "60")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: no dump of the environment's stream was created ({status}): {detail}\n"
    )


def test_a_service_that_does_not_run_is_one_line_with_a_remedy() -> None:
    port = free_port()
    result = run(loaded(ENVIRONMENT | {"PORT": str(port)}), "run-job", "dump")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: no answer from http://localhost:{port}/dump-publication-graph-jobs: "
        "Connection refused; start the service, or name its address with --url\n"
    )


def test_a_lost_answer_leaves_the_job_in_doubt() -> None:
    result = run_job(b"", "dump")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(f"; see the service's log; {IN_DOUBT}\n")


def test_another_server_at_that_address_is_told_as_such() -> None:
    result = run_job(answer(200, b"<html>"), "dump")
    assert result.exit_code == 1
    assert result.stderr.endswith("(200): not an answer of this service; is --url right?\n")


# following the job


class Stack:
    """A job in a store, and what the other services do to it, one step in each pause."""

    def __init__(self, store: JobStore, *steps: Callable[[], object]) -> None:
        self.store = store
        self.world = World()
        self.steps = list(steps)

    def pause(self, seconds: float) -> None:
        self.world.clock += seconds
        if self.steps:
            self.steps.pop(0)()

    def follow(self, seconds: str) -> Result:
        return run_job(
            answer(200, CREATED),
            *("dump", "--wait", seconds),
            world=self.world,
            store=self.store,
            pause=self.pause,
        )


@pytest.fixture
def store(embedded: Store) -> SparqlJobStore:
    """Return a real store with the job in it."""
    client = SparqlClient(
        query_url=embedded.endpoint,
        update_url=embedded.update_endpoint,
        new_call_id=lambda: "call",
        log_queries=False,
        log_updates=False,
    )
    store = SparqlJobStore(client)
    soon = Deadline.after(30, time.monotonic)
    store.create(NEW, soon, soon)
    return store


def moves(embedded: Store, uri: str, *statuses: str) -> list[Callable[[], object]]:
    return [partial(stack.set_status, embedded, uri, status) for status in statuses]


def told(result: Result) -> list[str]:
    """Return what was said on standard error, without the time."""
    assert result.stdout == f"{URI}\n"
    prefix = "Sat 2024-01-06 06:00:00 UTC: "
    return [line.removeprefix(prefix) for line in result.stderr.splitlines()]


def test_a_job_is_followed_until_it_is_closed(embedded: Store, store: JobStore) -> None:
    steps = [
        *moves(embedded, NEW.task_uri, "busy", "busy", "success"),
        *moves(embedded, URI, "success"),
    ]
    result = Stack(store, *steps).follow("60")
    assert result.exit_code == 0
    assert told(result) == [
        "job busy, task scheduled",
        "job busy, task busy",
        "job busy, task success",
        "job success, task success",
        "succeeded: job success, task success",
    ]


def test_a_task_that_fails_makes_the_exit_status(embedded: Store, store: JobStore) -> None:
    steps = [*moves(embedded, NEW.task_uri, "failed"), *moves(embedded, URI, "failed")]
    result = Stack(store, *steps).follow("60")
    assert result.exit_code == 1
    assert told(result)[-1] == "failed: job failed, task failed"


def test_a_job_that_is_canceled_has_failed(embedded: Store, store: JobStore) -> None:
    result = Stack(store, *moves(embedded, URI, "canceled")).follow("60")
    assert result.exit_code == 1
    assert told(result)[-1] == "failed: job canceled, task scheduled"


@pytest.mark.parametrize(
    ("status", "code", "words"), [("success", 0, "succeeded"), ("failed", 1, "failed")]
)
def test_a_job_that_nobody_closes_is_told_with_a_hint(
    embedded: Store, store: JobStore, status: str, code: int, words: str
) -> None:
    result = Stack(store, *moves(embedded, NEW.task_uri, status)).follow("5")
    assert result.exit_code == code
    assert told(result)[-1] == f"{words}: job busy, task {status}{NOT_CLOSED}"


def test_time_that_is_up_leaves_the_job_to_go_on(embedded: Store, store: JobStore) -> None:
    stack_of_others = Stack(store, *moves(embedded, NEW.task_uri, "busy"))
    result = stack_of_others.follow("2.5")
    assert result.exit_code == 3
    assert told(result)[-1] == "not finished after 2.5 s, the job goes on: job busy, task busy"
    assert stack_of_others.world.clock == 2.5


def test_a_job_that_is_cleaned_up_meanwhile_has_failed(embedded: Store, store: JobStore) -> None:
    deadline = Deadline.after(30, time.monotonic)
    clean = [lambda: store.delete(store.find([NEW.uri], deadline), deadline)]
    result = Stack(store, *clean).follow("60")
    assert result.exit_code == 1
    assert told(result)[-1] == "failed: gone from the store: somebody cleaned it up"


# following it on a store in memory


def stored(kind: JobKind = DUMP) -> FakeJobStore:
    store = FakeJobStore()
    soon = Deadline.after(30, lambda: 0)
    store.create(new_job(NEW.job_id, kind), soon, soon)
    return store


def test_a_job_that_shows_late_is_waited_for() -> None:
    late = FakeJobStore()
    soon = Deadline.after(30, lambda: 0)
    result = Stack(late, lambda: late.create(NEW, soon, soon)).follow("1.5")
    assert result.exit_code == 3
    assert told(result)[:2] == ["not in the store yet", "job busy, task scheduled"]


def test_a_store_that_fails_ends_the_command_but_not_the_job() -> None:
    store = stored()
    store.failures["find"] = [StoreUnavailable("refused", sent=False)]
    result = Stack(store).follow("60")
    assert result.exit_code == 1
    assert told(result) == ["the job goes on, but can't be followed: refused"]


def test_a_store_that_hangs_can_not_hold_the_command_much_longer_than_it_was_told_to_wait() -> None:
    given = []

    class Slow(FakeJobStore):
        def find(self, jobs: Sequence[str], deadline: Deadline) -> tuple[Job, ...]:
            given.append(deadline.remaining)
            return super().find(jobs, deadline)

    Stack(Slow()).follow("1.5")
    assert given == [6.5, 5.5, 5.0]


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_says_that_the_job_goes_on() -> None:
    result = Stack(stored(HEALING), interrupt).follow("60")
    assert result.exit_code == 130
    assert told(result) == ["job busy, task scheduled", "interrupted; the job goes on"]


def test_ctrl_c_before_the_answer_leaves_the_job_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.run_job.call", interrupt)
    result = run(UNNAMED, "run-job", "dump")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == f"interrupted; {IN_DOUBT}\n"


@pytest.mark.parametrize("seconds", ["0", "-1", "long"])
def test_a_time_that_is_none_is_a_usage_error(seconds: str) -> None:
    assert run(UNNAMED, "run-job", "dump", "--wait", seconds).exit_code == 2
