"""What an operator sees of the real process on a real store: status, metrics and log."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from settings.version import VERSION
from tests.support import stack
from tests.support.configuring import stream
from tests.support.patience import PATIENCE
from tests.support.servers import Oxigraph, Store, update
from tests.support.service import DUMP, ENVIRONMENT, NEVER, ROOT, SYNC, Service, eventually
from tests.support.virtuoso import Virtuoso
from web.status.report import KindReport, StatusReport

INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"
TEXT_LINE = re.compile(rf"{INSTANT} (DEBUG|INFO|WARNING|ERROR|CRITICAL) \S")
JSON_KEYS = {"time", "level", "message", "stream", "kind", "tick", "job", "exception"}
EVERY_SECOND = "* * * * * *"
GRAPH = "http://mu.semte.ch/graphs/jobs"


def kind(service: Service, slug: str) -> KindReport:
    report = StatusReport.model_validate_json(service.call("GET", "/status").text)
    (found,) = report.streams
    return next(kind for kind in found.kinds if kind.kind == slug)


def metric(service: Service, name: str, **labels: str) -> float | None:
    """Return the value of a series."""
    text = service.call("GET", "/metrics").text
    return next(
        (
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == f"initiator_{name}" and sample.labels == labels
        ),
        None,
    )


def test_status_and_metrics_follow_the_life_of_a_job(triplestore: Store) -> None:
    with Service(triplestore) as service:
        service.ready()
        eventually(
            lambda: (
                (last := kind(service, "initial-sync").last_outcome) and last.result == "created"
            ),
            "the initial sync is settled",
        )
        (uri,) = stack.jobs(triplestore, SYNC)
        (task,) = stack.tasks(triplestore, uri)
        sync = kind(service, "initial-sync")
        assert sync.last_outcome
        assert sync.last_outcome.job == uri
        assert [(job.uri, job.status, job.trouble) for job in sync.active] == [(uri, "busy", None)]
        assert metric(service, "active_jobs", kind="initial-sync") == 1
        counted = {"kind": "initial-sync", "outcome": "created"}
        assert metric(service, "ticks_total", **counted) == 1
        assert metric(service, "jobs_created_total", kind="initial-sync", trigger="startup") == 1
        assert metric(service, "creation_lateness_seconds_count", kind="initial-sync") == 1

        stack.set_status(triplestore, task, "busy")
        assert sync.last_job
        stack.finish(triplestore, uri)
        done = eventually(
            lambda: (found := kind(service, "initial-sync")).last_success and found,
            "the success is in the status",
        )
        assert done.active == ()
        assert (done.last_job.uri, done.last_job.status) == (uri, "success")
        assert done.last_success == done.last_job.created
        assert [job.uri for job in done.recent] == [uri]
        assert metric(service, "active_jobs", kind="initial-sync") == 0


def test_status_and_metrics_show_a_job_by_request(triplestore: Store) -> None:
    with Service(triplestore) as service:
        service.ready()
        assert service.call("POST", "/dump-publication-graph-jobs").status == 200
        assert metric(service, "jobs_created_total", kind="dump", trigger="request") == 1
        outcome = kind(service, "dump").last_outcome
        assert outcome
        assert (outcome.result, outcome.tick) == ("created", None)
        (dump,) = stack.jobs(triplestore, DUMP)
        assert outcome.job == dump
        stack.finish(triplestore, dump)
        done = eventually(
            lambda: (found := kind(service, "dump")).last_success and found,
            "the success of the dump is in the status",
        )
        assert done.last_success
        at = metric(service, "last_success_timestamp_seconds", stream="-", kind="dump")
        assert at == done.last_success.timestamp()


def test_requests_to_the_store_are_counted(embedded: Store) -> None:
    with Service(embedded) as service:
        service.logged("created job")
        text = service.call("GET", "/metrics").text
    counts = {
        (sample.labels["kind"], sample.labels["outcome"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "initiator_sparql_request_duration_seconds_count"
    }
    assert counts["update", "ok"] == 1
    assert counts["query", "ok"] >= 4
    assert counts.keys() == {("update", "ok"), ("query", "ok")}


def test_health_and_status_while_the_store_goes_away_and_comes_back() -> None:
    with Oxigraph() as store, Service(store) as service:
        service.ready()
        assert service.call("GET", "/health/ready").status == 200
        store.stop()
        reply = service.call("GET", "/health/ready")
        assert reply.status == 503
        assert "no answer from" in reply.detail
        assert service.call("GET", "/health/live").status == 200
        report = eventually(lambda: unreachable(service), "a status with the problem")
        assert report.ready
        assert "no answer from" in report.store.problem
        assert report.streams[0].synced is None
        store.start()
        eventually(lambda: not unreachable(service), "the store is back")
        assert service.call("GET", "/health/ready").status == 200


def unreachable(service: Service) -> StatusReport | None:
    report = StatusReport.model_validate_json(service.call("GET", "/status").text)
    return None if report.store.reachable else report


# the log


@contextmanager
def busy_service(store: Store, **environ: str) -> Iterator[Service]:
    """Run the service through all it logs of in a normal life, an unhappy call and a restart."""
    with Service(store, {"CRON_PATTERN_DUMP_JOB": EVERY_SECOND} | environ) as service:
        service.ready()
        service.logged("waits: active: ")
        service.call("POST", "/healing-jobs")
        service.call("DELETE", "/initial-sync-jobs")
        service.logged("dump of the environment's stream: tick ")
        assert service.stop() == 0
        service.start()
        eventually(lambda: service.log.count("the schedules are armed") == 2, "a second start")
        assert service.stop() == 0
        yield service


def test_each_line_of_the_text_log_is_an_event(triplestore: Store) -> None:
    with busy_service(triplestore, TZ="Europe/Brussels") as service:
        lines = service.log.splitlines()
    assert [line for line in lines if not TEXT_LINE.match(line)] == []
    assert len(lines) > 20


def test_each_line_of_the_log_for_machines_is_an_object(triplestore: Store) -> None:
    with busy_service(triplestore, LOG_FORMAT="json", TZ="Europe/Brussels") as service:
        events: list[dict[str, Any]] = [json.loads(line) for line in service.log.splitlines()]
    for event in events:
        assert {"time", "level", "message"} <= event.keys() <= JSON_KEYS
        assert re.fullmatch(INSTANT, event["time"])
        assert all(isinstance(value, str) for value in event.values())
        assert "stream" not in event, "the environment's has no name"
    (created, *_) = [e for e in events if ": created job " in e["message"]]
    assert created["kind"] == "initial-sync"
    assert created["job"] in created["message"]
    assert created["tick"] in created["message"]
    (refused,) = [event for event in events if ": refused: " in event["message"]]
    assert refused["kind"] == "healing"
    waits = [event for event in events if "waits: " in event["message"]]
    # The initial sync of the second start waits too, if a dump became active before it.
    assert {"dump"} <= {event["kind"] for event in waits} <= {"dump", "initial-sync"}
    assert all("tick" in event for event in waits)


def test_the_log_for_machines_names_the_stream(embedded: Store, tmp_path: Path) -> None:
    with file_service(embedded, tmp_path, ["public"], environ={"LOG_FORMAT": "json"}) as service:
        service.logged(": created job ")
        events = [json.loads(line) for line in service.log.splitlines()]
    about = [event for event in events if "stream public" in event["message"]]
    assert len(about) >= 5
    assert {event["stream"] for event in about} == {"public"}


# A thread that dies and an error that is caught, in a process that logs as the service does.
BROKEN = """
import logging, threading
import app
app.log_format.configure(app.load_settings())
thread = threading.Thread(target=lambda: 1 / 0, name="a thread")
thread.start()
thread.join()
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("service").exception("caught")
"""


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_tracebacks_go_where_the_log_goes(log_format: str) -> None:
    environ = os.environ | ENVIRONMENT | {"LOG_FORMAT": log_format}
    command = [sys.executable, "-c", BROKEN]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    if log_format == "json":
        died, caught = [json.loads(line) for line in done.stdout.splitlines()]
        assert (died["level"], caught["level"]) == ("CRITICAL", "ERROR")
        assert died["message"] == "thread a thread: unexpected error"
        for event in (died, caught):
            assert event.keys() == {"time", "level", "message", "exception"}
            assert event["exception"].endswith("ZeroDivisionError: division by zero")
    assert done.stdout.count("ZeroDivisionError: division by zero") == 2


def test_the_log_begins_with_what_the_service_is_about_to_do(
    embedded: Store, tmp_path: Path
) -> None:
    environ = {"TZ": "Europe/Brussels", "LOG_SPARQL_ALL": "false", "WATCHDOG_MINUTES": "7"}
    with file_service(embedded, tmp_path, ["public", "Posts"], environ=environ) as service:
        banner = service.log.partition("listening on")[0]
    events = [line.split(" INFO ", 1)[1] for line in banner.splitlines() if " INFO " in line]
    assert events[0] == f"delta-producer-background-jobs-initiator {VERSION}, replica 0"
    assert f"time zone Europe/Brussels; store {embedded.endpoint}" in events
    assert any("watchdog every 7 minutes" in event for event in events)
    for name in ("public", "Posts"):
        assert f"initial sync of stream {name}: once, at the start" in events
        for slug in ("healing", "dump"):
            (line,) = [event for event in events if event.startswith(f"{slug} of stream {name}: ")]
            assert re.search(r'"0 0 0 \* \* \*", next \w+day \d{4}-\d\d-\d\d 00:00:00 CES?T', line)


def test_nothing_secret_is_shown(embedded: Store) -> None:
    secrets = {"DATABASE_PASSWORD": "hunter2", "HTTP_PROXY": "http://me:hunter2@proxy"}
    with busy_service(embedded, **secrets) as service:
        assert "hunter2" not in service.log
    address = "http://me:hunter2@database/sparql"
    with Service(embedded, {"MU_SPARQL_ENDPOINT": address}) as service:
        assert service.process is not None
        assert service.process.wait(PATIENCE) == 78
        assert "MU_SPARQL_ENDPOINT" in service.log
        assert "hunter2" not in service.log


# speed


OLD_JOBS = 10_000
STREAMS = [f"s{number}" for number in range(50)]


def fill(store: Store) -> None:
    """Put jobs of all the streams there that are done, one every three minutes."""
    operations = [
        operation
        for name in STREAMS
        for key, operation in stream(name).items()
        if key.endswith("JobOperation")
    ]
    now = datetime.now(UTC)
    for start in range(0, OLD_JOBS, 500):
        texts = [
            old_job(n, operations[n % len(operations)], now - timedelta(minutes=3 * n + 10))
            for n in range(start, start + 500)
        ]
        update(
            store,
            f"{stack.PREFIXES} INSERT DATA {{ GRAPH <{GRAPH}> {{ {' '.join(texts)} }} }}",
        )


def old_job(number: int, operation: str, created: datetime) -> str:
    common = (
        f'adms:status <{stack.STATUS}success> ; mu:uuid "{number}" ; task:operation '
        f'<{operation}> ; dct:created "{created.isoformat()}"^^xsd:dateTime'
    )
    return (
        f"<urn:job:{number}> a cogs:Job ; {common} . "
        f"<urn:task:{number}> a task:Task ; {common} ; dct:isPartOf <urn:job:{number}> ."
    )


@pytest.mark.parametrize(
    ("path", "accept"), [("/status", "*/*"), ("/", "text/html"), ("/metrics", "*/*")]
)
def test_fifty_streams_and_thousands_of_jobs_are_shown(
    full: Service, path: str, accept: str
) -> None:
    """It takes less than a second; only a hang takes longer than the timeout."""
    request = urllib.request.Request(f"http://127.0.0.1:{full.port}{path}")
    request.add_header("Accept", accept)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - our own service
        assert STREAMS[-1] in answer.read().decode()


@pytest.fixture(
    scope="module",
    params=[Oxigraph, pytest.param(Virtuoso, marks=pytest.mark.virtuoso)],
    ids=["oxigraph", "virtuoso"],
)
def full(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service at rest, with many streams, on a store of its own with many jobs.

    Of its own: what Virtuoso counted when it was small decides for long how it goes about a query.
    """
    if request.param is Virtuoso:
        request.getfixturevalue("virtuoso")  # skips or fails where there is none
    folder = tmp_path_factory.mktemp("config")
    quiet = {"startInitialSync": False, "cronPatternHealingJob": NEVER}
    hourly = [f"0 {number} * * * *" for number in range(len(STREAMS))]
    keys = [quiet | {"cronPatternDumpJob": pattern} for pattern in hourly]
    with request.param() as store:
        fill(store)
        with file_service(store, folder, STREAMS, keys, {"LOG_SPARQL_ALL": "false"}) as service:
            lines = "dump of stream s"
            eventually(lambda: service.log.count(lines) >= len(STREAMS), "its first looks")
            yield service


@contextmanager
def file_service(
    store: Store,
    folder: Path,
    names: list[str],
    keys: Sequence[Mapping[str, object]] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Service]:
    """Run the service with streams of a file alone, which may have keys of their own."""
    file = folder / "config.json"
    pairs = zip(names, keys or [{}] * len(names), strict=True)
    file.write_text(json.dumps([stream(name, **more) for name, more in pairs]))
    none = dict.fromkeys(
        (
            "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION",
            "HEALING_JOB_OPERATION",
            "DUMP_FILE_CREATION_JOB_OPERATION",
            "START_INITIAL_SYNC",
        ),
        "",
    )
    with Service(store, none | {"CONFIG_FILE": str(file)} | dict(environ or {})) as service:
        yield service.ready()
