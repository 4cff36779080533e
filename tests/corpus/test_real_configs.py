"""Configurations of real stacks load unchanged, with the effect that their authors intended."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import pytest

from jobs.model import Job, JobKind, Plan, Status, Stream
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, task_of
from tests.support.configuring import (
    CONFIG,
    JOB,
    MAINTAINERS_HEALING,
    SERVICE,
    TASK,
    loaded,
    warnings_of,
)
from tests.support.domain import Harness
from tests.support.shared_data import shared

LOKET_ADMIN = "organizations/141d9d6b-54af-4d17-b313-8d1c30bc3f5b/LoketAdmin"
CONTACT_HUB_ADMIN = "contacthub/141d9d6b-54af-4d17-b313-8d1c30bc3f5b/ChAdmin"
OPERATIONS = {
    INITIAL_SYNC: JOB + "initialPublicationGraphSyncing/",
    HEALING: JOB + "healingOperation/",
    DUMP: JOB + "deltaDumpFileCreation/",
}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The streams and warnings that a configuration should give.

    `streams` maps the common ending of a stream's job operations to *initial sync | healing |
    dump*: `sync` or the pattern if the kind is enabled, and `-` if it is disabled.
    """

    graph: str
    streams: dict[str, str]
    named: str | None = "{ending}"
    creator: str = "/{name}"
    warnings: list[str] = field(default_factory=list)

    def rows(self) -> list[tuple[str | None, str, str, str, str]]:
        rows = []
        for ending, plans in self.streams.items():
            name = self.named and self.named.format(ending=ending)
            creator = SERVICE + self.creator.format(name=name, ending=ending)
            graph = "http://mu.semte.ch/graphs/" + self.graph
            rows.append((name, graph, creator, ending, plans))
        return rows


