"""flask run-job: the running service creates a job, and the command follows it in the store.

Time passes only while the command pauses. In each pause the other services take one step.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Self

import pytest
from click.testing import Result

from jobs.model import JobKind
from jobs.store import Deadline, JobStore, StoreUnavailable
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests.support import stack
from tests.support.builders import DUMP, HEALING, TestClock, new_job
from tests.support.canned import answer
from tests.support.command_runner import run, run_against
from tests.support.configuring import CONFIG, ENVIRONMENT, loaded
from tests.support.fakes import FakeJobStore
from tests.support.reports import report_of, stream
from tests.support.servers import Store
from tests.support.sockets import free_port
from web.status.report import StatusReport

NEW = new_job("98e14608-b84b-57ed-b9e9-d7388f638a1e", DUMP)
URI = NEW.uri
CREATED = json.dumps({"msg": f"Dump publication graph job {URI} triggered"}).encode()
SETTINGS = loaded(ENVIRONMENT)  # of the command; its streams do not matter
UNNAMED = report_of(stream(None))
NAMED = report_of(stream("public"), stream("Posts"))
NOT_CLOSED = (
    "; the job is still open and blocks its stream: configure job-controller to close jobs of this "
    "operation, or set CLOSE_FINISHED_JOBS=true"
)
IN_DOUBT = "the job may have been created anyway; check with flask status"


def refusing(status: int, detail: str) -> bytes:
    body = json.dumps({"errors": [{"status": str(status), "title": "t", "detail": detail}]})
    return answer(status, body.encode(), {"Content-Type": "application/vnd.api+json"})


def run_job(said: bytes, *arguments: str, status: StatusReport = UNNAMED) -> Result:
    """Run the command against a service that answers a request for a job with these bytes."""
    result, _ = run_against(said, SETTINGS, "run-job", *arguments, status=status)
    return result


def called(*arguments: str, status: StatusReport = UNNAMED) -> str:
    """Return the request for a job that the command sends to a service with this status."""
    result, (question, request) = run_against(
        answer(200, CREATED), SETTINGS, "run-job", *arguments, status=status
    )
    assert question == "GET /status"
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{URI}\n", "")
    return request


# the call


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("initial-sync", "/initial-sync-jobs"),
        ("healing", "/healing-jobs"),
        ("dump", "/dump-publication-graph-jobs"),
    ],
)
def test_each_kind_has_its_call_and_the_uri_is_printed(kind: str, path: str) -> None:
    assert called(kind) == f"POST {path}"


def test_a_stream_of_the_file_is_called_by_its_name() -> None:
    assert called("dump", "--stream", "posts", status=NAMED) == (
        "POST /Posts/dump-publication-graph-jobs"
    )


def test_the_environments_stream_is_called_by_a_dash_or_without_a_name() -> None:
    both = report_of(stream("public"), stream(None))
    assert called("healing", "--stream", "-", status=both) == "POST /healing-jobs"
    assert called("healing", status=both) == "POST /healing-jobs"


def test_the_only_stream_need_not_be_named() -> None:
    assert called("healing", status=report_of(stream())) == "POST /public/healing-jobs"


def test_one_of_several_streams_must_be_chosen() -> None:
    result = run_job(b"", "dump", status=NAMED)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Invalid value for --stream: choose one of public, Posts\n" in result.stderr


def test_a_stream_that_the_service_does_not_have_is_a_usage_error() -> None:
    """The configuration of the command has the environment's stream, the service has not."""
    result = run_job(b"", "dump", "--stream", "-", status=NAMED)
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'there is no stream "-"; existing streams: public, Posts\n' in result.stderr


def test_a_file_that_changed_under_the_service_is_noted_and_its_streams_are_used() -> None:
    changed = NAMED.model_copy(update={"changed_files": (CONFIG,)})
    result = run_job(answer(200, CREATED), "dump", "--stream", "posts", status=changed)
    assert (result.exit_code, result.stdout) == (0, f"{URI}\n")
    assert result.stderr == (
        f"{CONFIG} differs from what runs; if flask check accepts it, restart the service\n"
    )


