"""flask status: the running service's document, for a person, a script, or as exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import at
from tests.canned import Canned, answer
from tests.commands.commanding import run
from tests.configuring import ENVIRONMENT, loaded
from tests.servers import free_port
from web.report import (
    ActiveJobReport,
    JobReport,
    KindReport,
    OutcomeReport,
    StatusReport,
    StoreReport,
    StreamReport,
    TroubleReport,
)

if TYPE_CHECKING:
    from click.testing import Result

JOB = "http://redpencil.data.gift/id/job/9b5b8fa0-3f0c-4a53-9b0c-6a2f7e5f2c11"
DONE = JobReport(
    uri=JOB, status="success", created=at("2024-01-06T03:00:02"), modified=at("2024-01-06T03:10")
)
TROUBLE = TroubleReport(
    cause="task never picked up",
    since=at("2024-01-06T09:00"),
    message="its task has been scheduled for 3 hours, and nobody listens for its operation",
    remedy="set HEALING_TASK_OPERATION to what the publication-graph-maintainer listens for",
)


def kind(slug: Any = "healing", **more: Any) -> KindReport:
    fixed: dict[str, Any] = {
        "kind": slug,
        "enabled": True,
        "job_operation": "http://example.org/job-operation",
        "task_operation": "http://example.org/task-operation",
        "pattern": "0 0 4 * * *",
        "pattern_in_words": "At 04:00 every day",
        "next_fire_time": at("2024-01-07T03:00"),
        "coming": (),
        "last_job": None,
        "last_success": None,
        "last_outcome": None,
        "active": (),
        "recent": (),
    }
    return KindReport(**(fixed | more))


def report(*kinds: KindReport, name: str | None = "public", **more: Any) -> StatusReport:
    stream = StreamReport(
        name=name,
        jobs_graph="http://mu.semte.ch/graphs/jobs",
        error_creator="http://example.org/creator",
        synced=True,
        kinds=kinds,
    )
    fixed: dict[str, Any] = {
        "version": "2.0.0",
        "now": at("2024-01-06T12:00:00"),
        "started": at("2024-01-04T09:00:00"),
        "uptime_seconds": 183600.0,
        "time_zone": "Europe/Brussels",
        "ready": True,
        "problem": None,
        "store": StoreReport(endpoint="http://database:8890/sparql", reachable=True, problem=None),
        "streams": (stream,),
    }
    return StatusReport(**(fixed | more))


def status(document: StatusReport | bytes, *arguments: str, code: int = 200) -> Result:
    """Run the command on a service that answers with the document."""
    body = document if isinstance(document, bytes) else document.model_dump_json().encode()
    with Canned(answer(code, body, {"Content-Type": "application/json"})) as server:
        url = server.endpoint.removesuffix("/sparql")
        result = run(loaded(ENVIRONMENT), "status", "--url", url, *arguments)
        (request,) = server.requests
    assert (request.method, request.path) == ("GET", "/status")
    return result


# for a person


def test_all_is_well() -> None:
    outcome = OutcomeReport(
        result="created",
        at=at("2024-01-06T03:00:02"),
        tick=at("2024-01-06T03:00"),
        reason="",
        job=JOB,
    )
    document = report(
        kind("initial-sync", next_fire_time=None, last_job=DONE),
        kind(last_job=DONE, last_outcome=outcome),
        kind("dump", enabled=False, next_fire_time=None),
    )
    result = status(document)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        result.stdout
        == """\
Sat 2024-01-06 13:00:00 CET: ready, version 2.0.0
up since Thu 2024-01-04 10:00:00 CET
store http://database:8890/sparql: reachable

  kind          next                  last job                      last outcome
stream public
  initial sync  at the start          success Sat 2024-01-06 04:00  -
  healing       Sun 2024-01-07 04:00  success Sat 2024-01-06 04:00  created Sat 2024-01-06 04:00
  dump          disabled              -                             -
"""
    )


def test_what_waits_says_why_and_what_runs_is_named() -> None:
    busy = ActiveJobReport(
        uri=JOB, status="busy", created=at("2024-01-06T03:00"), modified=None, trouble=None
    )
    outcome = OutcomeReport(
        result="waits",
        at=at("2024-01-06T12:00"),
        tick=at("2024-01-06T11:42"),
        reason=f"active: {JOB} (busy)",
        job=JOB,
    )
    result = status(report(kind(active=(busy,)), kind("dump", last_outcome=outcome), name=None))
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        result.stdout.partition("the environment's stream\n")[2]
        == f"""\
  healing  Sun 2024-01-07 04:00  -         -
    active: {JOB} (busy)
  dump     Sun 2024-01-07 04:00  -         waits Sat 2024-01-06 13:00
    waits: tick Sat 2024-01-06 12:42:00 CET: active:
      {JOB} (busy)