FILES = {
    "app-contactgegevens-loket--config--2025-10-16--1b65024": Expected(
        graph="system/jobs",
        streams={"contact-data": "sync | 0 0 4 * * * | 11 */4 * * *"},
    ),
    "app-contactgegevens-loket--config--HEAD--617ab7d": Expected(
        graph="system/jobs",
        streams={"contactData": "sync | 0 0 4 * * * | 0 0 6 * * 6"},
    ),
    "app-digitaal-loket--config--2022-11-28--d3e6589": Expected(
        graph=LOKET_ADMIN,
        named="delta-producer-background-jobs-initiator-{ending}",
        streams={
            "leidinggevenden": "- | 0 0 2 * * * | 0 0 0 * * 6",
            "mandatarissen": "- | 0 0 2 * * * | 0 0 1 * * 6",
            "submissions": "- | 0 0 23 * * 6 | 0 0 1 * * 6",
            "worship-submissions": "- | 0 0 3 * * * | 0 0 5 * * 6",
            "persons-sensitive": "- | 0 0 4 * * * | 0 0 6 * * 6",
            "subsidies": "- | 0 0 4 * * * | 0 0 5 * * 6",
        },
    ),
    "app-digitaal-loket--config--2023-07-24--396d203": Expected(
        graph=LOKET_ADMIN,
        streams={
            "leidinggevenden": "- | 0 0 2 * * * | 0 0 0 * * 6",
            "mandatarissen": "- | 0 0 2 * * * | 0 0 1 * * 6",
            "submissions": "- | 0 0 23 * * 6 | 0 0 1 * * 6",
            "worship-submissions": "- | 0 0 3 * * * | 0 0 5 * * 6",
            "persons-sensitive": "- | 0 0 4 * * * | 0 0 6 * * 6",
            "worship-services-sensitive": "- | 0 0 4 * * * | 0 0 6 * * 6",
            "subsidies": "- | 0 0 4 * * * | 0 0 5 * * 6",
        },
        warnings=[  # "startInitialSync": "false"
            f"""\
{CONFIG}, stream 1 "leidinggevenden", startInitialSync \
(and stream 2 "mandatarissen", stream 3 "submissions", stream 4 "worship-submissions", \
stream 5 "persons-sensitive", stream 6 "worship-services-sensitive", stream 7 "subsidies")""",
        ],
    ),
    "app-lblod-harvester--config--2023-05-17--9f6e06e": Expected(
        graph="harvesting",
        named="delta-producer-background-jobs-initiator-{ending}",
        creator="-{ending}",
        streams={
            "besluiten": "- | 0 0 2 * * * | 0 0 0 * * 6",
            "worship": "- | 0 0 3 * * * | 0 0 0 * * 6",
        },
    ),
    "app-lblod-harvester--config--2023-05-17--c7f6f37": Expected(
        graph="harvesting",
        creator="-{ending}",
        streams={
            "besluiten": "- | 0 0 2 * * * | 0 0 0 * * 6",
            "worship": "- | 0 0 3 * * * | 0 0 0 * * 6",
        },
    ),
    "app-lblod-harvester--config--2023-05-25--a2ac6fa": Expected(
        graph="harvesting",
        creator="-{ending}",
        streams={"besluiten": "- | 0 0 2 * * * | 0 0 0 * * 6"},
    ),
    "app-lblod-harvester--config--2023-07-20--a526b42": Expected(
        graph="harvesting",
        creator="-{ending}",
        streams={"besluiten": "- | 0 0 2 * * * | -"},
    ),
    "app-lblod-harvester--config--2025-02-17--8383c20": Expected(
        graph="harvesting",
        creator="-{ending}",
        streams={"besluiten": "- | - | -"},
    ),
    "app-lblod-harvester-worship--config--HEAD--410ac43": Expected(
        graph="harvesting",
        creator="-{ending}",
        streams={"worship": "- | 0 0 3 * * * | 0 0 0 * * 6"},
    ),
    "app-mandatees-decisions--config--2024-06-24--0a68867": Expected(
        graph="jobs",
        creator="-{ending}",
        streams={"mandatees-decisions": "sync | 0 0 23 * * 6 | 0 12 * * *"},
    ),
    "app-organization-portal--config--2024-04-23--fc4fcfd": Expected(
        graph="jobs",
        streams={"organizations": "sync | 0 0 4 * * * | 42 * * * *"},
    ),
    "app-organization-portal--config--HEAD--11817ea": Expected(
        graph="jobs",
        streams={
            "organizations": "sync | 0 0 4 * * * | 42 * * * *",
            "public": "sync | 0 0 4 * * * | 11 */4 * * *",
            "worship-posts": "sync | 0 0 3 * * * | 17 */4 * * *",
        },
    ),
    "delta-tutorial-producer--config--HEAD--dd3f78f": Expected(
        graph="books",
        creator="-{ending}",
        streams={"books": "sync | 0 */5 * * * * | 0 0 0 * * 6"},
    ),
}
STACKS = {
    "app-lblod-harvester-worship": FILES["app-lblod-harvester-worship--config--HEAD--410ac43"],
    "app-organization-portal": FILES["app-organization-portal--config--HEAD--11817ea"],
    "delta-tutorial-producer": FILES["delta-tutorial-producer--config--HEAD--dd3f78f"],
}


def by_environment(
    ending: str, plans: str, *, graph: str, creator: str = "", also: str = ""
) -> Expected:
    """Return what a service of a docker-compose.yml should give; none sets the healing's task."""
    return Expected(
        graph=graph,
        streams={ending: plans},
        named=None,
        creator=creator,
        warnings=[also] if also else [],
    )


