"""The config file of named streams and its override: what they may hold, and where they may be."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from jobs.model import Plan
from settings.fields import FileStream
from settings.values import RESERVED_NAMES
from tests.builders import DUMP, HEALING, INITIAL_SYNC
from tests.configuring import (
    CONFIG,
    ENVIRONMENT,
    JOB,
    MAINTAINERS_HEALING,
    OVERRIDE,
    TASK,
    errors_of,
    loaded,
    stream,
    warnings_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.model import Stream

URN = "urn:example:something"
SERVICE = "http://lblod.data.gift/services/delta-producer-background-jobs-initiator"
PUBLIC = f'{CONFIG}, stream 1 "public"'


def only_stream(given: dict[str, Any], environ: dict[str, str] | None = None) -> Stream:
    [stream] = loaded(environ, {CONFIG: [given]}).streams
    return stream


# the keys of a stream


def test_a_stream_of_the_file_has_these_keys_and_no_others() -> None:
    keys = {
        *("name", "jobsGraph", "errorCreatorUri", "startInitialSync"),
        *("initialPublicationGraphSyncJobOperation", "initialPublicationGraphSyncTaskOperation"),
        *("dumpFileCreationJobOperation", "dumpFileCreationTaskOperation"),
        *("healingJobOperation", "healingTaskOperation"),
        *("cronPatternDumpJob", "cronPatternHealingJob"),
        *("disableDumpFileCreation", "disableHealingJobOperation"),
        "healShouldNotWaitForInitialSync",
    }
    assert {info.alias for info in FileStream.model_fields.values()} == keys


def test_the_smallest_stream_gets_what_the_node_service_wrote() -> None:
    smallest = stream("public", startInitialSync=...)
    found = only_stream(smallest)
    assert (found.name, found.jobs_graph) == ("public", "http://mu.semte.ch/graphs/jobs")
    assert found.error_creator == f"{SERVICE}/public"
    assert found.healing_waits
    sync, healing, dump = found.plans
    assert sync == Plan(
        kind=INITIAL_SYNC,
        enabled=False,
        enabled_by='"startInitialSync": true',
        job_operation=JOB + "initialPublicationGraphSyncing/public",
        task_operation=TASK + "initialPublicationGraphSyncing",
    )
    assert (healing.enabled, healing.task_operation) == (True, MAINTAINERS_HEALING)
    assert (dump.enabled, dump.task_operation) == (True, TASK + "deltaDumpFileCreation")
    patterns = [plan.schedule.pattern for plan in (healing, dump) if plan.schedule]
    assert patterns == ["0 0 0 * * *", "0 0 0 * * *"]


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key of a stream and what it sets."""

    name: str
    given: object
    read: Callable[[Stream], object]
    value: object


