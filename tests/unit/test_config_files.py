"""The config file of named streams and its override file: content, errors and places."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from operator import attrgetter
from typing import Any

import pytest

from config import ConfigError, Settings
from jobs.model import JobKind, Stream
from settings.stream_fields import FileStream
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC
from tests.support.configuring import (
    CONFIG,
    ENVIRONMENT,
    JOB,
    MAINTAINERS_HEALING,
    OVERRIDE,
    PUBLIC,
    SERVICE,
    TASK,
    URN,
    enabled,
    errors_of,
    job_operation,
    loaded,
    only_stream,
    pattern,
    stream,
    task_operation,
    warnings_of,
)

# the keys of a stream

KEYS: list[tuple[str, object, Callable[[Stream], object], object]] = [
    ("name", "open", attrgetter("name"), "open"),
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
    ("jobTimeoutMinutes", 90, attrgetter("remedies.job_timeout"), timedelta(minutes=90)),
    ("closeFinishedJobs", True, attrgetter("remedies.close_finished"), True),
]


@pytest.mark.parametrize(("key", "raw", "read", "value"), KEYS)
def test_a_key_has_its_effect(
    key: str, raw: object, read: Callable[[Stream], object], value: object
) -> None:
    assert read(only_stream({}, stream(**{key: raw}))) == value


def test_the_keys_above_are_all_keys_of_a_stream() -> None:
    names = {info.alias for info in FileStream.model_fields.values()}
    assert names == {key for key, *_ in KEYS}


def test_the_defaults_are_those_of_the_node_service() -> None:
    found = only_stream({}, stream("public", startInitialSync=...))
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


def test_a_stream_knows_the_keys_that_would_allow_a_job() -> None:
    found = only_stream({}, stream())
    assert [plan.enabled_by for plan in found.plans] == [
        '"startInitialSync": true',
        '"disableHealingJobOperation": false',
        '"disableDumpFileCreation": false',
    ]
    assert found.freed_by == '"healShouldNotWaitForInitialSync": true'


@pytest.mark.parametrize("key", sorted(FileStream.model_json_schema()["properties"]))
@pytest.mark.parametrize("blank", [None, "", " \n"])
def test_null_and_blank_strings_count_as_a_missing_key(key: str, blank: object) -> None:
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
    message = f'not set; every stream needs it, e.g. "{key}": "{example}"'
    errors = errors_of(files={CONFIG: [stream("public", **{key: ...})]})
    assert errors == [f"{where}, {key}: {message}"]


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
    incomplete = stream("public", **{operation: ...})
    message = f'not set, but {kind} is enabled; set it, or set "{switch}": {json.dumps(value)}'
    assert errors_of(files={CONFIG: [incomplete]}) == [f"{PUBLIC}, {operation}: {message}"]
    assert only_stream({}, incomplete | {switch: value})


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
def test_a_missing_task_operation_comes_from_the_environment(
    kind: JobKind, key: str, variable: str
) -> None:
    read = task_operation(kind)
    assert read(only_stream({variable: URN}, stream())) == URN
    assert read(only_stream({variable: URN}, stream(**{key: "urn:own"}))) == "urn:own"


def test_an_invalid_task_operation_of_the_environment_is_reported_once() -> None:
    streams = [stream("public"), stream("private"), stream("other", healingTaskOperation=URN)]
    [line] = errors_of({"HEALING_TASK_OPERATION": "healing"}, {CONFIG: streams})
    assert line.startswith('env HEALING_TASK_OPERATION: got "healing" — not an absolute IRI; ')


# names


@pytest.mark.parametrize("name", ["public", "worship-posts", "contactData", "0", "a.b_c~d"])
def test_a_name_that_is_safe_in_a_url_is_accepted(name: str) -> None:
    assert only_stream({}, stream(name)).name == name


UNSAFE = ["a/b", ".", "..", "-a", "a b", " a", "a%20b", "a?b", "\xe9t\xe9", "\u202ea", "a\tb"]


@pytest.mark.parametrize("name", UNSAFE)
def test_a_name_that_is_not_safe_in_a_url_is_refused(name: str) -> None:
    [line] = errors_of(files={CONFIG: [stream(jobsGraph=URN) | {"name": name}]})
    assert line.endswith(
        " — not usable in the URLs of the stream; "
        "use only letters, digits and . _ ~ -, beginning with a letter or digit"
    )


RESERVED = [
    *("status", "health", "metrics", "openapi.json", "static"),
    *("dump-publication-graph-jobs", "healing-jobs", "initial-sync-jobs"),
]


@pytest.mark.parametrize("name", RESERVED)
@pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
def test_a_reserved_name_is_refused_in_any_case(name: str, change: Callable[[str], str]) -> None:
    [line] = errors_of(files={CONFIG: [stream(change(name))]})
    assert line.endswith(" — reserved for the URLs of the service; choose another name")


def test_names_are_unique_ignoring_case() -> None:
    files = {CONFIG: [stream("public"), stream("other"), stream("PUBLIC")]}
    [line] = errors_of(files=files)
    assert line == (
        f'{CONFIG}, stream 3 "PUBLIC", name: got "PUBLIC" — {PUBLIC} has the same name, '
        "ignoring case; rename one of them"
    )


def test_two_streams_cannot_have_the_same_job_operation() -> None:
    shared = JOB + "healingOperation/public"
    files = {CONFIG: [stream("public"), stream("other", dumpFileCreationJobOperation=shared)]}
    [line] = errors_of(files=files)
    assert line == (
        f'{CONFIG}, stream 2 "other", dumpFileCreationJobOperation: got "{shared}" — {PUBLIC}, '
        "healingJobOperation has the same job operation; "
        "use different ones, because the job operation identifies the jobs of a kind"
    )


def test_the_job_operation_of_a_disabled_kind_is_unique_too() -> None:
    shared = stream("public")["healingJobOperation"]
    other = stream("other", healingJobOperation=shared, disableHealingJobOperation=True)
    [line] = errors_of(files={CONFIG: [stream("public"), other]})
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
        pytest.param({"name": "private"} | NEW, id="one object with a name"),
        pytest.param([{"name": "private"} | {key: NEW[key]} for key in NEW], id="in two steps"),
        pytest.param({"private": {"name": "private"} | NEW}, id="both ways at once"),
    ],
)
def test_an_override_replaces_keys_of_one_stream(content: object) -> None:
    settings = overridden(content)
    assert settings == loaded(files={CONFIG: [stream("public"), stream("private", **NEW)]})
    assert [pattern(DUMP)(stream) for stream in settings.streams] == ["0 0 0 * * *", "0 0 1 * * *"]


def test_a_stream_knows_the_override_file_and_the_keys_that_it_replaced() -> None:
    content = [{"name": "private", "comment": "x"} | NEW, {"name": "private", "jobsGraph": URN}]
    assert [stream.origin for stream in overridden(content).streams] == [
        None,
        f"{OVERRIDE} replaces cronPatternDumpJob, startInitialSync, jobsGraph",
    ]


@pytest.mark.parametrize("text", ["", " \n", "\ufeff"])
def test_an_empty_override_file_is_a_warning(text: str) -> None:
    files = {CONFIG: [stream("public")], OVERRIDE: text}
    [line] = warnings_of(files=files)
    fix = 'write an object keyed by stream name: { "NAME": { … } }, or remove it'
    assert line == f"{OVERRIDE}: is empty; {fix}"


def test_a_stream_can_be_called_name() -> None:
    files = {CONFIG: [stream("name")], OVERRIDE: {"name": NEW}}
    assert not loaded(files=files).streams[0].plan(INITIAL_SYNC).enabled


def test_null_in_an_override_restores_the_default() -> None:
    settings = overridden({"public": {"startInitialSync": None}})
    assert not settings.streams[0].plan(INITIAL_SYNC).enabled


def test_an_override_can_rename_a_stream() -> None:
    settings = overridden({"public": {"name": "open"}})
    assert [stream.name for stream in settings.streams] == ["open", "private"]


def test_an_invalid_name_is_reported_in_the_config_file_only() -> None:
    invalid = stream() | {"name": "a b"}
    [line] = errors_of(files={CONFIG: [invalid], OVERRIDE: [{"name": "a b"}]})
    assert line.startswith(f'{CONFIG}, stream 1 "a b", name: got "a b" — not usable in ')


@pytest.mark.parametrize("empty", [[], {}, {"public": {}}], ids=json.dumps)
def test_an_empty_override_changes_nothing(empty: object) -> None:
    assert overridden(empty) == loaded(files={CONFIG: [stream("public"), stream("private")]})


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(
            {"Privat": NEW},
            f'{OVERRIDE}, "Privat": no stream has this name, ignored; did you mean "private"?',
            id="an unknown name similar to another",
        ),
        pytest.param(
            [{"name": "worship"} | NEW],
            f'{OVERRIDE}, stream 1 "worship": no stream has this name, ignored; remove it',
            id="an unknown name",
        ),
        pytest.param(
            [NEW],
            f'{OVERRIDE}, stream 1: has no name, ignored; add the "name" of its stream',
            id="no name",
        ),
        pytest.param(
            {"public": {"jobGraph": URN}},
            f'{OVERRIDE}, "public", jobGraph: unknown key, ignored; did you mean "jobsGraph"?',
            id="an unknown key",
        ),
    ],
)
def test_an_override_of_something_unknown_is_a_warning(content: object, line: str) -> None:
    files = {CONFIG: [stream("public"), stream("private")], OVERRIDE: content}
    assert warnings_of(files=files) == [line]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(
            {"public": {"startInitialSync": "no"}},
            f'{OVERRIDE}, "public", startInitialSync: got "no" — not a boolean; '
            "write true or false",
            id="an invalid value by name",
        ),
        pytest.param(
            [{"name": "public", "cronPatternDumpJob": "0 0 L * *"}],
            f'{OVERRIDE}, stream 1 "public", cronPatternDumpJob: got "0 0 L * *" — day of month '
            "\"L\" is not understood; L, W and # are Quartz's, not cron's: "
            "use 1-31, *, a,b, a-b or */n",
            id="an invalid value in an array",
        ),
        pytest.param(
            {"public": {"healingJobOperation": None}},
            f'{OVERRIDE}, "public", healingJobOperation: not set, but healing is enabled; '
            'set it, or set "disableHealingJobOperation": true',
            id="null for a required value",
        ),
        pytest.param(
            {"public": 5},
            f'{OVERRIDE}, "public": is a number; write an object: {{ … }}',
            id="not an object",
        ),
        pytest.param(
            NEW,
            f"{OVERRIDE}: has the keys of a stream, but no name; "
            'add the "name" of its stream, or key it by name: { "NAME": { … } }',
            id="one object without a name",
        ),
        pytest.param(
            "null",
            f"{OVERRIDE}: contains null; write an object keyed by stream name: "
            '{ "NAME": { … } }',
            id="not an object or array",
        ),
    ],
)
def test_an_error_has_its_place_in_the_override_file(content: object, line: str) -> None:
    assert errors_of(files={CONFIG: [stream("public")], OVERRIDE: content}) == [line]


# places of the files


@dataclass(frozen=True, kw_only=True)
class Row:
    """The files that exist and the variables that require them; the streams or errors."""

    existing: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    names: tuple[str | None, ...] = ()
    errors: tuple[str, ...] = ()


NO_CONFIG = f"{CONFIG}: no such file; mount it there, or unset CONFIG_FILE"
NO_OVERRIDE = f"{OVERRIDE}: no such file; mount it there, or unset CONFIG_OVERRIDE_FILE"
PLACES = {
    "a file alone": Row(existing=(CONFIG,), names=("public",)),
    "a required file": Row(existing=(CONFIG,), required=("CONFIG_FILE",), names=("public",)),
    "a file beside the environment": Row(
        existing=(CONFIG,), environ=ENVIRONMENT, names=("public", None)
    ),
    "an environment alone": Row(environ=ENVIRONMENT, names=(None,)),
    "a required file is missing": Row(required=("CONFIG_FILE",), errors=(NO_CONFIG,)),
    "an environment, and a required file is missing": Row(
        required=("CONFIG_FILE",), environ=ENVIRONMENT, errors=(NO_CONFIG,)
    ),
    "a file and an override": Row(existing=(CONFIG, OVERRIDE), names=("public",)),
    "a file and a required override": Row(
        existing=(CONFIG, OVERRIDE), required=("CONFIG_OVERRIDE_FILE",), names=("public",)
    ),
    "a file, and a required override is missing": Row(
        existing=(CONFIG,), required=("CONFIG_OVERRIDE_FILE",), errors=(NO_OVERRIDE,)
    ),
    "an environment, and a required override is missing": Row(
        environ=ENVIRONMENT, required=("CONFIG_OVERRIDE_FILE",), errors=(NO_OVERRIDE,)
    ),
    "both required files are missing": Row(
        required=("CONFIG_FILE", "CONFIG_OVERRIDE_FILE"), errors=(NO_CONFIG, NO_OVERRIDE)
    ),
    "an override, and a required file is missing": Row(
        existing=(OVERRIDE,), required=("CONFIG_FILE",), errors=(NO_CONFIG,)
    ),
}


@pytest.mark.parametrize("row", PLACES.values(), ids=PLACES)
def test_a_missing_file_is_an_error_only_if_it_is_required(row: Row) -> None:
    contents = {CONFIG: [stream("public")], OVERRIDE: {"public": {}}}
    paths = {"CONFIG_FILE": CONFIG, "CONFIG_OVERRIDE_FILE": OVERRIDE}
    environ = row.environ | {name: paths[name] for name in row.required}
    files = {path: contents[path] for path in row.existing}
    if row.errors:
        assert errors_of(environ, files) == list(row.errors)
    else:
        assert tuple(stream.name for stream in loaded(environ, files).streams) == row.names


def test_an_override_without_a_config_file_is_a_warning() -> None:
    warnings = warnings_of(ENVIRONMENT, {OVERRIDE: {"public": {}}})
    assert warnings == [f'{OVERRIDE}, "public": no stream has this name, ignored; remove it']


def test_the_files_can_have_other_paths() -> None:
    environ = {"CONFIG_FILE": "/a.json", "CONFIG_OVERRIDE_FILE": "/b.json"}
    files = {"/a.json": [stream("public")], "/b.json": {"public": {"jobsGraph": URN}}}
    assert loaded(environ, files).streams[0].jobs_graph == URN


def test_an_empty_config_file_is_an_error_without_another_stream() -> None:
    operations = (
        "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION, HEALING_JOB_OPERATION, "
        "DUMP_FILE_CREATION_JOB_OPERATION"
    )
    message = f"contains no stream; add one, or configure one with {operations}"
    assert errors_of(files={CONFIG: []}) == [f"{CONFIG}: {message}"]
    assert loaded(ENVIRONMENT, {CONFIG: []}).streams


# the schema of the file


def test_the_file_has_a_json_schema() -> None:
    schema = FileStream.model_json_schema(by_alias=True)
    keys = schema["properties"]
    assert sorted(schema["required"]) == ["jobsGraph", "name"]
    assert all(key["description"] for key in keys.values())
    assert (keys["name"]["type"], keys["startInitialSync"]["type"]) == ("string", "boolean")
    assert keys["healingJobOperation"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert keys["healingTaskOperation"]["default"] == MAINTAINERS_HEALING


# remedies for stuck jobs


@pytest.mark.parametrize(
    ("minutes", "timeout"), [(90, 90), ("120", 120), (0, None), (..., 60), (None, 60)]
)
def test_the_timeout_of_a_stream_overrides_that_of_the_service(
    minutes: object, timeout: int | None
) -> None:
    found = only_stream({"JOB_TIMEOUT_MINUTES": "60"}, stream(jobTimeoutMinutes=minutes))
    expected = None if timeout is None else timedelta(minutes=timeout)
    assert found.remedies.job_timeout == expected
    given = minutes not in (..., None)
    assert found.remedies.timed_by == ('"jobTimeoutMinutes"' if given else "JOB_TIMEOUT_MINUTES")


@pytest.mark.parametrize(
    ("given", "service", "closes"),
    [(True, "false", True), (False, "true", False), (..., "true", True), (..., "false", False)],
)
def test_closing_finished_jobs_of_a_stream_overrides_the_service(
    given: object, service: str, *, closes: bool
) -> None:
    found = only_stream({"CLOSE_FINISHED_JOBS": service}, stream(closeFinishedJobs=given))
    assert found.remedies.close_finished is closes
    setting = "CLOSE_FINISHED_JOBS=true" if given is ... else '"closeFinishedJobs": true'
    assert found.remedies.closed_by == setting


@pytest.mark.parametrize("value", [1.5, True, -1, "soon"])
def test_a_timeout_is_a_whole_number_of_minutes(value: object) -> None:
    (problem,) = errors_of({}, {CONFIG: [stream("public", jobTimeoutMinutes=value)]})
    assert problem.startswith(f"{PUBLIC}, jobTimeoutMinutes: got ")
    assert "a whole number of minutes" in problem


# files that change under the running service


def test_a_file_that_changes_later_differs_from_what_runs() -> None:
    files: dict[str, Any] = {CONFIG: [stream()]}
    settings = loaded(files=files)
    assert settings.changed_files() == ()
    files[CONFIG] = [stream(), stream("posts")]
    assert settings.changed_files() == (CONFIG,)
    files[CONFIG] = [stream()]
    assert settings.changed_files() == ()


@pytest.mark.parametrize(
    "gone", [FileNotFoundError(), PermissionError(), UnicodeDecodeError("utf-8", b"", 0, 1, "x")]
)
def test_a_file_that_cannot_be_read_any_more_differs(gone: Exception) -> None:
    files: dict[str, Any] = {CONFIG: [stream()], OVERRIDE: {}}
    settings = loaded(files=files)
    files[CONFIG] = gone
    assert settings.changed_files() == (CONFIG,)


def test_a_file_that_appears_later_differs() -> None:
    files: dict[str, Any] = {}
    settings = loaded(ENVIRONMENT, files)
    assert settings.changed_files() == ()
    files[OVERRIDE] = {}
    assert settings.changed_files() == (OVERRIDE,)
