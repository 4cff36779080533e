"""What the log shows at startup: warnings, and a summary of the configuration."""

from __future__ import annotations

import logging
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from settings.startup_log import summary
from settings.version import VERSION
from tests.support.builders import at
from tests.support.configuring import (
    CONFIG,
    ENVIRONMENT,
    JOB,
    MAINTAINERS_HEALING,
    OVERRIDE,
    PUBLIC,
    TASK,
    loaded,
    refused,
    stream,
    warnings_of,
    without,
)


def warnings_of_stream(**keys: Any) -> list[str]:
    return warnings_of(files={CONFIG: [stream("public", **keys)]})


def test_a_valid_configuration_gives_no_warning() -> None:
    assert warnings_of(ENVIRONMENT, {CONFIG: [stream("public")], OVERRIDE: {"public": {}}}) == []


# differences from the Node service


def test_an_unset_start_initial_sync_gives_a_warning() -> None:
    [line] = warnings_of(without("START_INITIAL_SYNC"))
    assert line == (
        "env START_INITIAL_SYNC: not set, so no initial sync is allowed (versions 0.x of the Node "
        "service allowed it; 1.0.x did not read this variable); "
        "add START_INITIAL_SYNC=true to allow it, or START_INITIAL_SYNC=false"
    )


def test_an_unset_healing_task_operation_gives_no_warning_before_the_store_is_read() -> None:
    assert warnings_of(without("HEALING_TASK_OPERATION")) == []


@pytest.mark.parametrize("text", ["false", "False", "FALSE"])
@pytest.mark.parametrize(
    "key",
    [
        "startInitialSync",
        "disableDumpFileCreation",
        "disableHealingJobOperation",
        "healShouldNotWaitForInitialSync",
    ],
)
def test_false_in_quotes_gives_a_warning(key: str, text: str) -> None:
    problem = "read as false, but the Node service read any string as true"
    assert warnings_of_stream(**{key: text}) == [
        f'{PUBLIC}, {key}: got "{text}" — {problem}; write false without quotes'
    ]
    assert warnings_of_stream(**{key: False}) == []


@pytest.mark.parametrize(
    ("key", "text"),
    [
        pytest.param("startInitialSync", "true", id="the same meaning as before"),
        pytest.param("closeFinishedJobs", "false", id="a key that the Node service did not have"),
    ],
)
def test_other_switches_in_quotes_give_no_warning(key: str, text: str) -> None:
    assert warnings_of_stream(**{key: text}) == []


# variables without effect


@pytest.mark.parametrize(
    ("variable", "value", "instead"),
    [
        ("START_INITIAL_SYNC", "true", '"startInitialSync"'),
        ("JOBS_GRAPH", "urn:graph", '"jobsGraph"'),
        ("CRON_PATTERN_HEALING_JOB", "@daily", '"cronPatternHealingJob"'),
        ("CRON_PATTERN_DUMP_JOB", "0 0 6 * * 6", '"cronPatternDumpJob"'),
        ("ENABLE_DUMP_FILE_CREATION", "false", '"disableDumpFileCreation", its opposite,'),
        ("ENABLE_HEALING_JOB_OPERATION", "false", '"disableHealingJobOperation", its opposite,'),
        (
            "HEAL_MUST_WAIT_FOR_INITIAL_SYNC",
            "false",
            '"healShouldNotWaitForInitialSync", its opposite,',
        ),
        ("ERROR_CREATOR_URI", "urn:me", '"errorCreatorUri"'),
    ],
)
def test_a_variable_of_a_missing_stream_gives_a_warning(
    variable: str, value: str, instead: str
) -> None:
    message = f"no effect on the streams of {CONFIG}; set {instead} in its streams"
    files = {CONFIG: [stream("public")]}
    assert warnings_of({variable: value}, files) == [
        f'env {variable}: got "{value}" — {message}, and remove the variable'
    ]
    assert variable not in " ".join(warnings_of(ENVIRONMENT | {variable: value}, files))


def test_a_task_operation_for_the_streams_of_the_file_gives_no_warning() -> None:
    files = {CONFIG: [stream("public")]}
    assert warnings_of({"HEALING_TASK_OPERATION": MAINTAINERS_HEALING}, files) == []


@pytest.mark.parametrize(
    ("mistyped", "similar"),
    [
        ("START_INITAL_SYNC", "START_INITIAL_SYNC"),
        ("CRON_PATTERN_DUMP_JOBS", "CRON_PATTERN_DUMP_JOB"),
        ("Jobs_Graph", "JOBS_GRAPH"),
        ("MU_SPARQL_END_POINT", "MU_SPARQL_ENDPOINT"),
    ],
)
def test_a_mistyped_variable_gives_a_warning(mistyped: str, similar: str) -> None:
    message = f"not a variable of this service, ignored; did you mean {similar}?"
    assert warnings_of(ENVIRONMENT | {mistyped: "secret"}) == [f"env {mistyped}: {message}"]