KEYS = [
    Key(
        name="jobsGraph",
        given=URN,
        read=lambda stream: stream.jobs_graph,
        value=URN,
    ),
    Key(
        name="errorCreatorUri",
        given=URN,
        read=lambda stream: stream.error_creator,
        value=URN,
    ),
    Key(
        name="initialPublicationGraphSyncJobOperation",
        given=URN,
        read=lambda stream: stream.plan(INITIAL_SYNC).job_operation,
        value=URN,
    ),
    Key(
        name="initialPublicationGraphSyncTaskOperation",
        given=URN,
        read=lambda stream: stream.plan(INITIAL_SYNC).task_operation,
        value=URN,
    ),
    Key(
        name="dumpFileCreationJobOperation",
        given=URN,
        read=lambda stream: stream.plan(DUMP).job_operation,
        value=URN,
    ),
    Key(
        name="dumpFileCreationTaskOperation",
        given=URN,
        read=lambda stream: stream.plan(DUMP).task_operation,
        value=URN,
    ),
    Key(
        name="healingJobOperation",
        given=URN,
        read=lambda stream: stream.plan(HEALING).job_operation,
        value=URN,
    ),
    Key(
        name="healingTaskOperation",
        given=URN,
        read=lambda stream: stream.plan(HEALING).task_operation,
        value=URN,
    ),
    Key(
        name="cronPatternDumpJob",
        given="0 0 6 * * 6",
        read=lambda stream: getattr(stream.plan(DUMP).schedule, "pattern", None),
        value="0 0 6 * * 6",
    ),
    Key(
        name="cronPatternHealingJob",
        given="11 */4 * * *",
        read=lambda stream: getattr(stream.plan(HEALING).schedule, "pattern", None),
        value="11 */4 * * *",
    ),
    Key(
        name="startInitialSync",
        given="TRUE",
        read=lambda stream: stream.plan(INITIAL_SYNC).enabled,
        value=True,
    ),
    Key(
        name="disableDumpFileCreation",
        given=True,
        read=lambda stream: stream.plan(DUMP),
        value=Plan(
            kind=DUMP,
            enabled=False,
            enabled_by='"disableDumpFileCreation": false',
            job_operation=JOB + "deltaDumpFileCreation/public",
            task_operation=TASK + "deltaDumpFileCreation",
        ),
    ),
    Key(
        name="disableHealingJobOperation",
        given="true",
        read=lambda stream: stream.plan(HEALING).enabled,
        value=False,
    ),
    Key(
        name="healShouldNotWaitForInitialSync",
        given=True,
        read=lambda stream: (stream.healing_waits, stream.freed_by),
        value=(False, '"healShouldNotWaitForInitialSync": true'),
    ),
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_key_counts(key: Key) -> None:
    assert key.read(only_stream(stream("public", **{key.name: key.given}))) == key.value


@pytest.mark.parametrize("key", sorted(FileStream.model_json_schema()["properties"]))
@pytest.mark.parametrize("blank", [None, "", " \n"])
def test_null_and_empty_text_equal_a_missing_key(key: str, blank: object) -> None:
    def outcome(value: object) -> object:
        files = {CONFIG: [stream("public", **{key: value}), stream("other")]}
        try:
            return loaded(files=files)
        except Exception as error:  # noqa: BLE001 - whatever the outcome is, it is to be the same
            return str(error).replace(' "public"', "")

    assert outcome(blank) == outcome(...)


@pytest.mark.parametrize(
    ("key", "example"),
    [("name", "public"), ("jobsGraph", "http://mu.semte.ch/graphs/system/jobs")],
)
def test_name_and_jobs_graph_are_required(key: str, example: str) -> None:
    where = f"{CONFIG}, stream 1" if key == "name" else PUBLIC
    says = f'not set; every stream needs it, e.g. "{key}": "{example}"'
    assert errors_of(files={CONFIG: [stream("public", **{key: ...})]}) == [
        f"{where}, {key}: {says}"
    ]


@pytest.mark.parametrize(
    ("operation", "kind", "off"),
    [
        ("initialPublicationGraphSyncJobOperation", "initial sync", ("startInitialSync", False)),
        ("dumpFileCreationJobOperation", "dump", ("disableDumpFileCreation", True)),
        ("healingJobOperation", "healing", ("disableHealingJobOperation", True)),
    ],
)
def test_an_enabled_kind_needs_its_job_operation(
    operation: str, kind: str, off: tuple[str, bool]
) -> None:
    switch, value = off
    without = stream("public", **{operation: ...})
    says = f'not set, but {kind} is enabled; set it, or "{switch}": {json.dumps(value)}'
    assert errors_of(files={CONFIG: [without]}) == [f"{PUBLIC}, {operation}: {says}"]
    assert only_stream(without | {switch: value})


@pytest.mark.parametrize(
    ("variable", "kind"),
    [
        ("INITIAL_PUBLICATION_GRAPH_SYNC_TASK_OPERATION", INITIAL_SYNC),
        ("HEALING_TASK_OPERATION", HEALING),
        ("DUMP_FILE_CREATION_TASK_OPERATION", DUMP),
    ],
)
def test_a_task_operation_is_the_files_or_else_the_environments(variable: str, kind: Any) -> None:
    environ = {variable: URN}
    key = {INITIAL_SYNC: "initialPublicationGraphSync", DUMP: "dumpFileCreation"}.get(
        kind, "healing"
    )
    own = {f"{key}TaskOperation": "urn:example:own"}
    assert only_stream(stream(), environ).plan(kind).task_operation == URN
    assert only_stream(stream(**own), environ).plan(kind).task_operation == "urn:example:own"


def test_a_bad_task_operation_of_the_environment_is_told_once_for_all_streams() -> None:
    files = {
        CONFIG: [stream("public"), stream("private"), stream("other", healingTaskOperation=URN)]
    }
    [line] = errors_of({"HEALING_TASK_OPERATION": "healing"}, files)
    assert line.startswith('env HEALING_TASK_OPERATION: got "healing" — not an absolute IRI; ')


# names


@pytest.mark.parametrize("name", ["public", "worship-posts", "contactData", "0", "a.b_c~d"])
def test_a_name_that_is_safe_in_an_address_will_do(name: str) -> None:
    assert only_stream(stream(name)).name == name


UNSAFE = ["a/b", ".", "..", "-a", "a b", " a", "a%20b", "a?b", "a#b", "caf\xe9", "\u202ea", "a\tb"]


@pytest.mark.parametrize("name", UNSAFE)
def test_a_name_that_is_not_safe_in_an_address_is_refused(name: str) -> None:
    [line] = errors_of(files={CONFIG: [stream(jobsGraph=URN) | {"name": name}]})
    assert line.endswith(
        " — not usable in the address of the stream's calls; "
        "use letters, digits and . _ ~ - only, with a letter or digit first"
    )


def test_the_reserved_names_are_those_of_the_services_own_calls() -> None:
    calls = ["dump-publication-graph-jobs", "healing-jobs", "initial-sync-jobs"]
    assert set(calls) | {"status", "health", "metrics", "openapi.json", "static"} == RESERVED_NAMES


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
@pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
def test_a_reserved_name_is_refused_in_any_case(name: str, change: Callable[[str], str]) -> None:
    [line] = errors_of(files={CONFIG: [stream(change(name))]})
    assert line.endswith(" — taken by the service's own calls; choose another name")


def test_names_are_unique_without_regard_to_case() -> None:
    files = {CONFIG: [stream("public"), stream("other"), stream("PUBLIC")]}
    [line] = errors_of(files=files)
    assert line == (
        f'{CONFIG}, stream 3 "PUBLIC", name: got "PUBLIC" — {PUBLIC} has this name too, without '
        "regard to case; rename one of them"
    )


def test_two_streams_may_not_share_a_job_operation() -> None:
    shared = JOB + "healingOperation/public"
    files = {CONFIG: [stream("public"), stream("other", dumpFileCreationJobOperation=shared)]}
    [line] = errors_of(files=files)
    assert line == (
        f'{CONFIG}, stream 2 "other", dumpFileCreationJobOperation: got "{shared}" — {PUBLIC}, '
        "healingJobOperation has this job operation too; "
        "give each its own: jobs are told apart by it"
    )


def test_operations_of_disabled_kinds_may_not_be_shared_either() -> None:
    shared = stream("public")["healingJobOperation"]
    twin = stream("other", healingJobOperation=shared, disableHealingJobOperation=True)
    [line] = errors_of(files={CONFIG: [stream("public"), twin]})
    assert line.startswith(f'{CONFIG}, stream 2 "other", healingJobOperation: got ')


# the override file


def overridden(content: object, environ: dict[str, str] | None = None) -> Any:
    files = {CONFIG: [stream("public"), stream("private")], OVERRIDE: content}
    return loaded(environ, files)


NEW = {"cronPatternDumpJob": "0 0 1 * * *", "startInitialSync": False}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"private": NEW}, id="an object keyed by name"),
        pytest.param([{"name": "private"} | NEW], id="an array of objects with a name"),
        pytest.param([{"name": "private"} | {key: NEW[key]} for key in NEW], id="in two steps"),
        pytest.param({"private": {"name": "private"} | NEW}, id="both ways at once"),
    ],
)
def test_an_override_replaces_keys_of_one_stream(content: object) -> None:
    settings = overridden(content)
    expected = loaded(files={CONFIG: [stream("public"), stream("private", **NEW)]})
    assert settings == expected
    assert settings.streams[1].plan(DUMP).schedule.pattern == "0 0 1 * * *"