ENVIRONMENTS = {
    "app-contactgegevens-loket--docker-compose--2024-01-02--86540e1": {
        "delta-producer-background-initiator": by_environment(
            "contactData",
            "sync | 0 0 * * * | 0 0 * * *",
            graph="jobs",
            also="env DUMP_FILE_CREATION_TASK_OPERATION",  # holds a job operation
        ),
    },
    "app-digitaal-loket--docker-compose--2022-12-15--23b18db": {
        f"delta-producer-background-jobs-initiator-{ending}": by_environment(
            ending, plans, graph=LOKET_ADMIN
        )
        for ending, plans in {
            "leidinggevenden": "- | 0 0 2 * * * | 0 0 0 * * 6",
            "mandatarissen": "- | 0 0 2 * * * | 0 0 1 * * 6",
            "submissions": "- | 0 0 23 * * 6 | 0 0 1 * * 6",
            "worship-submissions": "- | 0 0 3 * * * | 0 0 5 * * 6",
            "persons-sensitive": "- | 0 0 4 * * * | 0 0 6 * * 6",
            "worship-services-sensitive": "- | 0 0 4 * * * | 0 0 6 * * 6",
            "subsidies": "- | 0 0 4 * * * | 0 0 5 * * 6",
        }.items()
    },
    "app-lblod-harvester--docker-compose--2022-12-02--47415ea": {
        "delta-producer-background-jobs-initiator-besluiten": by_environment(
            "besluiten",
            "- | 0 0 2 * * * | 0 0 0 * * 6",
            graph="harvesting",
            creator="-{ending}",
        ),
    },
    "app-organization-portal--docker-compose--2021-11-16--c6dfc87": {
        "delta-producer-bg-jobs-initiator-administrative-units": by_environment(
            "administrative-units",
            "- | 0 0 4 * * * | 0 0 4 * * 6",
            graph=CONTACT_HUB_ADMIN,
        ),
    },
}
ORGANIZATION_PORTAL = "app-organization-portal--docker-compose--2024-10-03--d3b40b8"


# reading


def services(name: str) -> dict[str, dict[str, str]]:
    """Return the environment of each service of a docker-compose.yml.

    This parses only the YAML that these files contain. Docker passes every scalar as a string.
    """
    scalar = r"""(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s#]*))"""
    line = re.compile(rf"(?P<indent> +)(?P<key>[\w-]+): *{scalar} *(?:#.*)?")
    path = shared("real-configs") / "environments" / f"{name}.yml"
    found: dict[str, dict[str, str]] = {}
    service = section = ""
    for match in map(line.fullmatch, path.read_text(encoding="utf-8").splitlines()):
        if match is None:
            continue
        depth, key = len(match["indent"]) // 2, match["key"]
        if depth == 1:
            service = key
            found[service] = {}
        elif depth == 2:
            section = key
        elif section == "environment":
            found[service][key] = match["double"] or match["single"] or match["bare"] or ""
    return found


def config_file(name: str) -> str:
    return (shared("real-configs") / "files" / f"{name}.json").read_text(encoding="utf-8")


def neighbour(stack: str, pattern: str) -> str:
    [path] = (shared("real-configs") / "stacks" / stack).glob(pattern)
    return path.read_text(encoding="utf-8")


def row(stream: Stream) -> tuple[str | None, str, str, str, str]:
    """Return a stream in the form of `Expected.rows`."""
    endings = {
        plan.job_operation.removeprefix(OPERATIONS[plan.kind])
        for plan in stream.plans
        if plan.job_operation
    }
    plans = " | ".join(planned(plan) for plan in stream.plans)
    return stream.name, stream.jobs_graph, stream.error_creator, ",".join(endings), plans


def planned(plan: Plan) -> str:
    if not plan.enabled:
        return "-"
    return plan.schedule.pattern if plan.schedule else "sync"


def task_operations(stream: Stream) -> list[str]:
    return [plan.task_operation for plan in stream.plans]


def places(warnings: list[str]) -> list[str]:
    return [line.split(": ")[0] for line in warnings]


# tests


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_loads_unchanged(name: str) -> None:
    files, expected = {CONFIG: config_file(name)}, FILES[name]
    streams = loaded(files=files).streams
    assert [row(stream) for stream in streams] == expected.rows()
    assert places(warnings_of(files=files)) == expected.warnings
    for stream in streams:
        assert stream.healing_waits
        assert task_operations(stream) == [
            TASK + "initialPublicationGraphSyncing",
            MAINTAINERS_HEALING,
            TASK + "deltaDumpFileCreation",
        ]