"""
    )


def test_the_reason_of_a_call_is_told_without_a_tick() -> None:
    outcome = OutcomeReport(
        result="refused", at=at("2024-01-06T12:00"), tick=None, reason="not enabled", job=None
    )
    assert "\n    refused: not enabled\n" in status(report(kind(last_outcome=outcome))).stdout


def test_a_job_that_is_stuck_is_told_with_its_cause_and_the_remedy() -> None:
    stuck = ActiveJobReport(
        uri=JOB, status="busy", created=at("2024-01-06T03:00"), modified=None, trouble=TROUBLE
    )
    result = status(report(kind(active=(stuck,))))
    assert (result.exit_code, result.stderr) == (
        1,
        f"stuck: healing of stream public: {JOB}\n",
    )
    assert (
        result.stdout.partition("stream public\n")[2]
        == f"""\
  healing  Sun 2024-01-07 04:00  -         -
    stuck since Sat 2024-01-06 10:00:00 CET, task never picked up:
      {JOB} (busy)
      its task has been scheduled for 3 hours, and nobody listens for its operation
      → set HEALING_TASK_OPERATION to what the publication-graph-maintainer listens for
"""
    )


def test_no_line_is_too_long_for_a_terminal() -> None:
    stuck = ActiveJobReport(
        uri=JOB,
        status="scheduled",
        created=None,
        modified=None,
        trouble=TROUBLE.model_copy(update={"message": "word " * 60}),
    )
    outcome = OutcomeReport(
        result="superseded", at=at("2024-01-06T12:00"), tick=None, reason="word " * 60, job=None
    )
    document = report(
        kind("initial-sync", active=(stuck,), last_job=DONE, last_outcome=outcome),
        name="a-name-of-some-length" * 2,
    )
    assert max(map(len, status(document).stdout.splitlines())) <= 100


def test_a_job_without_a_date_is_shown_by_its_status() -> None:
    undated = DONE.model_copy(update={"created": None, "status": "unknown"})
    assert " unknown" in status(report(kind(last_job=undated))).stdout


def test_a_zone_that_is_unknown_here_makes_the_times_utc() -> None:
    assert status(report(kind(), time_zone="local")).stdout.startswith(
        "Sat 2024-01-06 12:00:00 UTC"
    )


# for a script


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ready": False}, "not ready: the start is not done yet"),
        ({"ready": False, "problem": "no store"}, "not ready: no store"),
        ({"problem": "the scheduler has died"}, "the scheduler has died"),
        (
            {"store": StoreReport(endpoint="http://db/sparql", reachable=False, problem="refused")},
            "the store is not reachable: refused",
        ),
    ],
)
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_what_is_wrong_makes_the_exit_status(
    changed: dict[str, Any], reason: str, arguments: list[str]
) -> None:
    result = status(report(kind(), **changed), *arguments)
    assert (result.exit_code, result.stderr) == (1, f"{reason}\n")


def test_json_is_printed_as_it_came() -> None:
    document = report(kind()).model_dump_json(indent=3).encode()
    result = status(document, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{document.decode()}\n"


# no status


def test_a_service_that_does_not_run_is_one_line_with_a_remedy() -> None:
    port = free_port()
    result = run(loaded(ENVIRONMENT | {"PORT": str(port)}), "status")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: no answer from http://localhost:{port}/status: Connection refused; "
        "start the service, or name its address with --url\n"
    )


def test_a_refusal_is_told_with_its_detail() -> None:
    result = status(b'{"errors": [{"detail": "no such path"}]}', code=404)
    assert (result.exit_code, result.stderr) == (1, "Error: no status (404): no such path\n")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"version": 1}', b"\xff"])
def test_something_else_at_that_address_is_told_as_such(body: bytes) -> None:
    result = status(body)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: the answer is no status of this version of the service; is --url right?\n"
    )


def test_a_connection_that_is_cut_is_told() -> None:
    with Canned(b"") as server:
        result = run(loaded(ENVIRONMENT), "status", "--url", server.endpoint)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no answer from ")
    assert result.stderr.endswith("; see the service's log\n")


def test_a_service_that_says_nothing_is_given_up() -> None:
    environ = ENVIRONMENT | {"MU_SPARQL_TIMEOUT": "0.1"}
    with Canned(answer(200, b"{}"), pause=60) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("commands.service.GRACE", 0.1)
        result = run(loaded(environ), "status", "--url", server.endpoint)
    assert result.exit_code == 1
    assert "timed out; see the service's log" in result.stderr


def test_a_proxy_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert status(report(kind())).exit_code == 0


@pytest.mark.parametrize("url", ["localhost", "file:///etc/hostname", "http://", "http://["])
def test_an_address_that_is_none_is_a_usage_error(url: str) -> None:
    result = run(loaded(ENVIRONMENT), "status", "--url", url)
    assert result.exit_code == 2
    assert f'got "{url}": no HTTP address; write e.g. http://localhost:80' in result.stderr