@pytest.mark.parametrize("kind", ["JOB", "TASK"])
def test_a_former_name_of_a_variable_gives_a_warning(kind: str) -> None:
    former = f"INITIAL_CACHE_SYNC_{kind}_OPERATION"
    [line] = warnings_of(ENVIRONMENT | {former: "urn:sync"})
    assert line == (
        f"env {former}: the name of versions 0.1 and 0.2, ignored; "
        f"rename it to INITIAL_PUBLICATION_GRAPH_SYNC_{kind}_OPERATION"
    )


@pytest.mark.parametrize(
    "name", ["PATH", "HOSTNAME", "LANG", "PYTHONUNBUFFERED", "GPG_KEY", "HOME"]
)
def test_variables_of_other_programs_give_no_warning(name: str) -> None:
    assert warnings_of(ENVIRONMENT | {name: "x"}) == []


# probable mistakes


@pytest.mark.parametrize(
    ("key", "fix"),
    [
        ("cronPaternDumpJob", 'did you mean "cronPatternDumpJob"?'),
        ("CRON_PATTERN_DUMP_JOB", 'did you mean "cronPatternDumpJob"?'),
        ("jobsgraph", 'did you mean "jobsGraph"?'),
        ("comment", "remove it"),
        ("", "remove it"),
    ],
)
def test_an_unknown_key_gives_a_warning(key: str, fix: str) -> None:
    assert warnings_of_stream(**{key: True}) == [f"{PUBLIC}, {key}: unknown key, ignored; {fix}"]


def test_warnings_about_unknown_keys_have_the_order_of_the_file() -> None:
    keys = ["zebra", "apple", "mango", "kiwi"]
    assert warnings_of_stream(**dict.fromkeys(keys, 1)) == [
        f"{PUBLIC}, zebra (and apple, mango, kiwi): unknown key, ignored; remove it"
    ]


def test_the_same_warning_about_several_streams_is_one_line() -> None:
    names = [f"s{number}" for number in range(1, 14)]
    files = {CONFIG: [stream(name, startInitialSync="false") for name in names]}
    others = ", ".join(f'stream {number} "s{number}"' for number in range(2, 12))
    [line] = warnings_of(files=files)
    assert line == (
        f'{CONFIG}, stream 1 "s1", startInitialSync (and {others} and 2 more): got "false" — read '
        "as false, but the Node service read any string as true; write false without quotes"
    )


def test_the_same_warning_about_two_files_names_both() -> None:
    files = {
        CONFIG: [stream("a", startInitialSync="false"), stream("b")],
        OVERRIDE: {"b": {"startInitialSync": "false"}},
    }
    [line] = warnings_of(files=files)
    assert line.startswith(f'{CONFIG}, stream 1 "a", startInitialSync (and {OVERRIDE}, "b"): got ')


def test_the_heaviest_warnings_come_first() -> None:
    keys = {"comment": "x", "startInitialSync": "false", "cronPatternDumpJob": "*/15 * * * * *"}
    found = warnings_of_stream(**keys, healingTaskOperation=JOB + "x")
    assert [line.split(":")[0].removeprefix(f"{PUBLIC}, ") for line in found] == [
        "healingTaskOperation",
        "startInitialSync",
        "comment",
        "cronPatternDumpJob",
    ]


def test_a_duplicate_key_gives_a_warning_and_the_last_one_has_an_effect() -> None:
    text = '[{"jobsGraph": "first", "name": "public", "jobsGraph": "urn:second", '
    text += '"disableDumpFileCreation": true, "disableHealingJobOperation": true}]'
    settings = loaded(files={CONFIG: text})
    assert settings.streams[0].jobs_graph == "urn:second"
    [line] = settings.warnings
    assert line.endswith(
        f'{CONFIG}: has the key "jobsGraph" twice in one object; remove the first, which is ignored'
    )


HEALING = JOB + "healingOperation/public"


@pytest.mark.parametrize("operation", [JOB + "deltaDumpFileCreation/other", HEALING])
def test_a_job_operation_in_place_of_a_task_operation_gives_a_warning(operation: str) -> None:
    fix = f"check what its consumer listens for, by default {MAINTAINERS_HEALING}"
    message = f"a job operation, not a task operation; {fix}"
    [line] = warnings_of_stream(healingTaskOperation=operation)
    assert line == f'{PUBLIC}, healingTaskOperation: got "{operation}" — {message}'
    [line] = warnings_of(ENVIRONMENT | {"HEALING_TASK_OPERATION": JOB + "x"})
    assert line == f'env HEALING_TASK_OPERATION: got "{JOB}x" — {message}'