@pytest.mark.parametrize("stack", STACKS)
def test_a_real_stack_gets_the_jobs_and_tasks_that_it_listens_for(stack: str) -> None:
    """Its job-controller continues a job only after the task operation that we write."""
    streams = loaded(files={CONFIG: neighbour(stack, "background-jobs-initiator_*.json")}).streams
    assert [row(stream) for stream in streams] == STACKS[stack].rows()
    controller = json.loads(neighbour(stack, "job*-controller_*.json"))
    for plan in (plan for stream in streams for plan in stream.plans):
        first_task, *_ = controller[plan.job_operation]["tasksConfiguration"]
        assert first_task["nextOperation"] == plan.task_operation


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_real_environment_loads_unchanged(name: str) -> None:
    found, expected = services(name), ENVIRONMENTS[name]
    assert found.keys() == expected.keys()
    for service, environ in found.items():
        settings = loaded(environ)
        assert [row(stream) for stream in settings.streams] == expected[service].rows()
        assert places(warnings_of(environ)) == expected[service].warnings
        assert task_operations(settings.streams[0]) == [
            TASK + "initialPublicationGraphSyncing",
            TASK + "patchPublicationGraph",
            environ.get("DUMP_FILE_CREATION_TASK_OPERATION", TASK + "deltaDumpFileCreation"),
        ]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_real_environment_goes_on_with_the_healing_task_of_the_node_service(name: str) -> None:
    for environ in services(name).values():
        harness = Harness(tuple(loaded(environ).streams))
        [stream] = harness.streams
        task = task_of("node", Status.SUCCESS, operation=MAINTAINERS_HEALING)
        earlier = Job(
            uri="http://redpencil.data.gift/id/job/node",
            operation=stream.operation(JobKind.HEALING),
            status=Status.SUCCESS,
            tasks=(task,),
        )
        harness.store.add(earlier)
        harness.reconciler.resume()
        assert harness.creator.request(stream, JobKind.HEALING).task_operation == (
            MAINTAINERS_HEALING
        )


def test_a_job_operation_in_place_of_the_dump_task_gives_a_warning() -> None:
    [environ] = services("app-contactgegevens-loket--docker-compose--2024-01-02--86540e1").values()
    assert environ["JOB_TIMEOUT_MINUTES"] == "0"
    assert loaded(environ).service.job_timeout_minutes == 0
    [line] = [line for line in warnings_of(environ) if "DUMP_FILE_CREATION_TASK" in line]
    assert f'got "{JOB}deltaDumpFileCreation/contactData" — a job operation' in line
    assert line.endswith(f"by default {TASK}deltaDumpFileCreation")


def test_a_stack_can_configure_one_instance_by_file_and_one_by_environment() -> None:
    found = services(ORGANIZATION_PORTAL)
    unnamed, by_file = found.values()
    assert list(found) == [
        "organizations-sync-with-sharepoint-jobs-initiator",
        "delta-producer-background-jobs-initiator",
    ]
    content = neighbour("app-organization-portal", "background-jobs-initiator_*.json")
    named = loaded(by_file, {CONFIG: content}).streams
    assert [row(stream) for stream in named] == STACKS["app-organization-portal"].rows()
    [stream] = loaded(unnamed).streams
    assert warnings_of(unnamed) == []
    assert (stream.name, stream.error_creator) == (None, SERVICE)
    assert stream.jobs_graph == "http://mu.semte.ch/graphs/jobs"
    assert [planned(plan) for plan in stream.plans] == ["-", "0 0 4 * * *", "-"]
    base = "http://redpencil.data.gift/id/jobs/concept/"
    assert [plan.job_operation for plan in stream.plans] == [
        f"{base}JobOperation/sp-sync/initialSyncing/organizations",
        f"{base}JobOperation/sp-sync/healingOperation/organizations",
        None,
    ]
    assert task_operations(stream) == [
        f"{base}TaskOperation/sp-sync/initialSyncing",
        f"{base}TaskOperation/sp-sync/healing",
        TASK + "deltaDumpFileCreation",
    ]


def test_every_real_configuration_is_tested() -> None:
    folder = shared("real-configs")
    found = {
        kind: {path.stem for path in (folder / kind).iterdir()}
        for kind in ("files", "environments")
    }
    assert found == {"files": set(FILES), "environments": {*ENVIRONMENTS, ORGANIZATION_PORTAL}}
    assert {path.name for path in (folder / "stacks").iterdir()} == set(STACKS)
