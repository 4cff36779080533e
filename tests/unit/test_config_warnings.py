"""What an operator is told at the start: warnings, and a summary of what will be done when."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from settings.summary import summary
from settings.version import VERSION
from tests.builders import at
from tests.configuring import (
    CONFIG,
    ENVIRONMENT,
    JOB,
    MAINTAINERS_HEALING,
    OVERRIDE,
    TASK,
    loaded,
    refused,
    stream,
    warnings_of,
)

PUBLIC = f'{CONFIG}, stream 1 "public"'


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in ENVIRONMENT.items() if name not in names}


def warnings_of_stream(**keys: Any) -> list[str]:
    return warnings_of(files={CONFIG: [stream("public", **keys)]})


def test_a_sound_configuration_gives_no_warning() -> None:
    assert warnings_of(ENVIRONMENT, {CONFIG: [stream("public")], OVERRIDE: {"public": {}}}) == []


# what the Node service did otherwise


def test_an_unset_start_initial_sync_is_told_as_the_node_service_took_it_as_true() -> None:
    [line] = warnings_of(without("START_INITIAL_SYNC"))
    assert line == (
        "env START_INITIAL_SYNC: not set, so no initial sync is allowed; the Node service took "
        "that as true; add START_INITIAL_SYNC=true to keep it so, or START_INITIAL_SYNC=false"
    )


def test_an_unset_healing_task_operation_is_told_with_the_line_to_add() -> None:
    unset = without("HEALING_TASK_OPERATION")
    [line] = warnings_of(unset)
    assert line == (
        f"env HEALING_TASK_OPERATION: not set, so healing tasks get {TASK}patchPublicationGraph; "
        "the publication-graph-maintainer listens for another one, which the Node service wrote; "
        f"add HEALING_TASK_OPERATION={MAINTAINERS_HEALING}"
    )
    assert warnings_of(unset | {"ENABLE_HEALING_JOB_OPERATION": "false"}) == []


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
def test_false_in_quotes_is_told_as_the_node_service_took_it_as_true(key: str, text: str) -> None:
    says = "false here, while the Node service took any text as true; write false without quotes"
    assert warnings_of_stream(**{key: text}) == [f'{PUBLIC}, {key}: got "{text}" — {says}']
    assert warnings_of_stream(**{key: False}) == []


def test_true_in_quotes_is_what_it_was() -> None:
    assert warnings_of_stream(startInitialSync="true") == []


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
def test_a_variable_of_a_stream_that_is_not_there_is_told(
    variable: str, value: str, instead: str
) -> None:
    says = f"no effect on the streams of {CONFIG}; set {instead} in its streams"
    files = {CONFIG: [stream("public")]}
    assert warnings_of({variable: value}, files) == [
        f'env {variable}: got "{value}" — {says}, and remove the variable'
    ]
    assert variable not in " ".join(warnings_of(ENVIRONMENT | {variable: value}, files))


def test_a_task_operation_without_a_stream_of_its_own_counts_for_the_file() -> None:
    files = {CONFIG: [stream("public")]}
    assert warnings_of({"HEALING_TASK_OPERATION": MAINTAINERS_HEALING}, files) == []


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("START_INITAL_SYNC", "START_INITIAL_SYNC"),
        ("CRON_PATTERN_DUMP_JOBS", "CRON_PATTERN_DUMP_JOB"),
        ("Jobs_Graph", "JOBS_GRAPH"),
        ("MU_SPARQL_END_POINT", "MU_SPARQL_ENDPOINT"),
    ],
)
def test_a_mistyped_variable_is_told(mistyped: str, meant: str) -> None:
    says = f"not a variable of this service, ignored; did you mean {meant}?"
    assert warnings_of(ENVIRONMENT | {mistyped: "secret"}) == [f"env {mistyped}: {says}"]


@pytest.mark.parametrize(
    "name", ["PATH", "HOSTNAME", "LANG", "PYTHONUNBUFFERED", "GPG_KEY", "HOME"]
)
def test_other_variables_are_nobodys_business(name: str) -> None:
    assert warnings_of(ENVIRONMENT | {name: "x"}) == []


# keys and values that are likely not meant so


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
def test_an_unknown_key_is_told(key: str, fix: str) -> None:
    assert warnings_of_stream(**{key: True}) == [f"{PUBLIC}, {key}: unknown key, ignored; {fix}"]


def test_unknown_keys_are_told_in_the_files_order() -> None:
    keys = ["zebra", "apple", "mango", "kiwi"]
    warnings = warnings_of_stream(**dict.fromkeys(keys, 1))
    assert [line.removeprefix(f"{PUBLIC}, ").split(":")[0] for line in warnings] == keys


def test_of_a_key_that_comes_twice_the_last_counts_with_a_warning() -> None:
    text = '[{"jobsGraph": "first", "name": "public", "jobsGraph": "urn:second", '
    text += '"disableDumpFileCreation": true, "disableHealingJobOperation": true}]'
    settings = loaded(files={CONFIG: text})
    assert settings.streams[0].jobs_graph == "urn:second"
    [line] = settings.warnings
    assert line.endswith(f'{CONFIG}: holds "jobsGraph" twice in one object; remove the first')


HEALING = JOB + "healingOperation/public"


@pytest.mark.parametrize("operation", [JOB + "deltaDumpFileCreation/other", HEALING])
def test_a_job_operation_in_a_task_operations_place_is_told(operation: str) -> None:
    fix = f"check what its consumer listens for, by default {MAINTAINERS_HEALING}"
    says = f"a job operation, not a task's; {fix}"
    [line] = warnings_of_stream(healingTaskOperation=operation)
    assert line == f'{PUBLIC}, healingTaskOperation: got "{operation}" — {says}'
    [line] = warnings_of(ENVIRONMENT | {"HEALING_TASK_OPERATION": JOB + "x"})
    assert line == f'env HEALING_TASK_OPERATION: got "{JOB}x" — {says}'


def test_a_job_operation_is_known_by_its_streams_others() -> None:
    keys = {"healingJobOperation": "urn:heal", "dumpFileCreationTaskOperation": "urn:heal"}
    [line] = warnings_of_stream(**keys)
    assert line.startswith(f"{PUBLIC}, dumpFileCreationTaskOperation: got ")


def test_a_misplaced_job_operation_of_the_environment_is_told_once() -> None:
    files = {CONFIG: [stream("public"), stream("private")]}
    [line] = warnings_of(ENVIRONMENT | {"HEALING_TASK_OPERATION": JOB + "x"}, files)
    assert line.startswith("env HEALING_TASK_OPERATION: got ")


def test_a_bad_pattern_of_a_disabled_kind_is_a_warning() -> None:
    environ = {"ENABLE_DUMP_FILE_CREATION": "false", "CRON_PATTERN_DUMP_JOB": "nonsense"}
    [by_environment] = warnings_of(ENVIRONMENT | environ)
    assert by_environment.startswith('env CRON_PATTERN_DUMP_JOB: got "nonsense" — ')
    [by_file] = warnings_of_stream(disableHealingJobOperation=True, cronPatternHealingJob="@reboot")
    assert by_file.startswith(f'{PUBLIC}, cronPatternHealingJob: got "@reboot" — ')


def test_remedies_that_nobody_applies_are_told() -> None:
    off = {"WATCHDOG_MINUTES": "0", "JOB_TIMEOUT_MINUTES": "60"}
    files = {CONFIG: [stream("public", closeFinishedJobs=True, jobTimeoutMinutes=0)]}
    (warning,) = warnings_of(off, files)
    assert warning == (
        'env WATCHDOG_MINUTES: 0, so that "closeFinishedJobs": true has no effect; '
        "unset it, or set the minutes between two looks"
    )
    assert warnings_of(off | {"WATCHDOG_MINUTES": "5"}, files) == []
    files = {CONFIG: [stream("public")]}
    assert warnings_of({"WATCHDOG_MINUTES": "0"}, files) == []


def test_false_in_quotes_is_nothing_new_for_a_key_that_the_node_service_lacked() -> None:
    assert warnings_of_stream(closeFinishedJobs="false") == []


NEVER_SYNCED = {"initialPublicationGraphSyncJobOperation": ..., "startInitialSync": False}


def test_a_healing_that_could_never_run_is_told() -> None:
    says = "not set, so the healing waits for an initial sync that can't be found; set it, or"
    operation = f"{PUBLIC}, initialPublicationGraphSyncJobOperation"
    assert warnings_of_stream(**NEVER_SYNCED) == [
        f'{operation}: {says} "healShouldNotWaitForInitialSync": true'
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
def test_a_healing_that_can_run_is_not_told(otherwise: dict[str, Any]) -> None:
    assert warnings_of_stream(**(NEVER_SYNCED | otherwise)) == []


@pytest.mark.parametrize(
    "flawed",
    [
        {"initialPublicationGraphSyncJobOperation": "no IRI"},
        {"healShouldNotWaitForInitialSync": "perhaps"},
        {"startInitialSync": True},
    ],
    ids=lambda keys: next(iter(keys)),
)
def test_an_error_is_not_followed_by_a_warning_of_the_same_cause(flawed: dict[str, Any]) -> None:
    errors, warnings = refused(files={CONFIG: [stream("public", **(NEVER_SYNCED | flawed))]})
    assert len(errors) == 1
    assert warnings == []


# the summary


SUMMARY = f"""\
delta-producer-background-jobs-initiator {VERSION}, replica 0
time zone Europe/Brussels; store http://database:8890/sparql
watchdog every 5 minutes; ticks stay due for 360 minutes; one cause is reported once in 24 hours
stream public: graph http://mu.semte.ch/graphs/jobs; healing waits for an initial sync; \
a silent job times out after 90 minutes; finished jobs are closed here
initial sync of stream public: once, at the start
healing of stream public: "20 05 * * *", next Thursday 2024-07-04 05:20:00 CEST (Europe/Brussels)
dump of stream public: "0 0 6 * * 6", next Saturday 2024-07-06 06:00:00 CEST (Europe/Brussels)
the environment's stream: graph http://mu.semte.ch/graphs/system/jobs; healing waits for an \
initial sync; a silent job never times out; finished jobs are closed by the job-controller
initial sync of the environment's stream: once, at the start
healing of the environment's stream: disabled
dump of the environment's stream: "@daily", next Thursday 2024-07-04 00:00:00 CEST (Europe/Brussels)
"""


def test_the_summary_tells_the_next_run_of_every_kind_with_its_weekday() -> None:
    patterns = {"cronPatternDumpJob": "0 0 6 * * 6", "cronPatternHealingJob": " 20 05 * * *\n"}
    remedies = {"jobTimeoutMinutes": 90, "closeFinishedJobs": True}
    changes = {"ENABLE_HEALING_JOB_OPERATION": "false", "CRON_PATTERN_DUMP_JOB": "@daily"}
    files = {CONFIG: [stream("public", **patterns, **remedies)]}
    settings = loaded(ENVIRONMENT | changes, files, lambda: ZoneInfo("Europe/Brussels"))
    lines = list(summary(settings, at("2024-07-03T12:30")))
    assert [line.text for line in lines] == SUMMARY.splitlines()
    facts = [line.extra["about"] for line in lines if line.extra]
    assert facts[:2] == [{"stream": "public"}, {"stream": "public", "kind": "initial-sync"}]
    assert facts[-1] == {"kind": "dump"}
