"""The documentation is true: its tables, examples, links and paths agree with the code."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pyoxigraph
import pytest
from prometheus_client.parser import text_string_to_metric_families

from commands import all_commands
from config import Settings, load
from jobs.maintenance.diagnosis import Cause
from jobs.model import JobKind, NewJob, Status
from jobs.store import Deadline, ErrorResource
from settings.fields import Service
from settings.startup_log import summary
from settings.stream_fields import EnvironmentStream, FileStream
from sparql import queries
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, TestClock, at, job_of, stream_of
from tests.support.doc_tables import BLOCK, PAGES, ROOT, fields, tables, with_tables
from tests.support.domain import Harness, app_of
from tests.support.fakes import FakeJobStore
from tests.support.reports import kind, report_of, stream
from tests.support.servers import Store, select
from web.metrics import Metrics

README_LIMIT = 8000  # bytes: a newcomer reads it in a few minutes
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
TEXTS = dict(zip(NAMES, (page.read_text() for page in PAGES), strict=True))
ALL = "\n".join(TEXTS.values())
COMMANDS_BY_NAME = {str(command.name): command for command in all_commands()}
OPERATION = "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/deltaDumpFileCreation"
GRAPH = "http://mu.semte.ch/graphs/system/jobs"
EXAMPLE_JOB = NewJob(
    job_id="9b5b8fa0-3f0c-4a53-9b0c-6a2f7e5f2c11",
    task_id="5b0f6a55-2d4e-4b1f-8f5f-0f6f3b6b8a77",
    graph=GRAPH,
    job_operation=f"{OPERATION}/public",
    task_operation=OPERATION.replace("JobOperation", "TaskOperation"),
    created=at("2024-01-06T06:00:00"),
)
EXAMPLE_HEALING = "http://redpencil.data.gift/id/job/3c1f0d52-7a44-4a0e-8a8b-5d0c5f7e9b10"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXTS[page], re.DOTALL)


def sections(page: str) -> dict[str, str]:
    """Return the text below each heading of a page."""
    _, *parts = re.split(r"^#+ (.+)$", TEXTS[page], flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def first_cells(text: str) -> list[str]:
    """Return the first cell of each row of a table, without its heading."""
    return re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)[1:]


# Tables


def test_every_table_has_one_place() -> None:
    assert sorted(match[2] for match in BLOCK.finditer(ALL)) == sorted(tables())


@pytest.mark.parametrize("page", NAMES)
def test_the_tables_are_those_of_the_code(page: str) -> None:
    assert with_tables(TEXTS[page]) == TEXTS[page], "run python -m tests.support.doc_tables"


def test_the_causes_of_stuck_jobs_are_those_of_the_code() -> None:
    listed = first_cells(sections("docs/operations.md")["Find stuck jobs"])
    assert listed == [cause.value for cause in Cause]


def test_the_metrics_are_those_of_the_code() -> None:
    metrics = Metrics()
    metrics.watch(lambda: report_of(stream("public", kind())))
    metrics.observe("query", "ok", 0.1)
    shown = {family.name for family in text_string_to_metric_families(metrics.text()[0].decode())}
    listed = " ".join(first_cells(sections("docs/monitoring.md")["Metrics"]))
    counters = {"initiator_ticks", "initiator_jobs_created", "initiator_log_lines_dropped"}
    assert set(re.findall(r"`(\w+)`", listed)) == {
        f"{name}_total" if name in counters else name
        for name in shown
        if name.startswith("initiator_")
    }


@pytest.mark.parametrize("command", COMMANDS_BY_NAME)
def test_the_commands_have_the_options_of_the_table(command: str) -> None:
    rows = re.findall(rf"^\| `flask {command}[^`]*` \| (.*?) \|", ALL, re.MULTILINE)
    (row,) = rows
    known = {name for option in COMMANDS_BY_NAME[command].params for name in option.opts}
    assert set(re.findall(r"`(--[a-z]+)", row)) <= known


# Names


def test_every_variable_exists() -> None:
    # Of the tests, script/image, docker and a proxy
    others = {"SHARED_DATA", "STAND_IN", "COMPOSE_FILE", "VIRTUAL_HOST"}
    known = {*fields(EnvironmentStream), *fields(Service), *others}
    named = set(re.findall(r"(?<![\w*])[A-Z]+(?:_[A-Z]+)+(?![\w*])", ALL))
    assert named - known <= {kind.name for kind in JobKind}


def test_every_key_of_the_config_file_exists() -> None:
    named = set(re.findall(r'`"(\w+)": ', ALL)) - {"msg", "status", "errors"}
    assert named <= set(fields(FileStream))


# Examples


def no_file(path: str) -> str:
    raise FileNotFoundError(path)


def settings_of_the_readme() -> Settings:
    (snippet,) = blocks("README.md", "yaml")
    environ = dict(re.findall(r'^ +([A-Z_]+): "(.*?)"', snippet, re.MULTILINE))
    assert set(environ) <= set(fields(EnvironmentStream))
    return load(environ, no_file, lambda: ZoneInfo("Etc/UTC"))


def test_the_compose_example_sets_up_a_stream_without_a_warning() -> None:
    settings = settings_of_the_readme()
    assert settings.warnings == ()
    assert all(plan.enabled for plan in settings.streams[0].plans)


def test_the_log_of_the_readme_is_that_of_its_compose_example(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    settings, noon = settings_of_the_readme(), at("2024-01-06T12:00:00")
    domain = Harness(tuple(settings.streams), TestClock(now=noon))
    domain.reconciler.reconcile(settings.streams[0])
    for line in summary(settings, noon):
        line.log(logging.getLogger())
    logged = caplog.messages
    logged = [*logged, "ready: the schedules are armed"]
    assert '"ready: the schedules are armed"' in (ROOT / "jobs/ticks/startup.py").read_text()
    shown = re.findall(r"^INFO (.*)", TEXTS["README.md"], re.MULTILINE)
    assert len(shown) == 4
    assert set(shown) <= set(logged)


def test_the_json_examples_load_without_a_warning() -> None:
    streams, overrides = blocks("docs/configuration.md", "json")
    files = {"/config/config.json": streams, "/config/config.override.json": overrides}
    settings = load({}, files.__getitem__, lambda: ZoneInfo("UTC"))
    assert settings.warnings == ()
    assert [stream.name for stream in settings.streams] == [s["name"] for s in json.loads(streams)]
    public = settings.streams.find("public")
    assert not public.plan(JobKind.INITIAL_SYNC).enabled, "the override disables it"


def calls() -> Iterator[tuple[str, str]]:
    for line in ALL.splitlines():
        if line.startswith("docker-compose") and "http://localhost/" in line:
            method = re.search(r"-X (\w+)", line)
            asked = method[1] if method else "POST" if "--post-data" in line else "GET"
            yield asked, line.partition("http://localhost")[2]
    yield from re.findall(r"`(GET|POST|DELETE) (/[a-z/.-]*)`", ALL)


@pytest.mark.parametrize(("method", "path"), sorted(set(calls())))
def test_the_calls_exist(method: str, path: str) -> None:
    streams = (stream_of(None), stream_of("public"))
    store = FakeJobStore()
    for name in (None, "public"):
        uri = f"http://redpencil.data.gift/id/job/sync-of-{name}"
        store.add(job_of(JobKind.INITIAL_SYNC, Status.SUCCESS, name, uri=uri))
    app = app_of(*streams, store=store)
    assert app.test_client().open(path, method=method).status_code == 200


def test_the_scripts_exist() -> None:
    named = set(re.findall(r"^(script/\w+)", ALL, re.MULTILINE))
    assert len(named) == 8
    for name in named:
        assert (ROOT / name).stat().st_mode & 0o111, f"{name} can be run"


def test_a_waiting_tick_is_logged_as_shown(caplog: pytest.LogCaptureFixture) -> None:
    start = at("2024-01-06T05:59:59")
    stream = stream_of(healing_waits=False, disabled=[INITIAL_SYNC])
    domain = Harness((stream,), TestClock(now=start))
    domain.store.add(job_of(HEALING, uri=EXAMPLE_JOB.uri))
    domain.reconciler.reconcile(domain.streams[0])
    domain.clock.now += timedelta(seconds=1)
    domain.reconciler.reconcile(domain.streams[0])
    (shown,) = re.findall(r"^WARNING (dump .*)", TEXTS["docs/operations.md"], re.MULTILINE)
    assert shown in [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


@cache
def example_error() -> ErrorResource:
    """Return the error of a dump at midnight that a healing blocks for the whole window."""
    midnight, service = at("2024-01-06T00:00:00"), fields(Service)["ERROR_CREATOR_URI"].default
    dump = stream_of(
        patterns={DUMP: "0 0 0 * * *"},
        disabled=[INITIAL_SYNC],
        jobs_graph=GRAPH,
        error_creator=f"{service}/public",
    )
    domain = Harness((dump,), TestClock(now=midnight - timedelta(seconds=1)))
    domain.store.add(job_of(HEALING, uri=EXAMPLE_HEALING))
    for hours in (0, 0, 6):
        domain.reconciler.reconcile(dump)
        domain.clock.now = midnight + timedelta(hours=hours)
    domain.reconciler.reconcile(dump)
    (error,) = domain.reported()
    return error


@pytest.mark.parametrize("number", [0, 1], ids=["errors", "active jobs"])
def test_the_queries_find_something(triplestore: Store, number: int) -> None:
    client = SparqlClient(
        query_url=triplestore.endpoint,
        update_url=triplestore.update_endpoint,
        new_id=lambda: "call",
    )
    soon = Deadline.after(30, time.monotonic)
    store = SparqlJobStore(client).within(soon)
    store.create(EXAMPLE_JOB, soon)
    store.write_error(example_error())
    (row,) = select(triplestore, blocks("docs/operations.md", "sparql")[number])
    assert row["job"] == (example_error().job, EXAMPLE_JOB.uri)[number]


def test_the_turtle_is_what_is_written() -> None:
    updates = (queries.create_job(EXAMPLE_JOB), queries.write_error(example_error()))
    for turtle, update in zip(blocks("docs/data-model.md", "turtle"), updates, strict=True):
        written, shown = pyoxigraph.Store(), pyoxigraph.Store()
        written.update(update)
        shown.load(turtle, format=pyoxigraph.RdfFormat.TURTLE)
        assert {str(quad.triple) for quad in written} == {str(quad.triple) for quad in shown}


# Structure of the pages


def test_the_readme_is_short() -> None:
    assert len(TEXTS["README.md"].encode()) <= README_LIMIT


def test_the_readme_links_to_every_page() -> None:
    assert set(re.findall(r"\((docs/[\w-]+\.md)\)", TEXTS["README.md"])) == {*NAMES} - {"README.md"}


def links() -> Iterator[tuple[str, str]]:
    for page in (*NAMES, "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", (ROOT / page).read_text()):
            if "://" not in target:
                yield page, target


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text).strip().lower().replace(" ", "-") for text in headings}


@pytest.mark.parametrize(("page", "target"), sorted(set(links())))
def test_every_link_leads_to_a_file_and_heading(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    file = (ROOT / page).parent / path if path else ROOT / page
    assert file.exists()
    assert not anchor or anchor in anchors(file)


def steps() -> Iterator[str]:
    for title, text in sections("docs/development.md").items():
        if title.startswith("The journey of"):
            yield from re.findall(r"^[0-9]+\. (.*)$", text, re.MULTILINE)


def files(step: str) -> list[str]:
    return re.findall(r"`([\w/]+\.(?:py|ru))`", step)


def test_every_file_of_the_journeys_exists() -> None:
    named = {name for step in steps() for name in files(step)}
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_function_of_the_journeys_is_in_a_file_of_its_step() -> None:
    missing = []
    for step in steps():
        paths = [ROOT / name for name in files(step)]
        text = "".join(path.read_text() for path in paths if path.exists())
        classes, functions = re.findall(r"`([A-Z]\w+)", step), re.findall(r"(\w+)\(\)`", step)
        needed = [f"class {name}" for name in classes] + [f"def {name}(" for name in functions]
        missing += [f"{line}: {step.partition(':')[0]}" for line in needed if line not in text]
    assert missing == []


def test_every_room_of_the_structure_exists() -> None:
    rooms = first_cells(sections("docs/development.md")["Structure"])
    named = [name for room in rooms for name in re.findall(r"`([\w./]+)`", room)]
    assert [name for name in named if not (ROOT / name).exists()] == []
