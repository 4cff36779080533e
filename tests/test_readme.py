"""The README tells the truth: its tables are the code's, and its examples work."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC
from typing import TYPE_CHECKING

import pyoxigraph
import pytest
from prometheus_client.parser import text_string_to_metric_families

from commands.registration import COMMANDS
from config import load
from jobs.model import ErrorResource, JobKind, NewJob, Status
from jobs.store import Deadline
from settings.fields import EnvironmentStream
from sparql import queries
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests.builders import at, job_of, stream_of
from tests.fakes import FakeJobStore
from tests.harness import Harness
from tests.readme_tables import BLOCK, README, tables, with_tables
from tests.reports import kind, report_of, stream
from tests.servers import select
from web.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Store

TEXT = README.read_text()
COMMANDS_BY_NAME = {str(command.name): command for command in COMMANDS}
OPERATION = "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/deltaDumpFileCreation"
EXAMPLE_JOB = NewJob(
    job_id="9b5b8fa0-3f0c-4a53-9b0c-6a2f7e5f2c11",
    task_id="5b0f6a55-2d4e-4b1f-8f5f-0f6f3b6b8a77",
    graph="http://mu.semte.ch/graphs/system/jobs",
    job_operation=f"{OPERATION}/public",
    task_operation=OPERATION.replace("JobOperation", "TaskOperation"),
    created=at("2024-01-06T06:00:00"),
)
MIDNIGHT = "2024-01-06T00:00:00+00:00"
MISSED = f"dump of stream public: tick {MIDNIGHT}: missed, with 0 others since {MIDNIGHT}: "
EXAMPLE_ERROR = ErrorResource(
    error_id="0d1f3c9e-6f0a-4d7c-9d55-2f4f0c8e1b22",
    graph=EXAMPLE_JOB.graph,
    creator="http://lblod.data.gift/services/delta-producer-background-jobs-initiator/public",
    message=MISSED + f"active: {EXAMPLE_JOB.uri} (busy)",
    created=EXAMPLE_JOB.created,
    job=EXAMPLE_JOB.uri,
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_every_table_has_its_place() -> None:
    assert {match[2] for match in BLOCK.finditer(TEXT)} == set(tables())


def test_the_tables_are_the_codes() -> None:
    assert with_tables(TEXT) == TEXT, "python -m tests.readme_tables brings them up to date"


def no_file(path: str) -> str:
    raise FileNotFoundError(path)


def test_the_compose_snippet_sets_up_a_stream_without_a_warning() -> None:
    snippet, _ = blocks("yaml")
    environ = dict(re.findall(r'^ +([A-Z_]+): "(.*?)"', snippet, re.MULTILINE))
    known = {str(info.alias) for info in EnvironmentStream.model_fields.values()}
    assert set(environ) <= known
    settings = load(environ, no_file, lambda: UTC)
    assert settings.warnings == ()
    assert all(plan.enabled for plan in settings.streams[0].plans)


def test_the_json_examples_load_without_a_warning() -> None:
    streams, overrides = blocks("json")
    files = {"/config/config.json": streams, "/config/config.override.json": overrides}
    settings = load({}, files.__getitem__, lambda: UTC)
    assert settings.warnings == ()
    assert [stream.name for stream in settings.streams] == [s["name"] for s in json.loads(streams)]
    public = settings.streams[0]
    assert not public.plan(JobKind.INITIAL_SYNC).enabled, "the override says so"


def calls() -> Iterator[tuple[str, str]]:
    for line in "".join(blocks("shell")).splitlines():
        if "http://localhost/" in line:
            method = re.search(r"-X (\w+)", line)
            asked = method[1] if method else "POST" if "--post-data" in line else "GET"
            yield asked, line.partition("http://localhost")[2]
    yield from re.findall(r"`(GET|POST|DELETE) (/[a-z/.-]*)`", TEXT)


@pytest.mark.parametrize(("method", "path"), sorted(set(calls())))
def test_the_calls_exist(method: str, path: str) -> None:
    streams = (stream_of(None), stream_of("public"))
    store = FakeJobStore()
    for name in (None, "public"):
        uri = f"http://redpencil.data.gift/id/job/sync-of-{name}"
        store.add(job_of(JobKind.INITIAL_SYNC, Status.SUCCESS, name, uri=uri))
    app = Harness(streams, store=store).app()
    assert app.test_client().open(path, method=method).status_code == 200


def test_the_metrics_are_those_that_are_shown() -> None:
    metrics = Metrics([stream_of()])
    metrics.watch(lambda: report_of(stream("public", kind())))
    metrics.observe("query", "ok", 0.1)
    shown = {family.name for family in text_string_to_metric_families(metrics.text().decode())}
    named = set(re.findall(r"`(initiator_\w+)`", TEXT))
    ours = {name for name in shown if name.startswith("initiator_")}
    counters = {"initiator_ticks", "initiator_jobs_created"}
    assert named == {f"{name}_total" if name in counters else name for name in ours}


@pytest.mark.parametrize("command", COMMANDS_BY_NAME)
def test_the_commands_have_the_options_that_are_named(command: str) -> None:
    (row,) = re.findall(rf"^\| `flask {command}[^`]*` \| (.*?) \|", TEXT, re.MULTILINE)
    known = {name for option in COMMANDS_BY_NAME[command].params for name in option.opts}
    assert set(re.findall(r"`(--[a-z]+)", row)) <= known


def test_the_scripts_exist() -> None:
    named = re.findall(r"^(script/\w+)", "".join(blocks("shell")), re.MULTILINE)
    assert len(set(named)) == 5
    for name in named:
        assert (README.parent / name).stat().st_mode & 0o111, f"{name} can be run"


@pytest.mark.parametrize("query", blocks("sparql"), ids=["errors", "active jobs"])
def test_the_queries_find_something(triplestore: Store, query: str) -> None:
    client = SparqlClient(
        query_url=triplestore.endpoint,
        update_url=triplestore.update_endpoint,
        new_call_id=lambda: "call",
    )
    store = SparqlJobStore(client)
    soon = Deadline.after(30, time.monotonic)
    store.create(EXAMPLE_JOB, soon, soon)
    store.record(EXAMPLE_ERROR, soon)
    (row,) = select(triplestore, query)
    assert row["job"] == EXAMPLE_JOB.uri


def test_the_turtle_is_what_is_written() -> None:
    updates = (queries.create_job(EXAMPLE_JOB), queries.record_error(EXAMPLE_ERROR))
    for turtle, update in zip(blocks("turtle"), updates, strict=True):
        written, shown = pyoxigraph.Store(), pyoxigraph.Store()
        written.update(update)
        shown.load(turtle, format=pyoxigraph.RdfFormat.TURTLE)
        assert {quad.triple for quad in written} == {quad.triple for quad in shown}


def test_every_link_inside_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}
    assert set(re.findall(r"\(#([^)]+)\)", TEXT)) <= anchors
