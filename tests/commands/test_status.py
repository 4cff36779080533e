"""flask status: the state of the running service, as text, as JSON and as exit status."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result

from jobs.text import escaped
from tests.support.builders import at
from tests.support.canned import Canned, answer
from tests.support.command_runner import run, run_against
from tests.support.configuring import ENVIRONMENT, loaded
from tests.support.reports import NOW, active, diagnosis, job, kind, outcome, report_of, stream
from tests.support.sockets import free_port
from web.status.report import KindReport, StatusReport, StoreReport

NEXT = NOW + timedelta(hours=21)
JOB = "http://redpencil.data.gift/id/job/9b5b8fa0-3f0c-4a53-9b0c-6a2f7e5f2c11"
TROUBLE = diagnosis(
    cause="task never picked up",
    message="its task has been scheduled for 3 hours, and no service listens for its operation",
    remedy="set HEALING_TASK_OPERATION to what the publication-graph-maintainer listens for",
)


def report(*kinds: KindReport, name: str | None = "public", **more: Any) -> StatusReport:
    return report_of(stream(name, *kinds), **more)


def status(document: StatusReport | bytes, *arguments: str, code: int = 200) -> Result:
    """Run the command against a service that answers with the document."""
    body = document if isinstance(document, bytes) else document.model_dump_json().encode()
    said = answer(code, body, {"Content-Type": "application/json"})
    result, requests = run_against(said, loaded(ENVIRONMENT), "status", *arguments)
    assert requests == ["GET /status"]
    return result


def shown(document: StatusReport) -> str:
    """Return what is printed below the heading of the table, if all is well."""
    result = status(document)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.partition("last outcome\n")[2]


# as text


def test_a_service_that_works() -> None:
    document = report(
        kind("initial-sync", last_job=job()),
        kind("healing", next_fire_time=NEXT, last_job=job(), last_outcome=outcome()),
        kind("dump", enabled=False),
    )
    result = status(document)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        result.stdout
        == """\
Sat 2024-01-06 07:00:00 CET: ready, version 2.0.0
up since Wed 2024-01-03 03:00:00 CET
store http://database:8890/sparql: reachable

  kind          next                  last job                      last outcome
stream public
  initial sync  at the start          success Sat 2024-01-06 06:00  -
  healing       Sun 2024-01-07 04:00  success Sat 2024-01-06 06:00  created Sat 2024-01-06 06:00
  dump          disabled              -                             -
"""
    )


def test_an_active_job_and_the_reason_of_a_waiting_tick_are_shown() -> None:
    waits = outcome("waits", tick=at("2024-01-06T04:42"), reason=f"active: {JOB} (busy)")
    document = report(
        kind("initial-sync", enabled=False),
        kind("healing", next_fire_time=NEXT, active=(active(uri=JOB),)),
        kind("dump", next_fire_time=NEXT, last_outcome=waits),
        name=None,
    )
    assert (
        shown(document)
        == f"""\
the environment's stream
  initial sync  disabled              -         -
  healing       Sun 2024-01-07 04:00  -         -
    active: {JOB} (busy)
  dump          Sun 2024-01-07 04:00  -         waits Sat 2024-01-06 06:00
    waits: tick Sat 2024-01-06 05:42:00 CET: active:
      {JOB} (busy)
"""
    )


def test_the_reason_of_a_refused_call_has_no_tick() -> None:
    refused = outcome("refused", tick=None, reason="not enabled")
    assert "\n    refused: not enabled\n" in shown(report(kind(last_outcome=refused)))


def test_a_stuck_job_is_shown_with_cause_and_remedy() -> None:
    stuck = active(uri=JOB, trouble=TROUBLE)
    result = status(report(kind("healing", active=(stuck,))))
    assert (result.exit_code, result.stderr) == (1, f"stuck: healing of stream public: {JOB}\n")
    assert (
        f"""
    stuck since Sat 2024-01-06 06:10:00 CET, task never picked up:
      {JOB} (busy)
      its task has been scheduled for 3 hours, and no service listens for its operation
      → set HEALING_TASK_OPERATION to what the publication-graph-maintainer listens for
