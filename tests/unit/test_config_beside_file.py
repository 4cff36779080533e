"""Variables of the environment's stream beside a config file: the file's streams always start."""

from __future__ import annotations

import pytest

from settings.beside_file import OWN_FIELDS
from tests.support.configuring import (
    CONFIG,
    ENVIRONMENT,
    PUBLIC,
    TASK,
    errors_of,
    loaded,
    refused,
    stream,
    warnings_of,
)

SYNC = "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION"
HEALING = "HEALING_JOB_OPERATION"
DUMP = "DUMP_FILE_CREATION_JOB_OPERATION"
OTHER = "http://x.org/other"
FILES = {CONFIG: [stream("public"), stream("private")]}


def names(environ: dict[str, str]) -> list[str | None]:
    return [stream.name for stream in loaded(environ, FILES).streams]


# an incomplete set


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({SYNC: OTHER}, f"{HEALING} and {DUMP}"),
        ({HEALING: OTHER}, DUMP),
        ({DUMP: OTHER, "START_INITIAL_SYNC": "true"}, f"{SYNC} and {HEALING}"),
        ({DUMP: OTHER, "CRON_PATTERN_DUMP_JOB": "nonsense"}, HEALING),
        ({HEALING: "no IRI", "JOBS_GRAPH": "urn:graph"}, DUMP),
    ],
)
def test_an_incomplete_set_is_a_warning_and_the_files_streams_start(
    environ: dict[str, str], missing: str
) -> None:
    [line] = warnings_of(environ, FILES)
    assert line == (
        f'env {next(iter(environ))}: got "{next(iter(environ.values()))}" — no stream without '
        f"{missing}; those of {CONFIG} start; remove {', '.join(environ)}"
    )
    assert names(environ) == ["public", "private"]


def test_an_incomplete_set_is_an_error_where_the_file_has_no_stream() -> None:
    [line] = errors_of(ENVIRONMENT | {DUMP: ""}, {CONFIG: []})
    assert line.startswith(f"env {DUMP}: not set, but dump is enabled; ")


# a complete set


def test_a_complete_set_starts_a_second_stream_and_says_so() -> None:
    settings = loaded(ENVIRONMENT, FILES)
    assert [stream.name for stream in settings.streams] == ["public", "private", None]
    assert settings.warnings == ()
    *named, added = [stream.origin for stream in settings.streams]
    assert named == [None, None]
    assert added == (
        f"set up by variables beside {CONFIG}; to have none, remove {SYNC}, {DUMP}, {HEALING}, "
        "START_INITIAL_SYNC"
    )


def test_a_set_is_complete_without_the_operations_of_disabled_kinds() -> None:
    environ = {SYNC: OTHER, "ENABLE_HEALING_JOB_OPERATION": "false"}
    assert names(environ) == ["public", "private"]
    assert names(environ | {"ENABLE_DUMP_FILE_CREATION": "false"}) == ["public", "private", None]


def test_the_problems_of_a_complete_set_are_errors() -> None:
    errors, _ = refused(ENVIRONMENT | {"CRON_PATTERN_DUMP_JOB": "nonsense"}, FILES)
    assert [line.split(": ")[0] for line in errors] == ["env CRON_PATTERN_DUMP_JOB"]


def test_the_environments_stream_alone_needs_no_word_about_its_origin() -> None:
    assert [stream.origin for stream in loaded(ENVIRONMENT).streams] == [None]


# the same operations


def same_operations(**variables: str) -> dict[str, str]:
    public = stream("public")
    operations = {
        SYNC: public["initialPublicationGraphSyncJobOperation"],
        HEALING: public["healingJobOperation"],
        DUMP: public["dumpFileCreationJobOperation"],
    }
    return (
        operations | {"JOBS_GRAPH": public["jobsGraph"], "START_INITIAL_SYNC": "true"} | variables
    )


def test_where_the_file_wins_nothing_but_the_variables_to_remove_is_named() -> None:
    environ = same_operations(
        START_INITIAL_SYNC="TRUE",
        ENABLE_DUMP_FILE_CREATION="true",
        CRON_PATTERN_DUMP_JOB="0 0 0 * * *",
    )
    [line] = warnings_of(environ, FILES)
    assert line == (
        f'env {SYNC}: got "{environ[SYNC]}" — {PUBLIC} has the same job operation and is used '
        f"instead; remove {SYNC}, {DUMP}, {HEALING}, JOBS_GRAPH, CRON_PATTERN_DUMP_JOB, "
        "START_INITIAL_SYNC, ENABLE_DUMP_FILE_CREATION"
    )
    assert names(environ) == ["public", "private"]


def test_the_names_of_all_variables_fit_into_one_warning() -> None:
    environ = {name.upper(): "urn:x" for name in OWN_FIELDS} | same_operations()
    *_, line = warnings_of(environ, FILES)
    assert sorted(line.rpartition("; remove ")[2].split(", ")) == sorted(environ)