def test_an_override_can_give_a_key_its_default_back() -> None:
    settings = overridden({"public": {"startInitialSync": None}})
    assert not settings.streams[0].plan(INITIAL_SYNC).enabled


def test_an_override_can_rename_a_stream() -> None:
    settings = overridden({"public": {"name": "open"}})
    assert [stream.name for stream in settings.streams] == ["open", "private"]


@pytest.mark.parametrize("nothing", [[], {}, {"public": {}}], ids=json.dumps)
def test_an_override_of_nothing_changes_nothing(nothing: object) -> None:
    assert overridden(nothing) == loaded(files={CONFIG: [stream("public"), stream("private")]})


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(
            {"Privat": NEW},
            f'{OVERRIDE}, "Privat": no stream has this name, ignored; did you mean "private"?',
            id="an unknown name that is like another",
        ),
        pytest.param(
            [{"name": "worship"} | NEW],
            f'{OVERRIDE}, stream 1 "worship": no stream has this name, ignored; remove it',
            id="an unknown name",
        ),
        pytest.param(
            [NEW],
            f'{OVERRIDE}, stream 1: names no stream, ignored; add its "name"',
            id="no name",
        ),
        pytest.param(
            {"public": {"jobGraph": URN}},
            f'{OVERRIDE}, "public", jobGraph: unknown key, ignored; did you mean "jobsGraph"?',
            id="an unknown key",
        ),
    ],
)
def test_an_override_of_what_is_not_there_is_a_warning(content: object, line: str) -> None:
    assert warnings_of(
        files={CONFIG: [stream("public"), stream("private")], OVERRIDE: content}
    ) == [line]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(
            {"public": {"startInitialSync": "no"}},
            f'{OVERRIDE}, "public", startInitialSync: got "no" — neither true nor false; '
            "write true or false",
            id="a wrong value by name",
        ),
        pytest.param(
            [{"name": "public", "cronPatternDumpJob": "0 0 L * *"}],
            f'{OVERRIDE}, stream 1 "public", cronPatternDumpJob: got "0 0 L * *" — day of month '
            "\"L\" is not understood; L, W and # are Quartz's, not cron's: "
            "use 1-31, *, a,b, a-b or */n",
            id="a wrong value in an array",
        ),
        pytest.param(
            {"public": {"healingJobOperation": None}},
            f'{OVERRIDE}, "public", healingJobOperation: not set, but healing is enabled; '
            'set it, or "disableHealingJobOperation": true',
            id="nothing where something is required",
        ),
        pytest.param(
            {"public": 5},
            f'{OVERRIDE}, "public": is a number; write an object: {{ … }}',
            id="no object",
        ),
        pytest.param(
            "null",
            f'{OVERRIDE}: holds null; write an object keyed by stream name: {{ "NAME": {{ … }} }}',
            id="neither object nor array",
        ),
    ],
)
def test_a_flaw_is_located_in_the_override_file(content: object, line: str) -> None:
    assert errors_of(files={CONFIG: [stream("public")], OVERRIDE: content}) == [line]


