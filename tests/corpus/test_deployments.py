"""`flask check` over deployments of real stacks: what each loads, or why it is refused.

They are files, environments, and both where they ran together or one followed the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands.stack.compose import read_compose
from jobs.text import count
from tests.support.command_runner import run
from tests.support.configuring import CONFIG, loaded
from tests.support.shared_data import shared

LOKET = "organizations/141d9d6b-54af-4d17-b313-8d1c30bc3f5b/LoketAdmin"
SYNC_VARIABLE = "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION"


@dataclass(frozen=True)
class Loads:
    """The streams, each as *name, graph, end of its job operations: initial sync | healing | dump*.

    `sync` or the pattern stands for an enabled kind, and `-` for a disabled one. `warnings` are the
    beginnings of the warnings in their order, `remedies` their ends.
    """

    streams: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """The problems, each by its beginning and its end, which is the remedy."""

    problems: tuple[tuple[str, str], ...]


def named(graph: str, **plans: str) -> Loads:
    """Return what a file loads whose streams are named as the ends of their operations."""
    names = {key.replace("_", "-"): plan for key, plan in plans.items()}
    return Loads(tuple(f"stream {name}, {graph}, {name}: {plan}" for name, plan in names.items()))


def unnamed(graph: str, ending: str, plans: str, *warnings: str) -> Loads:
    """Return what an environment loads."""
    return Loads((f"the environment's stream, {graph}, {ending}: {plans}",), warnings)


SUBMISSIONS = "- | 0 0 23 * * 6 | -"
FILES = {
    "app-contactgegevens-loket--config--2023-12-21--7301d70": Loads(
        ("stream contactgegevens, jobs, contactData: - | 0 0 * * * | 0 0 * * *",)
    ),
    "app-contactgegevens-loket--config--2024-01-18--ba710c5": named(
        "jobs", contactData="sync | 0 0 4 * * * | -"
    ),
    "app-digitaal-loket--config--2023-09-20--ada0f80": named(LOKET, submissions=SUBMISSIONS),
    "app-digitaal-loket--config--2024-01-19--2198055": named(
        LOKET,
        submissions=SUBMISSIONS,
        persons_sensitive="- | 0 0 4 * * * | -",
        worship_submissions="- | 0 0 3 * * * | -",
        mandatarissen="- | 0 0 2 * * * | -",
    ),
    "app-digitaal-loket--config--2024-03-01--c6f917b": named(
        LOKET,
        submissions=SUBMISSIONS,
        persons_sensitive="- | 0 0 4 * * * | -",
        worship_submissions="- | 0 0 3 * * * | -",
        leidinggevenden="- | 0 0 2 * * * | -",
        mandatarissen="- | 0 0 2 * * * | -",
        vendor_management="- | 0 0 3 * * * | -",
    ),
    "app-mandatees-decisions--config--2024-06-14--7286e7f": Loads(
        named("jobs", mandatees_decisions="sync | 0 0 23 * * 6 | 0/15 * * * * *").streams,
        (f'{CONFIG}, stream 1 "mandatees-decisions", cronPatternDumpJob: got "0/15 * * * * *"',),
        ('write "0 */15 * * * *" if fewer are meant',),
    ),
    "app-organization-portal--config--2024-10-14--3f460ce": named(
        "jobs",
        organizations="sync | 0 0 4 * * * | 42 * * * *",
        public="sync | 0 0 4 * * * | 11 */4 * * *",
        organizations_public_info="sync | 0 0 4 * * * | 27 */4 * * *",
        worship_posts="sync | 0 0 3 * * * | 17 */4 * * *",
    ),
    "app-verenigingen-loket-harvester--config--2024-05-14--0c40bd5": named(
        "harvesting", verenigingen="- | 0 0 2 * * * | 0 0 0 * * 6"
    ),
    "app-verenigingen-loket-harvester--config--2025-09-29--bc12015": named(
        "jobs", verenigingen="- | 20 05 * * * | 0 6 * * *"
    ),
}

SPACE = (
    'env HEALING_TASK_OPERATION: got "http://redpencil.data.gi ft/id/jobs/concept/JobOperation/',
    'remove the space after "http://redpencil.data.gi"',
)
PORTAL, BG = "organisatieportaal", "delta-producer-bg-jobs-initiator-"
SHAREPOINT = "organizations-sync-with-sharepoint-jobs-initiator"


def loket(sync: str = "-") -> dict[str, str]:
    """Return the patterns of digitaal-loket's streams; `sync` is that of worship-submissions."""
    return {
        "leidinggevenden": "- | 0 0 2 * * * | 0 0 0 * * 6",
        "mandatarissen": "- | 0 0 2 * * * | 0 0 1 * * 6",
        "submissions": "- | 0 0 23 * * 6 | 0 0 1 * * 6",
        "worship-submissions": f"{sync} | 0 0 23 * * 6 | 0 0 1 * * 6",
        "persons-sensitive": "- | 0 0 4 * * * | 0 0 6 * * 6",
        "subsidies": "- | 0 0 4 * * * | 0 0 5 * * 6",
    }