@pytest.mark.parametrize(
    ("variable", "value", "key", "theirs", "mine"),
    [
        ("START_INITIAL_SYNC", "false", "startInitialSync", "true", "false"),
        ("ENABLE_DUMP_FILE_CREATION", "false", "disableDumpFileCreation", "false", "true"),
        ("ENABLE_HEALING_JOB_OPERATION", "false", "disableHealingJobOperation", "false", "true"),
        (
            *("HEAL_MUST_WAIT_FOR_INITIAL_SYNC", "false"),
            *("healShouldNotWaitForInitialSync", "false", "true"),
        ),
        ("JOBS_GRAPH", "urn:g", "jobsGraph", '"http://mu.semte.ch/graphs/jobs"', '"urn:g"'),
        ("CRON_PATTERN_DUMP_JOB", "@daily", "cronPatternDumpJob", '"0 0 0 * * *"', '"@daily"'),
        ("ERROR_CREATOR_URI", "urn:me", "errorCreatorUri", "null", '"urn:me"'),
    ],
)
def test_a_setting_that_changes_with_the_file_is_named(
    variable: str, value: str, key: str, theirs: str, mine: str
) -> None:
    first, second = warnings_of(same_operations(**{variable: value}), FILES)
    assert first == (
        f'env {variable}: got "{value}" — "{key}": {theirs} of {PUBLIC} is used instead; '
        f'set "{key}": {mine} there to keep it, or remove the variable'
    )
    assert second.startswith(f"env {SYNC}: ")


def test_a_job_operation_that_changes_with_the_file_is_named() -> None:
    first, _ = warnings_of(same_operations(**{DUMP: OTHER}), FILES)
    assert first.startswith(
        f'env {DUMP}: got "{OTHER}" — "dumpFileCreationJobOperation": '
        f'"{stream()["dumpFileCreationJobOperation"]}" of {PUBLIC} is used instead; '
    )


def test_what_the_file_changes_of_the_defaults_is_named_in_one_line() -> None:
    """A dump that the file disables would end without a word otherwise."""
    file = [stream("public", disableDumpFileCreation=True, cronPatternDumpJob="@weekly")]
    environ = same_operations(JOBS_GRAPH="", START_INITIAL_SYNC="")
    first, second = warnings_of(environ, {CONFIG: file})
    assert first == (
        "env JOBS_GRAPH, START_INITIAL_SYNC, ENABLE_DUMP_FILE_CREATION: not set, and "
        '"jobsGraph": "http://mu.semte.ch/graphs/jobs", "startInitialSync": true, '
        f'"disableDumpFileCreation": true of {PUBLIC} is not the default; '
        "nothing to do if the file is right"
    )
    assert second.startswith(f"env {SYNC}: ")


def test_settings_of_a_kind_that_the_file_disables_are_not_compared() -> None:
    environ = same_operations(
        CRON_PATTERN_DUMP_JOB="@daily",
        DUMP_FILE_CREATION_TASK_OPERATION=TASK + "mine",
        ENABLE_DUMP_FILE_CREATION="false",
    )
    file = [
        stream(
            "public",
            disableDumpFileCreation=True,
            cronPatternDumpJob="@weekly",
            dumpFileCreationTaskOperation=TASK + "theirs",
        )
    ]
    assert len(warnings_of(environ, {CONFIG: file})) == 1


def test_a_task_operation_that_changes_with_the_file_is_named() -> None:
    """It is not removed: the other streams of the file may use it."""
    environ = same_operations(HEALING_TASK_OPERATION=TASK + "mine")
    file = [stream("public", healingTaskOperation=TASK + "theirs")]
    first, _ = warnings_of(environ, {CONFIG: file})
    assert first == (
        f'env HEALING_TASK_OPERATION: got "{TASK}mine" — "healingTaskOperation": "{TASK}theirs" '
        f'of {PUBLIC} is used instead; set "healingTaskOperation": "{TASK}mine" there to keep it'
    )


def test_the_same_schedule_in_other_words_is_no_change() -> None:
    environ = same_operations(CRON_PATTERN_DUMP_JOB="0 4 * * *")
    file = [stream("public", cronPatternDumpJob="0  0 4 * * *")]
    assert len(warnings_of(environ, {CONFIG: file})) == 1


def test_an_invalid_pattern_is_not_recommended() -> None:
    environ = same_operations(CRON_PATTERN_DUMP_JOB="bogus")
    assert "bogus" not in " ".join(warnings_of(environ, FILES))


def test_a_job_operation_that_is_not_set_has_no_default() -> None:
    environ = same_operations(ENABLE_DUMP_FILE_CREATION="false") | {DUMP: ""}
    assert "dumpFileCreationJobOperation" not in " ".join(warnings_of(environ, FILES))