"""
        in result.stdout
    )


def test_a_stuck_job_without_a_date_is_shown_without_one() -> None:
    stuck = active(uri=JOB, created=None, trouble=diagnosis(since=None))
    assert "\n    stuck, no sign of life: " in status(report(kind(active=(stuck,)))).stdout


def test_jobs_that_the_status_only_counts_are_counted() -> None:
    stuck = active(uri=JOB, trouble=TROUBLE)
    counted = kind(active=(stuck,), active_count=9, stuck={"no task": 2, TROUBLE.cause: 1})
    result = status(report(counted, detailed=False))
    assert result.stderr == (
        f"stuck: dump of stream public: {JOB}\nstuck: dump of stream public: 2 more\n"
    )
    assert "\n    active: 8 more\n" in result.stdout


def test_active_jobs_that_were_not_all_read_are_at_least_as_many() -> None:
    found = report(kind(active_count=4900))
    found = found.model_copy(update={"store": found.store.model_copy(update={"complete": False})})
    assert "\n    active: at least 4900 more\n" in status(found).stdout


def test_no_line_is_too_long_for_a_terminal() -> None:
    long = "word " * 60
    stuck = active(uri=JOB, created=None, trouble=diagnosis(message=long))
    superseded = outcome("superseded", tick=None, reason=long)
    document = report(
        kind("initial-sync", active=(stuck,), last_job=job(), last_outcome=superseded),
        name="a-name-of-some-length" * 2,
    )
    assert max(map(len, status(document).stdout.splitlines())) <= 100


def test_a_job_without_a_date_is_shown_by_its_status() -> None:
    assert " unknown" in shown(report(kind(last_job=job(status="unknown", created=None))))


def test_times_are_in_utc_if_this_machine_does_not_know_the_zone() -> None:
    result = status(report(time_zone="local"))
    assert result.stdout.startswith("Sat 2024-01-06 06:00:00 UTC")


# as exit status and JSON


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ready": False}, "not ready: the start is not finished"),
        ({"ready": False, "problem": "no store"}, "not ready: no store"),
        ({"problem": "the scheduler has died"}, "the scheduler has died"),
        (
            {
                "store": StoreReport(
                    endpoint="http://db/sparql",
                    reachable=False,
                    problem="refused",
                    history_problem=None,
                    complete=True,
                )
            },
            "the store is not reachable: refused",
        ),
    ],
)
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_each_problem_sets_the_exit_status(
    changed: dict[str, Any], reason: str, arguments: list[str]
) -> None:
    result = status(report(**changed), *arguments)
    assert (result.exit_code, result.stderr) == (1, f"{reason}\n")


def test_json_is_printed_unchanged() -> None:
    document = report().model_dump_json(indent=3).encode()
    result = status(document, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{document.decode()}\n"


def test_json_with_control_characters_is_the_same_document_in_ascii() -> None:
    stuck = active(trouble=diagnosis(message="\x9b2J\u202e é"))
    document = report(kind(active=(stuck,))).model_dump_json()
    printed = status(document.encode(), "--json").stdout
    assert printed.isascii()
    assert json.loads(printed) == json.loads(document)


# what the store and other programs send


def test_control_characters_from_the_store_are_escaped() -> None:
    ill = "\x1b]0;title\x07 \x9b2J \u202e\r\n"
    stuck = active(uri=f"urn:{ill}", trouble=diagnosis(message=ill, remedy=ill, cause=ill))
    document = report(
        kind(active=(stuck, active()), last_outcome=outcome("failed", reason=ill)),
        name=ill,
        store=StoreReport(
            endpoint=ill, reachable=False, problem=ill, history_problem=None, complete=True
        ),
    )
    result = status(document)
    printed = result.stdout + result.stderr
    assert all(char.isprintable() or char == "\n" for char in printed)
    assert r"urn:\x1b]0;title\x07 \x9b2J \u202e\r\n" in printed


def test_dates_at_the_end_of_the_calendar_are_shown() -> None:
    last = at("9999-12-31T23:59:59.999")
    assert "unknown Fri 9999-12-31 23:59" in shown(
        report(kind(last_job=job(status="unknown", created=last), next_fire_time=last))
    )


def test_a_file_that_changed_since_the_start_is_shown_and_no_failure() -> None:
    result = status(report(changed_files=("/config/config.json",)))
    assert (result.exit_code, result.stderr) == (0, "")
    text = "differs from what runs; if flask check accepts it, restart the service"
    assert f"\n/config/config.json {text}\n" in result.stdout


# without a usable answer


def test_a_service_that_does_not_run_is_one_line_with_a_fix() -> None:
    port = free_port()
    result = run(loaded(ENVIRONMENT | {"PORT": str(port)}), "status")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: no answer from http://localhost:{port}/status: Connection refused; "
        "start the service, or give its address with --url\n"
    )


def test_a_refusal_is_shown_with_its_detail() -> None:
    result = status(b'{"errors": [{"detail": "no such path"}]}', code=404)
    assert (result.exit_code, result.stderr) == (1, "Error: no status (404): no such path\n")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"version": 1}', b"\xff", b"\x1b[2J", b"[" * 100_000]
)
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_another_program_at_that_address_is_recognized(body: bytes, arguments: list[str]) -> None:
    result = status(body, *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: the answer is not the status of this version of the service; check --url\n"
    )


def test_a_closed_connection_is_reported() -> None:
    with Canned(b"") as server:
        result = run(loaded(ENVIRONMENT), "status", "--url", server.endpoint)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no answer from ")
    assert result.stderr.endswith("; see the service's log\n")


def hasty(said: bytes, pause: float) -> Result:
    """Run the command with 0.2 s for the answer, whose bytes come with pauses."""
    environ = ENVIRONMENT | {"MU_SPARQL_TIMEOUT": "0.1"}
    with Canned(said, pause=pause) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("commands.service.GRACE_SECONDS", 0.1)
        return run(loaded(environ), "status", "--url", server.endpoint)


@pytest.mark.parametrize("pause", [60, 0.01], ids=["silent", "a byte now and then"])
@pytest.mark.parametrize(
    "said",
    [
        answer(200, b" " * 100_000),
        b"HTTP/1.0 200 OK\r\n\r\n" + b" " * 100_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
    ],
    ids=["of known length", "until the connection ends", "never final"],
)
def test_a_service_that_does_not_answer_in_time_times_out(said: bytes, pause: float) -> None:
    result = hasty(said, pause)
    assert result.exit_code == 1
    assert result.stderr.endswith(": timed out; see the service's log\n")


def test_an_endless_answer_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.service.MAX_ANSWER", 2**20)
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n" + b" " * (2**20 + 1)
    with Canned(said) as server:
        result = run(loaded(ENVIRONMENT), "status", "--url", server.endpoint)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "/sparql/status: the answer is longer than 1 MiB; " in result.stderr


def test_an_answer_that_ends_early_is_reported() -> None:
    with Canned(answer(200, report().model_dump_json().encode())[:-10]) as server:
        result = run(loaded(ENVIRONMENT), "status", "--url", server.endpoint)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "IncompleteRead" in result.stderr


@pytest.mark.parametrize(
    "said", [b"\x1b[2J\r\n\r\n", b"HTTP/1.1 \x9b2J\r\n\r\n", b"SSH-2.0-\x1b]0;x\x07\r\n"]
)
def test_a_program_that_does_not_speak_http_is_one_printable_line(said: bytes) -> None:
    with Canned(said) as server:
        result = run(loaded(ENVIRONMENT), "status", "--url", server.endpoint)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no answer from ")
    assert result.stderr.removesuffix("\n").isprintable()


def test_a_refusal_with_control_characters_is_one_short_printable_line() -> None:
    said = json.dumps({"errors": [{"detail": "\x1b[2J\n" * 10_000}]})
    stderr = status(said.encode(), code=500).stderr
    assert stderr.removesuffix("\n").isprintable()
    assert len(stderr) < 2000


def test_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert status(report()).exit_code == 0


@pytest.mark.parametrize(
    "url",
    [
        "localhost",
        "file:///x",
        "http://",
        "http://[",
        "http://a b",
        "http://é",
        "http://u@h",
        "http://h:0",
        "http://h:99999",
        "http://h:-1",
        "http://h:x",
        "http://h:²",
        "http://h/ ",
    ],
)
def test_an_invalid_address_is_a_usage_error(url: str) -> None:
    result = run(loaded(ENVIRONMENT), "status", "--url", url)
    assert result.exit_code == 2
    assert (
        f'got "{escaped(url)}": not an HTTP address; write e.g. http://localhost:80'
        in result.stderr
    )