def instances(prefix: str, graph: str, plans: dict[str, str]) -> dict[str, Loads | Refused]:
    """Return what several services of one stack load, each named as its stream."""
    return {prefix + ending: unnamed(graph, ending, plan) for ending, plan in plans.items()}


def portal(*also: str) -> dict[str, str]:
    """Return the patterns of the portal's streams; `also` are those beyond the first two."""
    plans = {
        "administrative-units": "- | 0 0 4 * * * | 0 0 4 * * 6",
        "organizations": "- | 0 0 4 * * * | 42 * * * *",
        "organizations-public-info": "- | 0 0 4 * * * | 27 */4 * * *",
        "public": "- | 0 0 4 * * * | 11 */4 * * *",
        "worship-posts": "- | 0 0 3 * * * | 17 */4 * * *",
    }
    return {name: plans[name] for name in also}


ENVIRONMENTS: dict[str, dict[str, Loads | Refused]] = {
    "app-contactgegevens-loket--docker-compose--2023-12-19--be52c6c": {
        "delta-producer-background-initiator": unnamed(
            "jobs",
            "contactgegevens",
            "- | 0 0 4 * * * | 42 * * * *",
        )
    },
    "app-contactgegevens-loket--docker-compose--2023-12-21--2c64a17": {
        "delta-producer-background-initiator": Refused(
            (
                SPACE,
                ("env HEALING_JOB_OPERATION: not set", "ENABLE_HEALING_JOB_OPERATION=false"),
                (
                    "env DUMP_FILE_CREATION_JOB_OPERATION: not set",
                    "ENABLE_DUMP_FILE_CREATION=false",
                ),
            )
        )
    },
    "app-digitaal-loket--docker-compose--2021-06-09--75ebef3": instances(
        "delta-producer-background-jobs-initiator-",
        LOKET,
        {
            "leidinggevenden": "- | 0 0 2 * * * | 0 0 0 * * 6",
            "mandatarissen": "sync | 0 0 2 * * * | 0 0 1 * * 6",
        },
    ),
    "app-digitaal-loket--docker-compose--2022-09-07--a38a774": instances(
        "delta-producer-background-jobs-initiator-", LOKET, loket(sync="sync")
    ),
    "app-lblod-harvester--docker-compose--2021-11-04--0ede26c": instances(
        "delta-producer-background-jobs-initiator-",
        "harvesting",
        {"besluiten": "- | 0 0 2 * * * | 0 0 0 * * 6"},
    ),
    "app-lblod-harvester--docker-compose--2023-05-17--342f2e5": {
        "delta-producer-background-jobs-initiator": Refused(
            ((f"{CONFIG}: no such file", "DUMP_FILE_CREATION_JOB_OPERATION"),)
        )
    },
    "app-organization-portal--docker-compose--2021-12-10--7a5cc48": {
        **instances(BG, PORTAL, portal("administrative-units")),
        f"{BG}organizations": Refused(
            (
                (
                    'env CRON_PATTERN_DUMP_JOB: got "30 9 8-18/2 ? * MON,TUE,WED,THU,FRI *"',
                    "drop the last field, Quartz's year, and write * for ?",
                ),
            )
        ),
    },
    "app-organization-portal--docker-compose--2022-04-21--18375c2": instances(
        BG, PORTAL, portal("administrative-units", "organizations", "public")
    ),
    "app-organization-portal--docker-compose--2023-04-21--3aa280b": {
        SHAREPOINT: Loads(
            ("the environment's stream, jobs, organizations: - | 0 0 4 * * * | -",),
            ('env HEALING_TASK_OPERATION: got "http://redpencil.data.gift/id/jobs/concept/Task',),
            ("set the one that the service for healings listens for",),
        ),
        **instances(BG, "jobs", portal("organizations", "public", "worship-posts")),
    },
    "app-organization-portal--docker-compose--2023-12-06--0a8768e": {
        SHAREPOINT: unnamed("jobs", "organizations", "- | 0 0 4 * * * | -"),
        **instances(
            BG,
            "jobs",
            portal("organizations", "organizations-public-info", "public", "worship-posts"),
        ),
    },
}