def test_a_job_operation_of_the_same_stream_is_recognized() -> None:
    keys = {"healingJobOperation": "urn:heal", "dumpFileCreationTaskOperation": "urn:heal"}
    [line] = warnings_of_stream(**keys)
    assert line.startswith(f"{PUBLIC}, dumpFileCreationTaskOperation: got ")


def test_a_misplaced_job_operation_of_the_environment_is_reported_once() -> None:
    files = {CONFIG: [stream("public"), stream("private")]}
    [line] = warnings_of(ENVIRONMENT | {"HEALING_TASK_OPERATION": JOB + "x"}, files)
    assert line.startswith("env HEALING_TASK_OPERATION: got ")


def test_an_invalid_pattern_of_a_disabled_kind_is_a_warning() -> None:
    environ = {"ENABLE_DUMP_FILE_CREATION": "false", "CRON_PATTERN_DUMP_JOB": "nonsense"}
    [by_environment] = warnings_of(ENVIRONMENT | environ)
    assert by_environment.startswith('env CRON_PATTERN_DUMP_JOB: got "nonsense" — ')
    [by_file] = warnings_of_stream(disableHealingJobOperation=True, cronPatternHealingJob="@reboot")
    assert by_file.startswith(f'{PUBLIC}, cronPatternHealingJob: got "@reboot" — ')


def test_remedies_without_a_watchdog_give_a_warning() -> None:
    off = {"WATCHDOG_MINUTES": "0", "JOB_TIMEOUT_MINUTES": "60"}
    files = {CONFIG: [stream("public", closeFinishedJobs=True, jobTimeoutMinutes=0)]}
    (warning,) = warnings_of(off, files)
    assert warning == (
        'env WATCHDOG_MINUTES: 0, so "closeFinishedJobs": true has no effect; '
        "unset it, or set the minutes between two scans"
    )
    assert warnings_of(off | {"WATCHDOG_MINUTES": "5"}, files) == []
    files = {CONFIG: [stream("public")]}
    assert warnings_of({"WATCHDOG_MINUTES": "0"}, files) == []


NEVER_SYNCED = {"initialPublicationGraphSyncJobOperation": ..., "startInitialSync": False}


def test_a_healing_that_can_never_run_gives_a_warning() -> None:
    message = "not set, so the healing waits forever for an initial sync; set it, or set"
    operation = f"{PUBLIC}, initialPublicationGraphSyncJobOperation"
    assert warnings_of_stream(**NEVER_SYNCED) == [
        f'{operation}: {message} "healShouldNotWaitForInitialSync": true'
    ]


@pytest.mark.parametrize(
    "otherwise",
    [
        {"healShouldNotWaitForInitialSync": True},
        {"disableHealingJobOperation": True},
        {"initialPublicationGraphSyncJobOperation": "urn:sync"},
    ],
    ids=lambda keys: next(iter(keys)),
)
def test_a_healing_that_can_run_gives_no_warning(otherwise: dict[str, Any]) -> None:
    assert warnings_of_stream(**(NEVER_SYNCED | otherwise)) == []


@pytest.mark.parametrize(
    "invalid",
    [
        {"initialPublicationGraphSyncJobOperation": "no IRI"},
        {"healShouldNotWaitForInitialSync": "perhaps"},
        {"startInitialSync": True},
    ],
    ids=lambda keys: next(iter(keys)),
)
def test_an_error_and_a_warning_never_have_the_same_cause(invalid: dict[str, Any]) -> None:
    errors, warnings = refused(files={CONFIG: [stream("public", **(NEVER_SYNCED | invalid))]})
    assert len(errors) == 1
    assert warnings == []


# the summary


SUMMARY = f"""\
delta-producer-background-jobs-initiator {VERSION}, replica 0
configuration: no warnings, 2 streams
time zone Europe/Brussels; store http://database:8890/sparql
watchdog every 5 minutes; ticks stay due for 360 minutes; \
the same problem is reported once per 24 hours
stream public: graph http://mu.semte.ch/graphs/jobs; healing waits for an initial sync; \
active jobs time out after 90 minutes without activity; finished jobs are closed by this service
initial sync of stream public: once, at the start
healing of stream public: "20 05 * * *", next Thursday 2024-07-04 05:20:00 CEST (Europe/Brussels)
dump of stream public: "0 0 6 * * 6", next Saturday 2024-07-06 06:00:00 CEST (Europe/Brussels)
the environment's stream: graph http://mu.semte.ch/graphs/system/jobs; healing waits for an \
initial sync; active jobs never time out; finished jobs are closed by the job-controller
the environment's stream: set up by variables beside /config/config.json; to have none, remove \
INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION, DUMP_FILE_CREATION_JOB_OPERATION, \
HEALING_JOB_OPERATION, CRON_PATTERN_DUMP_JOB, START_INITIAL_SYNC, ENABLE_HEALING_JOB_OPERATION
initial sync of the environment's stream: once, at the start
healing of the environment's stream: disabled
dump of the environment's stream: "@daily", next Thursday 2024-07-04 00:00:00 CEST (Europe/Brussels)
"""