def test_an_unknown_kind_is_a_usage_error() -> None:
    result = run(SETTINGS, "run-job", "dumps")
    assert result.exit_code == 2
    assert "'dumps' is not one of 'initial-sync', 'healing', 'dump'" in result.stderr


# no job is created


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (409, "dump is disabled; DUMP=true enables it"),
        (503, "not ready: the service waits for the store"),
    ],
)
def test_a_refusal_is_shown_with_its_detail(status: int, detail: str) -> None:
    result = run_job(refusing(status, detail), "dump", "--wait", "60")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: no dump of the environment's stream was created ({status}): {detail}\n"
    )


def test_a_service_that_does_not_run_leaves_no_doubt() -> None:
    port = free_port()
    result = run(loaded(ENVIRONMENT | {"PORT": str(port)}), "run-job", "dump")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: no answer from http://localhost:{port}/status: "
        "Connection refused; start the service, or give its address with --url\n"
    )


def test_a_lost_answer_leaves_the_job_in_doubt() -> None:
    result = run_job(b"", "dump")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(f"; see the service's log; {IN_DOUBT}\n")


def test_another_program_at_that_address_is_recognized() -> None:
    result = run_job(answer(200, b"<html>"), "dump")
    assert result.exit_code == 1
    assert result.stderr.endswith("(200): not an answer of this service; check --url\n")


# follow the job, on a real store


class OtherServices:
    """The other services of the stack, which take one step in each pause of the command."""

    def __init__(self, store: JobStore, *steps: Callable[[], object]) -> None:
        self.store = store
        self.clock = TestClock()
        self.steps = list(steps)

    def pause(self, seconds: float) -> None:
        self.clock.elapsed += seconds
        if self.steps:
            self.steps.pop(0)()

    def follow(self, seconds: str) -> Result:
        result, _ = run_against(
            answer(200, CREATED),
            SETTINGS,
            *("run-job", "dump", "--wait", seconds),
            status=UNNAMED,
            clock=self.clock,
            store=self.store,
            pause=self.pause,
        )
        return result


@pytest.fixture
def store(embedded: Store) -> SparqlJobStore:
    """Return a real store with the job in it."""
    client = SparqlClient(
        query_url=embedded.endpoint,
        update_url=embedded.update_endpoint,
        new_id=lambda: "call",
        log_queries=False,
        log_updates=False,
    )
    store = SparqlJobStore(client)
    soon = Deadline.after(30, time.monotonic)
    store.within(soon).create(NEW, soon)
    return store


def steps(embedded: Store, uri: str, *statuses: str) -> list[Callable[[], object]]:
    return [partial(stack.set_status, embedded, uri, status) for status in statuses]


def progress_of(result: Result) -> list[str]:
    """Return the lines on standard error, without their time."""
    assert result.stdout == f"{URI}\n"
    prefix = "Sat 2024-01-06 06:00:00 UTC: "
    return [line.removeprefix(prefix) for line in result.stderr.splitlines()]


def test_a_job_is_followed_until_it_is_closed(embedded: Store, store: JobStore) -> None:
    result = OtherServices(
        store,
        *steps(embedded, NEW.task_uri, "busy", "busy", "success"),
        *steps(embedded, URI, "success"),
    ).follow("60")
    assert result.exit_code == 0
    assert progress_of(result) == [
        "job busy, task scheduled",
        "job busy, task busy",
        "job busy, task success",
        "job success, task success",
        "succeeded: job success, task success",
    ]


def test_a_failed_task_sets_the_exit_status(embedded: Store, store: JobStore) -> None:
    result = OtherServices(
        store, *steps(embedded, NEW.task_uri, "failed"), *steps(embedded, URI, "failed")
    ).follow("60")
    assert result.exit_code == 1
    assert progress_of(result)[-1] == "failed: job failed, task failed"