CONTACT_FILE = "deployments/files/app-contactgegevens-loket--config--2023-12-21--7301d70"
CONTACT = FILES["app-contactgegevens-loket--config--2023-12-21--7301d70"].streams
HARVESTER = "deployments/environments/app-lblod-harvester--docker-compose--2023-05-17--342f2e5"
HARVESTED = {
    "besluiten": "- | 0 0 2 * * * | 0 0 0 * * 6",
    "worship": "- | 0 0 3 * * * | 0 0 0 * * 6",
}
BESIDE = (
    f"set up by variables beside {CONFIG}; to have none, remove {SYNC_VARIABLE}, "
    "DUMP_FILE_CREATION_JOB_OPERATION, HEALING_JOB_OPERATION, JOBS_GRAPH, "
    "CRON_PATTERN_HEALING_JOB, CRON_PATTERN_DUMP_JOB, START_INITIAL_SYNC"
)
PAIRS: dict[tuple[str, str], Loads | Refused] = {
    (
        HARVESTER,
        "real-configs/files/app-lblod-harvester--config--2023-05-17--9f6e06e",
    ): Loads(
        tuple(
            f"stream delta-producer-background-jobs-initiator-{name}, harvesting, {name}: {plan}"
            for name, plan in HARVESTED.items()
        )
    ),
    (
        HARVESTER,
        "real-configs/files/app-lblod-harvester--config--2023-05-17--c7f6f37",
    ): named("harvesting", **HARVESTED),
    # They ran together under 1.0.0, which read the file alone.
    (
        "deployments/environments/app-contactgegevens-loket--docker-compose--2023-12-21--2c64a17",
        CONTACT_FILE,
    ): Refused((SPACE,)),
    # The variables of two days before, if they had remained: other operations.
    (
        "deployments/environments/app-contactgegevens-loket--docker-compose--2023-12-19--be52c6c",
        CONTACT_FILE,
    ): Loads(
        (*CONTACT, "the environment's stream, jobs, contactgegevens: - | 0 0 4 * * * | 42 * * * *"),
        origins=(BESIDE,),
    ),
    # The variables of some days later: the same operations, and an initial sync.
    (
        "real-configs/environments/app-contactgegevens-loket--docker-compose--2024-01-02--86540e1",
        CONTACT_FILE,
    ): Loads(
        CONTACT,
        (
            "env DUMP_FILE_CREATION_TASK_OPERATION: got",
            'env START_INITIAL_SYNC: got "true" — "startInitialSync": false',
            f"env {SYNC_VARIABLE}: got",
        ),
        (
            "TaskOperation/deltas/deltaDumpFileCreation",
            'set "startInitialSync": true there to keep it, or remove the variable',
            "START_INITIAL_SYNC",
        ),
    ),
    # The same beside a later file, which disables the dump.
    (
        "real-configs/environments/app-contactgegevens-loket--docker-compose--2024-01-02--86540e1",
        "deployments/files/app-contactgegevens-loket--config--2024-01-18--ba710c5",
    ): Loads(
        FILES["app-contactgegevens-loket--config--2024-01-18--ba710c5"].streams,
        (
            "env DUMP_FILE_CREATION_TASK_OPERATION: got",
            "env CRON_PATTERN_HEALING_JOB: got",
            'env ENABLE_DUMP_FILE_CREATION: not set, and "disableDumpFileCreation": true of',
            f"env {SYNC_VARIABLE}: got",
        ),
        (
            "TaskOperation/deltas/deltaDumpFileCreation",
            'set "cronPatternHealingJob": "0 0 * * *" there to keep it, or remove the variable',
            "nothing to do if the file is right",
            "START_INITIAL_SYNC",
        ),
    ),
}