def test_the_summary_shows_the_next_run_of_every_kind_with_its_weekday(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    patterns = {"cronPatternDumpJob": "0 0 6 * * 6", "cronPatternHealingJob": " 20 05 * * *\n"}
    remedies = {"jobTimeoutMinutes": 90, "closeFinishedJobs": True}
    changes = {"ENABLE_HEALING_JOB_OPERATION": "false", "CRON_PATTERN_DUMP_JOB": "@daily"}
    files = {CONFIG: [stream("public", **patterns, **remedies)]}
    settings = loaded(ENVIRONMENT | changes, files, lambda: ZoneInfo("Europe/Brussels"))
    for line in summary(settings, at("2024-07-03T12:30")):
        line.log(logging.getLogger())
    assert caplog.messages == SUMMARY.splitlines()
    facts = [vars(record)["about"] for record in caplog.records if "about" in vars(record)]
    assert facts[:2] == [{"stream": "public"}, {"stream": "public", "kind": "initial-sync"}]
    assert facts[-1] == {"kind": "dump"}


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("* 44 * * * *", "0 44 * * * *"),
        ("* 0 4 * * *", "0 0 4 * * *"),
    ],
)
def test_sixty_ticks_in_a_row_are_warned_about_with_the_pattern_that_was_meant(
    pattern: str, meant: str
) -> None:
    text = (
        f'env CRON_PATTERN_DUMP_JOB: got "{pattern}" — 60 ticks in a row, one in every second of '
    )
    assert warnings_of(ENVIRONMENT | {"CRON_PATTERN_DUMP_JOB": pattern}) == [
        f'{text}a minute; write "{meant}"'
    ]


def test_an_hour_of_ticks_is_warned_about_with_the_pattern_that_was_meant() -> None:
    [line] = warnings_of(ENVIRONMENT | {"CRON_PATTERN_DUMP_JOB": "*  * 4 * * 1"})
    assert line == (
        'env CRON_PATTERN_DUMP_JOB: got "*  * 4 * * 1" — 3600 ticks in a row, one in every second '
        'of an hour; write "0 0 4 * * 1"'
    )


@pytest.mark.parametrize(
    ("pattern", "ticks", "fewer"),
    [
        ("0/15 * * * * *", 4, "0 */15 * * * *"),
        ("*/10 * * * * *", 6, "0 */10 * * * *"),
        ("* * * * * *", 60, "0 * * * * *"),
        ("0,30 0 4 * * *", 2, "0 0 4 * * *"),
    ],
)
def test_several_ticks_in_a_minute_get_a_remark(pattern: str, ticks: int, fewer: str) -> None:
    [line] = warnings_of(ENVIRONMENT | {"CRON_PATTERN_DUMP_JOB": pattern})
    assert line == (
        f'env CRON_PATTERN_DUMP_JOB: got "{pattern}" — {ticks} ticks in each of its minutes; '
        f'write "{fewer}" if fewer are meant'
    )


@pytest.mark.parametrize("pattern", ["* * * * *", "0 0 4 * * *", "7 */5 * * * *", "@hourly"])
def test_patterns_with_one_tick_in_a_minute_are_not_warned_about(pattern: str) -> None:
    assert warnings_of(ENVIRONMENT | {"CRON_PATTERN_DUMP_JOB": pattern}) == []


def test_the_ticks_of_a_disabled_kind_are_not_warned_about() -> None:
    assert warnings_of_stream(disableDumpFileCreation=True, cronPatternDumpJob="* 0 4 * * *") == []


def test_one_task_operation_for_initial_sync_and_healing_gives_a_warning() -> None:
    task = TASK + "initialPublicationGraphSyncing"
    [line] = warnings_of_stream(healingTaskOperation=task)
    assert line == (
        f'{PUBLIC}, healingTaskOperation: got "{task}" — {PUBLIC}, '
        "initialPublicationGraphSyncTaskOperation has the same task operation, so a healing runs "
        "as an initial sync; set the one that the service for healings listens for"
    )