def test_a_canceled_job_has_failed(embedded: Store, store: JobStore) -> None:
    result = OtherServices(store, *steps(embedded, URI, "canceled")).follow("60")
    assert result.exit_code == 1
    assert progress_of(result)[-1] == "failed: job canceled, task scheduled"


@pytest.mark.parametrize(
    ("status", "code", "outcome"), [("success", 0, "succeeded"), ("failed", 1, "failed")]
)
def test_a_finished_job_that_stays_open_gets_a_hint(
    embedded: Store, store: JobStore, status: str, code: int, outcome: str
) -> None:
    result = OtherServices(store, *steps(embedded, NEW.task_uri, status)).follow("5")
    assert result.exit_code == code
    assert progress_of(result)[-1] == f"{outcome}: job busy, task {status}{NOT_CLOSED}"


def test_the_job_continues_when_the_time_is_over(embedded: Store, store: JobStore) -> None:
    others = OtherServices(store, *steps(embedded, NEW.task_uri, "busy"))
    result = others.follow("2.5")
    assert result.exit_code == 3
    assert (
        progress_of(result)[-1]
        == "not finished after 2.5 s, the job continues: job busy, task busy"
    )
    assert others.clock.elapsed == 2.5


def test_a_job_that_is_removed_meanwhile_has_failed(embedded: Store, store: JobStore) -> None:
    bound = store.within(Deadline.after(30, time.monotonic))

    def remove() -> None:
        bound.delete(bound.find([NEW.uri]))

    result = OtherServices(store, remove).follow("60")
    assert result.exit_code == 1
    assert progress_of(result)[-1] == (
        "failed: removed from the store, by a DELETE call or by another program"
    )


# follow the job, on a store in memory


def stored(kind: JobKind = DUMP) -> FakeJobStore:
    store = FakeJobStore()
    soon = Deadline.after(30, lambda: 0)
    store.create(new_job(NEW.job_id, kind), soon)
    return store


def test_a_job_that_appears_late_is_followed() -> None:
    late = FakeJobStore()
    soon = Deadline.after(30, lambda: 0)
    result = OtherServices(late, lambda: late.create(NEW, soon)).follow("1.5")
    assert result.exit_code == 3
    assert progress_of(result)[:2] == ["not in the store yet", "job busy, task scheduled"]


def test_a_store_error_ends_the_command_but_not_the_job() -> None:
    store = stored()
    store.failures["find"] = [StoreUnavailable("refused\x1b[2J\u202e", sent=False)]
    result = OtherServices(store).follow("60")
    assert result.exit_code == 1
    text = r"the job continues, but its state cannot be read: refused\x1b[2J\u202e"
    assert progress_of(result) == [text]


def test_a_slow_store_delays_the_end_of_the_command_by_five_seconds_at_most() -> None:
    limits = []

    class Slow(FakeJobStore):
        def within(self, deadline: Deadline) -> Self:
            limits.append(deadline.remaining)
            return super().within(deadline)

    OtherServices(Slow()).follow("1.5")
    assert limits == [6.5, 5.5, 5.0]


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_ends_the_command_but_not_the_job() -> None:
    result = OtherServices(stored(HEALING), interrupt).follow("60")
    assert result.exit_code == 130
    assert progress_of(result) == ["job busy, task scheduled", "interrupted; the job continues"]


def test_ctrl_c_before_the_answer_leaves_the_job_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.run_job.call", interrupt)
    result = run_job(b"", "dump")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == f"interrupted; {IN_DOUBT}\n"


@pytest.mark.parametrize("seconds", ["0", "-1", "long", "nan", "inf", "-inf", "1e400", "1e99"])
def test_an_invalid_time_is_a_usage_error(seconds: str) -> None:
    assert run(SETTINGS, "run-job", "dump", "--wait", seconds).exit_code == 2
