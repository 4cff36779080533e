"""The config file of named streams and its override: what they may hold, and where they may be."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from config import ConfigError
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
    enabled,
    errors_of,
    job_operation,
    loaded,
    pattern,
    stream,
    task_operation,
    warnings_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from config import Settings
    from jobs.model import JobKind, Stream

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
        *("healShouldNotWaitForInitialSync", "jobTimeoutMinutes", "closeFinishedJobs"),
    }
    assert {info.alias for info in FileStream.model_fields.values()} == keys


def test_the_smallest_stream_gets_what_the_node_service_wrote() -> None:
    smallest = stream("public", startInitialSync=...)
    found = only_stream(smallest)
    assert (found.name, found.jobs_graph) == ("public", "http://mu.semte.ch/graphs/jobs")
    assert found.error_creator == f"{SERVICE}/public"
    assert found.healing_waits
    kinds = (INITIAL_SYNC, HEALING, DUMP)
    assert [enabled(kind)(found) for kind in kinds] == [False, True, True]
    assert [pattern(kind)(found) for kind in kinds] == [None, "0 0 0 * * *", "0 0 0 * * *"]
    assert [task_operation(kind)(found) for kind in kinds] == [
        TASK + "initialPublicationGraphSyncing",
        MAINTAINERS_HEALING,
        TASK + "deltaDumpFileCreation",
    ]


@pytest.mark.parametrize(
    ("key", "given", "read", "value"),
    [
        ("jobsGraph", URN, attrgetter("jobs_graph"), URN),
        ("errorCreatorUri", URN, attrgetter("error_creator"), URN),
        ("initialPublicationGraphSyncJobOperation", URN, job_operation(INITIAL_SYNC), URN),
        ("initialPublicationGraphSyncTaskOperation", URN, task_operation(INITIAL_SYNC), URN),
        ("dumpFileCreationJobOperation", URN, job_operation(DUMP), URN),
        ("dumpFileCreationTaskOperation", URN, task_operation(DUMP), URN),
        ("healingJobOperation", URN, job_operation(HEALING), URN),
        ("healingTaskOperation", URN, task_operation(HEALING), URN),
        ("cronPatternDumpJob", "0 0 6 * * 6", pattern(DUMP), "0 0 6 * * 6"),
        ("cronPatternHealingJob", " 11 */4 * * *", pattern(HEALING), "11 */4 * * *"),
        ("startInitialSync", False, enabled(INITIAL_SYNC), False),
        ("startInitialSync", "TRUE", enabled(INITIAL_SYNC), True),
        ("disableDumpFileCreation", True, enabled(DUMP), False),
        ("disableDumpFileCreation", True, pattern(DUMP), None),
        ("disableHealingJobOperation", " true ", enabled(HEALING), False),
        ("healShouldNotWaitForInitialSync", True, attrgetter("healing_waits"), False),
    ],
)
def test_a_key_counts(
    key: str, given: object, read: Callable[[Stream], object], value: object
) -> None:
    assert read(only_stream(stream("public", **{key: given}))) == value


def test_the_refusal_of_a_kind_can_name_the_key_that_allows_it() -> None:
    found = only_stream(stream("public"))
    assert [plan.enabled_by for plan in found.plans] == [
        '"startInitialSync": true',
        '"disableHealingJobOperation": false',
        '"disableDumpFileCreation": false',
    ]
    assert found.freed_by == '"healShouldNotWaitForInitialSync": true'


@pytest.mark.parametrize("key", sorted(FileStream.model_json_schema()["properties"]))
@pytest.mark.parametrize("blank", [None, "", " \n"])
def test_null_and_empty_text_equal_a_missing_key(key: str, blank: object) -> None:
    def outcome(value: object) -> object:
        try:
            return loaded(files={CONFIG: [stream("public", **{key: value})]})
        except ConfigError as error:
            return str(error)

    assert outcome(blank) == outcome(...)


@pytest.mark.parametrize(
    ("key", "example"),
    [("name", "public"), ("jobsGraph", "http://mu.semte.ch/graphs/system/jobs")],
)
def test_name_and_jobs_graph_are_required(key: str, example: str) -> None:
    where = f"{CONFIG}, stream 1" if key == "name" else PUBLIC
    says = f'not set; every stream needs it, e.g. "{key}": "{example}"'
    errors = errors_of(files={CONFIG: [stream("public", **{key: ...})]})
    assert errors == [f"{where}, {key}: {says}"]


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
    ("kind", "key", "variable"),
    [
        (
            INITIAL_SYNC,
            "initialPublicationGraphSyncTaskOperation",
            "INITIAL_PUBLICATION_GRAPH_SYNC_TASK_OPERATION",
        ),
        (HEALING, "healingTaskOperation", "HEALING_TASK_OPERATION"),
        (DUMP, "dumpFileCreationTaskOperation", "DUMP_FILE_CREATION_TASK_OPERATION"),
    ],
)
def test_a_task_operation_is_the_files_or_else_the_environments(
    kind: JobKind, key: str, variable: str
) -> None:
    given, read = [stream(), stream(**{key: "urn:example:own"})], task_operation(kind)
    found = [read(only_stream(one, {variable: URN})) for one in given]
    assert found == [URN, "urn:example:own"]


def test_a_bad_task_operation_of_the_environment_is_told_once_for_all_streams() -> None:
    streams = [stream("public"), stream("private"), stream("other", healingTaskOperation=URN)]
    [line] = errors_of({"HEALING_TASK_OPERATION": "healing"}, {CONFIG: streams})
    assert line.startswith('env HEALING_TASK_OPERATION: got "healing" — not an absolute IRI; ')


# names


@pytest.mark.parametrize("name", ["public", "worship-posts", "contactData", "0", "a.b_c~d"])
def test_a_name_that_is_safe_in_an_address_will_do(name: str) -> None:
    assert only_stream(stream(name)).name == name


UNSAFE = ["a/b", ".", "..", "-a", "a b", " a", "a%20b", "a?b", "\xe9t\xe9", "\u202ea", "a\tb"]


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


def overridden(content: object) -> Settings:
    return loaded(files={CONFIG: [stream("public"), stream("private")], OVERRIDE: content})


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
    assert settings == loaded(files={CONFIG: [stream("public"), stream("private", **NEW)]})
    assert [pattern(DUMP)(stream) for stream in settings.streams] == ["0 0 0 * * *", "0 0 1 * * *"]


def test_an_override_can_give_a_key_its_default_back() -> None:
    settings = overridden({"public": {"startInitialSync": None}})
    assert not settings.streams[0].plan(INITIAL_SYNC).enabled


def test_an_override_can_rename_a_stream() -> None:
    settings = overridden({"public": {"name": "open"}})
    assert [stream.name for stream in settings.streams] == ["open", "private"]


def test_an_override_is_not_to_blame_for_the_name_it_goes_by() -> None:
    flawed = stream() | {"name": "a b"}
    [line] = errors_of(files={CONFIG: [flawed], OVERRIDE: [{"name": "a b"}]})
    assert line.startswith(f'{CONFIG}, stream 1 "a b", name: got "a b" — not usable in ')


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
    files = {CONFIG: [stream("public"), stream("private")], OVERRIDE: content}
    assert warnings_of(files=files) == [line]


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
    keys = schema["properties"]
    assert sorted(schema["required"]) == ["jobsGraph", "name"]
    assert all(key["description"] for key in keys.values())
    assert (keys["name"]["type"], keys["startInitialSync"]["type"]) == ("string", "boolean")
    assert keys["healingJobOperation"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert keys["healingTaskOperation"]["default"] == MAINTAINERS_HEALING


# what may be done to stuck jobs


@pytest.mark.parametrize(
    ("minutes", "timeout"), [(90, 90), ("120", 120), (0, None), (..., 60), (None, 60)]
)
def test_a_stream_has_a_timeout_of_its_own_or_the_services(
    minutes: object, timeout: int | None
) -> None:
    found = only_stream(stream(jobTimeoutMinutes=minutes), {"JOB_TIMEOUT_MINUTES": "60"})
    expected = None if timeout is None else timedelta(minutes=timeout)
    assert found.remedies.job_timeout == expected
    given = minutes not in (..., None)
    assert found.remedies.timed_by == ('"jobTimeoutMinutes"' if given else "JOB_TIMEOUT_MINUTES")


@pytest.mark.parametrize(
    ("given", "service", "closes"),
    [(True, "false", True), (False, "true", False), (..., "true", True), (..., "false", False)],
)
def test_a_stream_closes_finished_jobs_as_it_says_or_the_service(
    given: object, service: str, *, closes: bool
) -> None:
    found = only_stream(stream(closeFinishedJobs=given), {"CLOSE_FINISHED_JOBS": service})
    assert found.remedies.close_finished is closes
    setting = "CLOSE_FINISHED_JOBS=true" if given is ... else '"closeFinishedJobs": true'
    assert found.remedies.closed_by == setting


@pytest.mark.parametrize("value", [1.5, True, -1, "soon"])
def test_a_timeout_is_a_whole_number_of_minutes(value: object) -> None:
    (problem,) = errors_of({}, {CONFIG: [stream("public", jobTimeoutMinutes=value)]})
    assert problem.startswith(f"{PUBLIC}, jobTimeoutMinutes: got ")
    assert "a whole number of minutes" in problem