# where files may be


@dataclass(frozen=True, kw_only=True)
class Row:
    """Which files are there and which are asked for; what comes of it."""

    there: tuple[str, ...] = ()
    asked_for: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    names: tuple[str | None, ...] = ()
    errors: tuple[str, ...] = ()


NO_CONFIG = f"{CONFIG}: no such file; mount it there, or unset CONFIG_FILE"
NO_OVERRIDE = f"{OVERRIDE}: no such file; mount it there, or unset CONFIG_OVERRIDE_FILE"
PLACES = {
    "a file alone": Row(there=(CONFIG,), names=("public",)),
    "a file that is asked for": Row(there=(CONFIG,), asked_for=("CONFIG_FILE",), names=("public",)),
    "a file beside the environment": Row(
        there=(CONFIG,), environ=ENVIRONMENT, names=("public", None)
    ),
    "an environment alone": Row(environ=ENVIRONMENT, names=(None,)),
    "no file, though one is asked for": Row(asked_for=("CONFIG_FILE",), errors=(NO_CONFIG,)),
    "an environment, and no file though one is asked for": Row(
        asked_for=("CONFIG_FILE",), environ=ENVIRONMENT, errors=(NO_CONFIG,)
    ),
    "a file and an override": Row(there=(CONFIG, OVERRIDE), names=("public",)),
    "a file and an override that is asked for": Row(
        there=(CONFIG, OVERRIDE), asked_for=("CONFIG_OVERRIDE_FILE",), names=("public",)
    ),
    "a file, and no override though one is asked for": Row(
        there=(CONFIG,), asked_for=("CONFIG_OVERRIDE_FILE",), errors=(NO_OVERRIDE,)
    ),
    "an environment, and no override though one is asked for": Row(
        environ=ENVIRONMENT, asked_for=("CONFIG_OVERRIDE_FILE",), errors=(NO_OVERRIDE,)
    ),
    "neither of two files that are asked for": Row(
        asked_for=("CONFIG_FILE", "CONFIG_OVERRIDE_FILE"), errors=(NO_CONFIG, NO_OVERRIDE)
    ),
    "an override, and no file though one is asked for": Row(
        there=(OVERRIDE,), asked_for=("CONFIG_FILE",), errors=(NO_CONFIG,)
    ),
}