# reading


def environments(path: str, folder: Path) -> dict[str, dict[str, str]]:
    """Return the environment of each service; the anchor of the logging is in none of the files."""
    text = shared(f"{path}.yml").read_text(encoding="utf-8")
    (folder / "docker-compose.yml").write_text(f"x-logging: &default-logging {{}}\n{text}")
    return {service.name: dict(service.environment) for service in read_compose(folder).services}


def files(path: str) -> dict[str, str]:
    return {CONFIG: shared(f"{path}.json").read_text(encoding="utf-8")}


def check(environ: dict[str, str], files: dict[str, str], expected: Loads | Refused) -> None:
    """Run `flask check` and compare what it shows."""
    result = run(lambda: loaded(environ, files), "check")
    if isinstance(expected, Refused):
        assert (result.exit_code, result.stdout) == (78, "")
        lines = [line[2:] for line in result.stderr.splitlines() if line.startswith("  ")]
        assert_about(lines, *zip(*expected.problems, strict=True))
        return
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    prefix = "configuration: warning: "
    warnings = [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]
    assert_about(warnings, expected.warnings, expected.remedies or ("",) * len(warnings))
    counts = [count(len(warnings), "warning"), count(len(expected.streams), "stream")]
    assert lines[len(warnings)] == f"configuration: no problems, {', '.join(counts)}"
    assert [line[2:] for line in lines if line.startswith("  set up by")] == [*expected.origins]
    assert shown(lines) == [*expected.streams]


def assert_about(lines: list[str], beginnings: tuple[str, ...], ends: tuple[str, ...]) -> None:
    """Compare the beginning and the end of each line."""
    assert len(lines) == len(beginnings), lines
    for line, beginning, end in zip(lines, beginnings, ends, strict=True):
        assert line.startswith(beginning)
        assert line.endswith(end)


def shown(lines: list[str]) -> list[str]:
    """Return the streams in the output in the form of `Loads.streams`."""
    blocks = [block for block in "\n".join(lines).split("\n\n") if ", in graph " in block]
    return [stream_shown(block) for block in blocks]


def stream_shown(block: str) -> str:
    name, graph = re.findall(
        r"^(.+), in graph http://mu.semte.ch/graphs/(.+)$", block, re.MULTILINE
    )[0]
    jobs = re.findall(r"^    job   http.*/(.+)$", block, re.MULTILINE)
    rows = re.findall(
        r"^  (?:initial sync|healing|dump)  +(.+?)(?:;.*|  .*)?$", block, re.MULTILINE
    )
    plans = [{"disabled": "-", "once, at the start": "sync"}.get(row, row) for row in rows]
    return f"{name}, {graph}, {','.join(dict.fromkeys(jobs))}: {' | '.join(plans)}"


# tests


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_checked(name: str) -> None:
    check({}, files(f"deployments/files/{name}"), FILES[name])


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_is_checked(name: str, tmp_path: Path) -> None:
    found = environments(f"deployments/environments/{name}", tmp_path)
    assert found.keys() == ENVIRONMENTS[name].keys()
    for service, environ in found.items():
        check(environ, {}, ENVIRONMENTS[name][service])


@pytest.mark.parametrize(("environment", "file"), PAIRS)
def test_an_environment_beside_a_file_is_checked(
    environment: str, file: str, tmp_path: Path
) -> None:
    [environ] = environments(environment, tmp_path).values()
    check(environ, files(file), PAIRS[environment, file])


def test_every_deployment_is_checked() -> None:
    folder = shared("deployments")
    assert {path.stem for path in (folder / "files").iterdir()} == set(FILES)
    assert {path.stem for path in (folder / "environments").iterdir()} == set(ENVIRONMENTS)