@pytest.mark.parametrize("row", PLACES.values(), ids=PLACES)
def test_a_missing_file_is_an_error_only_where_it_is_asked_for(row: Row) -> None:
    contents = {CONFIG: [stream("public")], OVERRIDE: {"public": {}}}
    paths = {"CONFIG_FILE": CONFIG, "CONFIG_OVERRIDE_FILE": OVERRIDE}
    environ = row.environ | {name: paths[name] for name in row.asked_for}
    files = {path: contents[path] for path in row.there}
    if row.errors:
        assert errors_of(environ, files) == list(row.errors)
    else:
        assert tuple(stream.name for stream in loaded(environ, files).streams) == row.names


def test_an_override_without_a_config_file_is_told() -> None:
    warnings = warnings_of(ENVIRONMENT, {OVERRIDE: {"public": {}}})
    assert warnings == [f'{OVERRIDE}, "public": no stream has this name, ignored; remove it']


def test_files_may_be_elsewhere() -> None:
    environ = {"CONFIG_FILE": "/a.json", "CONFIG_OVERRIDE_FILE": "/b.json"}
    files = {"/a.json": [stream("public")], "/b.json": {"public": {"jobsGraph": URN}}}
    assert loaded(environ, files).streams[0].jobs_graph == URN


def test_an_empty_config_file_is_an_error_where_nothing_else_is_set_up() -> None:
    operations = (
        "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION, HEALING_JOB_OPERATION, "
        "DUMP_FILE_CREATION_JOB_OPERATION"
    )
    says = f"holds no stream; add one, or set one up by {operations}"
    assert errors_of(files={CONFIG: []}) == [f"{CONFIG}: {says}"]
    assert loaded(ENVIRONMENT, {CONFIG: []}).streams


# the schema of the file


def test_a_schema_of_the_file_can_be_made() -> None:
    schema = FileStream.model_json_schema(by_alias=True)
    assert schema["required"] == ["jobsGraph", "name"]
    described = {key: value["description"] for key, value in schema["properties"].items()}
    assert all(described.values())
    assert schema["properties"]["startInitialSync"] == {
        "default": False,
        "description": "allow the initial sync, at startup and through the API",
        "title": "Startinitialsync",
        "type": "boolean",
    }
    kinds = {
        json.dumps(value.get("type") or value["anyOf"]) for value in schema["properties"].values()
    }
    assert kinds == {'"string"', '"boolean"', '[{"type": "string"}, {"type": "null"}]'}
