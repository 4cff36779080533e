"""The settings in environment variables: names, defaults, effects and errors."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import timedelta, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pydantic
import pytest
import tzlocal.unix

from jobs.maintenance.diagnosis import StuckThresholds
from jobs.model import Stream
from jobs.streams import Streams
from settings.fields import Service
from settings.stream_fields import KIND_FIELDS, EnvironmentStream, FileStream
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, at
from tests.support.configuring import (
    CONFIG,
    ENVIRONMENT,
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
    refused,
    stream,
    task_operation,
    warnings_of,
    without,
)
from tests.support.service import ROOT
from tests.support.variables import environ_of


class Variable(NamedTuple):
    """A variable of the environment's stream; `read` returns its effect on a stream.

    `beside` holds the other variables that are required if this one is unset.
    """

    name: str
    read: Callable[[Stream], object]
    default: object
    raw: str = URN
    value: object = URN
    beside: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple never changes it


SYNC_OPERATION = "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION"
DUMP_OPERATION = "DUMP_FILE_CREATION_JOB_OPERATION"
HEALING_OPERATION = "HEALING_JOB_OPERATION"
NO_SYNC = {"START_INITIAL_SYNC": "false"}
NO_DUMP = {"ENABLE_DUMP_FILE_CREATION": "false"}
NO_HEALING = {"ENABLE_HEALING_JOB_OPERATION": "false"}
MIDNIGHT = "0 0 0 * * *"
VARIABLES = [
    Variable(SYNC_OPERATION, job_operation(INITIAL_SYNC), None, beside=NO_SYNC),
    Variable(DUMP_OPERATION, job_operation(DUMP), None, beside=NO_DUMP),
    Variable(HEALING_OPERATION, job_operation(HEALING), None, beside=NO_HEALING),
    Variable(
        "INITIAL_PUBLICATION_GRAPH_SYNC_TASK_OPERATION",
        task_operation(INITIAL_SYNC),
        TASK + "initialPublicationGraphSyncing",
    ),
    Variable(
        "DUMP_FILE_CREATION_TASK_OPERATION", task_operation(DUMP), TASK + "deltaDumpFileCreation"
    ),
    Variable("HEALING_TASK_OPERATION", task_operation(HEALING), TASK + "patchPublicationGraph"),
    Variable(
        "JOBS_GRAPH", lambda stream: stream.jobs_graph, "http://mu.semte.ch/graphs/system/jobs"
    ),
    Variable(
        "CRON_PATTERN_HEALING_JOB", pattern(HEALING), MIDNIGHT, " 20 05 * * *\n", "20 05 * * *"
    ),
    Variable("CRON_PATTERN_DUMP_JOB", pattern(DUMP), MIDNIGHT, "0 0 6 * * 6", "0 0 6 * * 6"),
    Variable("START_INITIAL_SYNC", enabled(INITIAL_SYNC), default=False, raw="true", value=True),
    Variable(
        "HEAL_MUST_WAIT_FOR_INITIAL_SYNC",
        lambda stream: stream.healing_waits,
        default=True,
        raw="false",
        value=False,
    ),
    Variable("ENABLE_DUMP_FILE_CREATION", enabled(DUMP), default=True, raw="False", value=False),
    Variable(
        "ENABLE_HEALING_JOB_OPERATION", enabled(HEALING), default=True, raw=" FALSE ", value=False
    ),
]
each_variable = pytest.mark.parametrize("row", VARIABLES, ids=lambda row: row.name)


def no_zone() -> tzinfo:
    raise LookupError("Multiple conflicting time zone configurations found")


def test_the_variables_above_are_all_variables_of_a_stream() -> None:
    names = {info.alias for info in EnvironmentStream.model_fields.values()}
    assert names == {row.name for row in VARIABLES}


@pytest.mark.parametrize("model", [EnvironmentStream, FileStream, Service])
def test_every_setting_has_a_description(model: type[pydantic.BaseModel]) -> None:
    assert [name for name, info in model.model_fields.items() if not info.description] == []


@each_variable
def test_an_unset_variable_has_its_default(row: Variable) -> None:
    assert row.read(only_stream(without(row.name) | row.beside)) == row.default


@each_variable
def test_a_set_variable_has_its_effect(row: Variable) -> None:
    assert row.read(only_stream(ENVIRONMENT | {row.name: row.raw})) == row.value


@each_variable
@pytest.mark.parametrize("empty", ["", " ", "\t\n"])
def test_an_empty_variable_counts_as_unset(row: Variable, empty: str) -> None:
    unset = without(row.name) | row.beside
    assert loaded(unset | {row.name: empty}) == loaded(unset)


def test_the_environments_stream_has_no_name_and_the_error_creator_of_the_service() -> None:
    stream = only_stream(ENVIRONMENT)
    assert (stream.name, stream.error_creator) == (None, SERVICE)
    assert only_stream(ENVIRONMENT | {"ERROR_CREATOR_URI": URN}).error_creator == URN


def test_a_stream_knows_the_variables_that_would_allow_a_job() -> None:
    stream = only_stream(ENVIRONMENT)
    assert [plan.enabled_by for plan in stream.plans] == [
        "START_INITIAL_SYNC=true",
        "ENABLE_HEALING_JOB_OPERATION=true",
        "ENABLE_DUMP_FILE_CREATION=true",
    ]
    assert stream.freed_by == "HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false"


@pytest.mark.parametrize("mode", ["production", "development", "t\xe9st \udcff"])
def test_node_env_is_accepted_and_ignored(mode: str) -> None:
    settings, plain = loaded(ENVIRONMENT | {"NODE_ENV": mode}), loaded(ENVIRONMENT)
    assert (settings.streams, settings.warnings) == (plain.streams, plain.warnings)


# what a stream needs


@pytest.mark.parametrize(
    ("variable", "kind", "switch"),
    [
        (SYNC_OPERATION, "initial sync", "START_INITIAL_SYNC"),
        (DUMP_OPERATION, "dump", "ENABLE_DUMP_FILE_CREATION"),
        (HEALING_OPERATION, "healing", "ENABLE_HEALING_JOB_OPERATION"),
    ],
)
def test_an_enabled_kind_needs_its_job_operation(variable: str, kind: str, switch: str) -> None:
    line = f"env {variable}: not set, but {kind} is enabled; set it, or set {switch}=false"
    assert errors_of(without(variable)) == [line]
    assert loaded(without(variable) | {switch: "false"}).streams


def test_the_error_for_no_settings_at_all_explains_both_ways_to_configure_a_stream() -> None:
    errors, warnings = refused({})
    all_three = f"{SYNC_OPERATION}, {HEALING_OPERATION}, {DUMP_OPERATION}"
    fix = f"mount it there, or configure a stream with {all_three}"
    assert errors == [f"{CONFIG}: no such file; {fix}"]
    assert warnings == []


def test_two_kinds_cannot_have_the_same_job_operation() -> None:
    shared = ENVIRONMENT[DUMP_OPERATION]
    [line] = errors_of(ENVIRONMENT | {HEALING_OPERATION: shared})
    assert line == (
        f'env {DUMP_OPERATION}: got "{shared}" — env {HEALING_OPERATION} has the same job operation'
        "; use different ones, because the job operation identifies the jobs of a kind"
    )


# the environment's stream beside a file


def test_the_file_and_the_environment_can_be_used_together() -> None:
    settings = loaded(ENVIRONMENT, {CONFIG: [stream("public"), stream("private")]})
    assert [stream.name for stream in settings.streams] == ["public", "private", None]
    assert settings.warnings == ()


@pytest.mark.parametrize("variable", [SYNC_OPERATION, DUMP_OPERATION, HEALING_OPERATION])
def test_one_job_operation_configures_a_stream_beside_a_file(variable: str) -> None:
    environ = {variable: URN} | NO_DUMP | NO_HEALING
    settings = loaded(environ, {CONFIG: [stream("public")]})
    assert [stream.name for stream in settings.streams] == ["public", None]


def test_without_a_job_operation_there_is_no_stream_beside_a_file() -> None:
    settings = loaded({"JOBS_GRAPH": URN}, {CONFIG: [stream("public")]})
    assert [stream.name for stream in settings.streams] == ["public"]


def test_without_a_file_switches_alone_configure_a_stream() -> None:
    no_file, condition = errors_of(NO_DUMP | NO_HEALING | {"START_INITIAL_SYNC": "true"})
    assert no_file.startswith(f"{CONFIG}: no such file")
    assert condition == (
        f"env {SYNC_OPERATION}: not set, but initial sync is enabled; "
        "set it, or set START_INITIAL_SYNC=false"
    )


@pytest.mark.parametrize(
    ("variable", "key"),
    [
        (HEALING_OPERATION, "healingJobOperation"),
        (DUMP_OPERATION, "healingJobOperation"),
        (SYNC_OPERATION, "dumpFileCreationJobOperation"),
    ],
)
def test_a_stream_of_the_file_replaces_the_environments_stream(variable: str, key: str) -> None:
    shared = ENVIRONMENT[variable]
    unchecked = {"CRON_PATTERN_DUMP_JOB": "nonsense"}
    settings = loaded(ENVIRONMENT | unchecked, {CONFIG: [stream("public", **{key: shared})]})
    assert [stream.name for stream in settings.streams] == ["public"]
    [line] = [line for line in settings.warnings if "is used instead; remove" in line]
    assert line == (
        f'configuration: warning: env {variable}: got "{shared}" — {PUBLIC} has the same job '
        f"operation and is used instead; remove {SYNC_OPERATION}, {DUMP_OPERATION}, "
        f"{HEALING_OPERATION}, CRON_PATTERN_DUMP_JOB, START_INITIAL_SYNC"
    )


# the service as a whole


@pytest.mark.parametrize(
    ("variable", "field", "default", "raw", "value"),
    [
        ("PORT", "port", 80, " 8080 ", 8080),
        ("HOST", "host", "*", "::1", "::1"),
        ("HOST", "host", "*", " [::1] ", "::1"),
        ("HOST", "host", "*", "fe80::1%lo", "fe80::1%lo"),
        ("HOST", "host", "*", "::", "*"),
        ("HOST", "host", "*", "[::]", "*"),
        ("HOST", "host", "*", "*", "*"),
        ("HOST", "host", "*", "0.0.0.0", "0.0.0.0"),  # noqa: S104
        (
            "MU_SPARQL_ENDPOINT",
            "mu_sparql_endpoint",
            "http://database:8890/sparql",
            "https://db.example.org/sparql?x=1",
            "https://db.example.org/sparql?x=1",
        ),
        (
            "MU_SPARQL_UPDATEPOINT",
            "update_url",
            "http://database:8890/sparql",
            "http://[::1]:8890/update",
            "http://[::1]:8890/update",
        ),
        ("MU_SPARQL_TIMEOUT", "mu_sparql_timeout", 60, "0.5", 0.5),
        ("PING_DB_INTERVAL", "ping_db_interval", 2, "10", 10),
        ("JOB_TIMEOUT_MINUTES", "job_timeout_minutes", 0, "0060", 60),
        ("WATCHDOG_MINUTES", "watchdog_minutes", 5, "0.5", 0.5),
        ("PICKUP_MINUTES", "pickup_minutes", 30, "45", 45),
        ("STUCK_MINUTES", "stuck_minutes", 1440, "720", 720),
        ("CLOSE_FINISHED_JOBS", "close_finished_jobs", False, "TRUE", True),
        ("TICK_WINDOW_MINUTES", "tick_window_minutes", 360, "0", 0),
        ("ERROR_REPEAT_HOURS", "error_repeat_hours", 24, "0.5", 0.5),
        ("UPDATE_SETTLE_SECONDS", "update_settle_seconds", 60, "90", 90),
        ("RETRY_MAX_SECONDS", "retry_max_seconds", 60, "5", 5),
        ("SWEEP_SECONDS", "sweep_seconds", 300, "60", 60),
        ("REPLICA", "replica", 0, "2", 2),
        ("STANDBY_SECONDS", "standby_seconds", None, "200", 200),
        ("LOG_LEVEL", "log_level", "INFO", "debug", "DEBUG"),
        ("LOG_FORMAT", "log_format", "text", "JSON", "json"),
        ("CONFIG_FILE", "config_file", CONFIG, "/c.json", "/c.json"),
    ],
)
def test_a_variable_of_the_service_has_a_default_and_an_effect(
    variable: str, field: str, default: object, raw: str, value: object
) -> None:
    files: dict[str, Any] = {"/c.json": []}
    assert getattr(loaded(ENVIRONMENT, files).service, field) == default
    assert getattr(loaded(ENVIRONMENT | {variable: raw}, files).service, field) == value


def test_updates_go_to_the_endpoint_of_queries_by_default() -> None:
    service = loaded(ENVIRONMENT | {"MU_SPARQL_ENDPOINT": "http://other/sparql"}).service
    assert service.update_url == service.mu_sparql_endpoint == "http://other/sparql"


def test_the_policy_for_ticks_comes_from_minutes_and_seconds() -> None:
    environ = {"TICK_WINDOW_MINUTES": "30", "REPLICA": "2", "STANDBY_SECONDS": "200"}
    policy = loaded(ENVIRONMENT | environ).service.domain.policy
    assert (policy.window, policy.standby_delay) == (timedelta(minutes=30), timedelta(seconds=400))
    assert (policy.settle_time, policy.max_pause) == (timedelta(minutes=1), timedelta(minutes=1))


SHORT_TIMES = {
    "MU_SPARQL_TIMEOUT": "10",
    "UPDATE_SETTLE_SECONDS": "20.5",
    "RETRY_MAX_SECONDS": "5",
}


@pytest.mark.parametrize(
    ("environ", "seconds"), [({}, 180), (SHORT_TIMES, 35.5)], ids=["defaults", "shorter times"]
)
def test_a_replica_stands_by_until_every_write_of_the_one_before_has_arrived(
    environ: dict[str, str], seconds: float
) -> None:
    service = loaded(ENVIRONMENT | environ | {"REPLICA": "3"}).service
    assert service.domain.policy.standby_delay == timedelta(seconds=3 * seconds)


@pytest.mark.parametrize("replica", [{}, {"REPLICA": "0"}, {"REPLICA": "1"}], ids=str)
@pytest.mark.parametrize(
    ("environ", "least", "seconds"),
    [({}, "180", "179.9"), (SHORT_TIMES, "35.5", "35")],
    ids=["defaults", "shorter times"],
)
def test_a_standby_time_in_which_two_replicas_could_write_is_an_error_that_names_the_minimum(
    environ: dict[str, str], least: str, seconds: str, replica: dict[str, str]
) -> None:
    environ = ENVIRONMENT | environ | replica
    [line] = errors_of(environ | {"STANDBY_SECONDS": seconds})
    assert line == (
        f'env STANDBY_SECONDS: got "{seconds}" — shorter than MU_SPARQL_TIMEOUT + '
        f"UPDATE_SETTLE_SECONDS + RETRY_MAX_SECONDS; unset it, or set at least {least}"
    )
    assert loaded(environ | {"STANDBY_SECONDS": least}).service.standby_seconds == float(least)


@pytest.mark.parametrize("window", ["0", "5", "6"])
def test_a_window_that_a_standby_replica_cannot_reach_is_an_error(window: str) -> None:
    environ = ENVIRONMENT | {"TICK_WINDOW_MINUTES": window}
    [line] = errors_of(environ | {"REPLICA": "2"})
    assert line == (
        f'env TICK_WINDOW_MINUTES: got "{window}" — over before replica 2 may create a job, '
        "after 6 minutes; set more than 6, or start fewer replicas"
    )
    assert loaded(environ | {"REPLICA": "0"})


@pytest.mark.parametrize(
    ("environ", "replicated"),
    [({}, False), ({"REPLICA": ""}, False), ({"REPLICA": "0"}, True), ({"REPLICA": "1"}, True)],
    ids=str,
)
def test_a_set_replica_number_means_that_other_replicas_may_write(
    environ: dict[str, str], *, replicated: bool
) -> None:
    assert loaded(ENVIRONMENT | environ).service.domain.policy.replicated is replicated


def test_the_thresholds_for_stuck_jobs_come_from_minutes() -> None:
    environ = {"PICKUP_MINUTES": "45", "STUCK_MINUTES": "0.5"}
    thresholds = loaded(ENVIRONMENT | environ).service.domain.thresholds
    assert thresholds == StuckThresholds(pickup=timedelta(minutes=45), stuck=timedelta(seconds=30))


@pytest.mark.parametrize("everything", ["true", "false", "0", " 1 ", ""])
@pytest.mark.parametrize("queries", ["true", "false", ""])
@pytest.mark.parametrize("updates", ["True", "0", ""])
def test_the_log_switch_for_queries_or_updates_overrules_the_one_for_all(
    everything: str, queries: str, updates: str
) -> None:
    switches = {"LOG_SPARQL_ALL": everything, "LOG_SPARQL_QUERIES": queries}
    service = loaded(ENVIRONMENT | switches | {"LOG_SPARQL_UPDATES": updates}).service
    assert service.logs_queries is ((queries or everything) not in ("false", "0"))
    assert service.logs_updates is ((updates or everything) not in ("false", "0"))


MINUTES = "a whole number of minutes"
SECONDS = "a number of seconds"
URL = (
    "not a usable HTTP address; "
    "use e.g. http://database:8890/sparql, without user name and password"
)
FIELDS = "write 6 (second minute hour day month weekday) or the last 5"
ADDRESS = (
    "not an address to listen on; use e.g. 127.0.0.1, or unset it to listen on all addresses; "
    "the port is in PORT"
)
IRI = "write it in full, as in http://example.org/id/jobs"
INVALID_VALUES: dict[tuple[str, ...], dict[str, str]] = {
    ("PORT",): {
        **dict.fromkeys(["0", "65536"], "out of range; use a port number from 1 to 65535"),
        **dict.fromkeys(
            ["80.5", "-1", "http", "tcp://10.0.0.1:80"],
            "not a port number; use a port number from 1 to 65535",
        ),
    },
    ("JOB_TIMEOUT_MINUTES",): {
        **dict.fromkeys(
            ["1O", "-5", "0.5", "60m", "1234567890"],
            f"not {MINUTES}; use {MINUTES} from 0 to 525600",
        ),
        "525601": f"out of range; use {MINUTES} from 0 to 525600",
    },
    ("TICK_WINDOW_MINUTES",): {
        "525600.5": "out of range; use a number of minutes from 0 to 525600",
        "6h": "not a number of minutes; use a number of minutes from 0 to 525600",
    },
    ("PICKUP_MINUTES", "STUCK_MINUTES"): {
        "0": "out of range; use a number of minutes from 0.001 to 525600",
    },
    ("WATCHDOG_MINUTES",): {
        "0.0001": "out of range; use at least 0.001 minutes, or 0 for never",
        "often": "not a number of minutes; use a number of minutes from 0 to 525600",
    },
    ("ERROR_REPEAT_HOURS",): {
        "0": "out of range; use a number of hours from 0.001 to 8760",
        "daily": "not a number of hours; use a number of hours from 0.001 to 8760",
    },
    ("STANDBY_SECONDS",): {
        "soon": f"not {SECONDS}; use {SECONDS} from 0.1 to 86400",
    },
    ("REPLICA",): {
        "1.5": "not a whole number; use a whole number from 0 to 99",
        "100": "out of range; use a whole number from 0 to 99",
    },
    ("MU_SPARQL_TIMEOUT", "PING_DB_INTERVAL"): {
        **dict.fromkeys(["0", "0.09", "3600.1"], f"out of range; use {SECONDS} from 0.1 to 3600"),
        **dict.fromkeys(
            ["1e3", "nan", "inf", "1,5", "\u0661", "60s"],
            f"not {SECONDS}; use {SECONDS} from 0.1 to 3600",
        ),
    },
    ("MU_SPARQL_ENDPOINT", "MU_SPARQL_UPDATEPOINT"): {
        "database:8890": URL,
        "ftp://database/sparql": URL,
        "http:///sparql": URL,
        "http://database:0/sparql": URL,
        "http://database:65536/sparql": URL,
        "http://database:sparql": URL,
        "http://[::1/sparql": URL,
        "http://d\xe4tabase/sparql": URL,
        "http://database/sp\xe4rql": URL,
        "/sparql": f"not an absolute IRI; {IRI}",
        "http://data base/sparql": "an IRI holds no ' '; remove the space after \"http://data\"",
    },
    ("LOG_LEVEL",): dict.fromkeys(
        ["verbose", "20"], "not a log level; use DEBUG, INFO, WARNING, ERROR or CRITICAL"
    ),
    ("LOG_FORMAT",): {"yaml": "not a log format; use text or json"},
    ("LOG_SPARQL_ALL", "LOG_SPARQL_QUERIES", "LOG_SPARQL_UPDATES"): dict.fromkeys(
        ["yes", "2"], "not a boolean; write true or false"
    ),
    ("ENABLE_DUMP_FILE_CREATION", "HEAL_MUST_WAIT_FOR_INITIAL_SYNC"): dict.fromkeys(
        ["yes", "0", "1"], "not a boolean; write true or false"
    ),
    ("HOST",): dict.fromkeys(
        [
            "my host",
            "http://localhost",
            "[::1",
            "*:80",
            "1.2.3.4:80",
            "localhost:80",
            "[::1]:80",
            "::%",
            "%eth0",
        ],
        ADDRESS,
    ),
    ("ERROR_CREATOR_URI", "JOBS_GRAPH", HEALING_OPERATION, "DUMP_FILE_CREATION_TASK_OPERATION"): {
        "me": f"not an absolute IRI; {IRI}",
    },
    ("CRON_PATTERN_DUMP_JOB", "CRON_PATTERN_HEALING_JOB"): {
        "0 0 * *": f"the pattern has 4 fields; {FIELDS}",
    },
}


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        pytest.param(variable, value, message, id=f"{variable}={value}")
        for variables, messages in INVALID_VALUES.items()
        for variable in variables
        for value, message in messages.items()
    ],
)
def test_an_invalid_value_gives_one_line(variable: str, value: str, message: str) -> None:
    environ = ENVIRONMENT | {variable: value}
    assert errors_of(environ) == [f'env {variable}: got "{value}" — {message}']


def test_all_problems_are_reported_at_once() -> None:
    environ = ENVIRONMENT | {"PORT": "x", "JOBS_GRAPH": "y", "TZ": "Z"}
    files = {CONFIG: [stream("status"), 5], "/override.json": "{"}
    errors = errors_of(environ | {"CONFIG_OVERRIDE_FILE": "/override.json"}, files, no_zone)
    assert [line.split(": ")[0] for line in errors] == [
        "env PORT",
        "env TZ",
        "/config/config.json, stream 2",
        "/override.json, line 1, column 2",
        '/config/config.json, stream 1 "status", name',
        "env JOBS_GRAPH",
    ]


def test_a_password_in_a_url_is_not_shown() -> None:
    [line] = errors_of(ENVIRONMENT | {"MU_SPARQL_ENDPOINT": "http://dba:secret@database/sparql"})
    assert line.startswith('env MU_SPARQL_ENDPOINT: got "http://…@database/sparql" — not a usable')


# time zones


def with_tz(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the arguments of `loaded` in a process with this TZ."""
    monkeypatch.setattr(tzlocal.unix, "_cache_tz", None)
    monkeypatch.setenv("TZ", name)
    return {"environ": ENVIRONMENT | {"TZ": name}, "zone": tzlocal.get_localzone}


@pytest.mark.parametrize("name", ["Europe/Brussels", ":Europe/Brussels"])
def test_tz_is_the_time_zone_of_the_schedules(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(**with_tz(name, monkeypatch))
    assert settings.zone == ZoneInfo("Europe/Brussels")
    schedule = settings.streams[0].plan(DUMP).schedule
    assert schedule is not None
    assert schedule.zone == settings.zone


@pytest.mark.parametrize("blank", ["", " ", "\t\u00a0"])
def test_a_blank_tz_counts_as_unset(blank: str) -> None:
    environ = environ_of({**ENVIRONMENT, "TZ": blank})
    command = [sys.executable, "-c", "import app; print(app.load_settings().zone)"]
    shown, unset = (
        subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True).stdout
        for env in (environ, {name: environ[name] for name in environ if name != "TZ"})
    )
    assert shown == unset != b""


@pytest.mark.parametrize("blank", [" ", "\t\n", "\u00a0\u3000"])
def test_a_blank_variable_counts_as_unset(blank: str) -> None:
    names = [name.upper() for name in (*Service.model_fields, *EnvironmentStream.model_fields)]
    given = loaded(dict.fromkeys(names, blank) | ENVIRONMENT)
    assert given == loaded(ENVIRONMENT)


@pytest.mark.parametrize("blank", ["", " ", "\t\u2003\r\n"])
def test_blank_variables_configure_no_stream_beside_a_file(blank: str) -> None:
    names = [name.upper() for name in (*Service.model_fields, *EnvironmentStream.model_fields)]
    files = {CONFIG: [stream("public")]}
    assert loaded(dict.fromkeys(names, blank), files) == loaded({}, files)


@pytest.mark.parametrize(
    "variable",
    [
        "ERROR_CREATOR_URI",
        "MU_SPARQL_ENDPOINT",
        "MU_SPARQL_UPDATEPOINT",
        "JOBS_GRAPH",
        *(kind.job_operation.upper() for kind in KIND_FIELDS),
        *(kind.task_operation.upper() for kind in KIND_FIELDS),
    ],
)
def test_an_invisible_character_in_an_iri_is_refused(variable: str) -> None:
    [line] = errors_of(ENVIRONMENT | {variable: "http://example.org/a\u200db"})
    problem = r"an IRI here holds no invisible character such as '\u200d'"
    assert line == (
        rf'env {variable}: got "http://example.org/a\u200db" — {problem}; '
        "remove it, or type the IRI again"
    )


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HEALING_JOB_OPERATION", '"http://x/h"', """an IRI holds no '"'; remove the quotes"""),
        ("HEALING_JOB_OPERATION", "'http://x/h'", "not an absolute IRI; remove the quotes"),
        ("JOBS_GRAPH", "http://x/g # ours", "an IRI holds no ' '; remove the comment"),
        ("MU_SPARQL_ENDPOINT", '"http://db/sparql"', """an IRI holds no '"'; remove the quotes"""),
        ("START_INITIAL_SYNC", '"false"', "not a boolean; remove the quotes"),
        ("START_INITIAL_SYNC", '"no"', "not a boolean; write true or false"),
        ("PORT", "'80'", "not a port number; remove the quotes"),
        ("HOST", '"::1"', "not an address to listen on; remove the quotes"),
        ("CONFIG_FILE", '"/config/config.json"', "a path in quotes; remove the quotes"),
        ("LOG_LEVEL", "info # not debug", "not a log level; remove the comment"),
    ],
)
def test_quotes_and_comments_in_a_value_are_to_be_removed(
    variable: str, value: str, message: str
) -> None:
    errors, _ = refused(ENVIRONMENT | {variable: value})
    assert f"env {variable}: got {json.dumps(value)} — {message}" in errors


@pytest.mark.parametrize(
    ("pattern", "remedy"),
    [
        ('"0 0 4 * * *"', "remove the quotes"),
        ("0 0 4 * * * # every night", "remove the comment"),
        ("0 0 4 * * *# every night", "remove the comment"),
        ("'0 0 4 * * *' # every night", "remove the quotes and the comment"),
    ],
)
def test_quotes_and_comments_in_a_pattern_are_to_be_removed(pattern: str, remedy: str) -> None:
    [error] = errors_of(ENVIRONMENT | {"CRON_PATTERN_DUMP_JOB": pattern})
    assert error.startswith(f"env CRON_PATTERN_DUMP_JOB: got {json.dumps(pattern)} — ")
    assert error.endswith(f"; {remedy}")


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ('"Europe/Brussels"', "remove the quotes"),
        ("Europe/Brussels # ours", "remove the comment"),
        ('"Nowhere"', "use a name such as Europe/Brussels"),
    ],
)
def test_quotes_and_comments_in_a_time_zone_are_to_be_removed(
    name: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [error] = errors_of(**with_tz(name, monkeypatch))
    assert error.endswith(f"not a time zone that this machine knows; {fix}")


def test_quotes_in_the_pattern_of_a_disabled_kind_are_a_warning() -> None:
    environ = {"CRON_PATTERN_DUMP_JOB": '"0 0 4 * * *"', "ENABLE_DUMP_FILE_CREATION": "false"}
    [warning] = warnings_of(ENVIRONMENT | environ)
    assert warning.endswith("; remove the quotes")


def test_a_number_sign_in_a_pattern_is_no_comment() -> None:
    [error] = errors_of(ENVIRONMENT | {"CRON_PATTERN_DUMP_JOB": "0 0 4 * * 5#3"})
    assert "remove the comment" not in error


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("Europe/Brussel", "Europe/Brussels"),
        ("europe/amsterdam", "Europe/Amsterdam"),
        ("Nonsense", "Europe/Brussels"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Brussels"),
        ("Europe", "Europe/Rome"),
        ("../etc/passwd", "Europe/Brussels"),
        ("CEST", "Europe/Brussels"),
        ("amsterdam", "Europe/Amsterdam"),
        ("America/NewYork", "America/New_York"),
    ],
)
def test_the_error_for_an_unknown_tz_contains_a_similar_one(
    name: str, similar: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = f"not a time zone that this machine knows; use a name such as {similar}"
    assert errors_of(**with_tz(name, monkeypatch)) == [f'env TZ: got "{name}" — {message}']


@pytest.mark.parametrize("name", ["GMT+2", "UTC+02:00", "gmt-2", "-0200", "+2"])
def test_the_error_for_an_offset_names_both_zones_that_it_may_mean(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`GMT+2` is ahead of UTC for people, and behind it for POSIX."""
    [error] = errors_of(**with_tz(name, monkeypatch))
    fix = error.partition("; ")[2]
    assert "Etc/GMT-2 for UTC+02:00 or Etc/GMT+2 for UTC-02:00" in fix
    for zone, hours in (("Etc/GMT-2", 2), ("Etc/GMT+2", -2)):
        assert at("2024-01-06").astimezone(ZoneInfo(zone)).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("UTC+00:00", "use Etc/UTC"),
        ("UTC+13", "use a name such as Europe/Brussels"),
        ("UTC+05:30", "use a name such as Europe/Brussels"),
    ],
)
def test_an_offset_without_two_zones_gets_another_remedy(
    name: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [error] = errors_of(**with_tz(name, monkeypatch))
    assert error.endswith(f"; {fix}")


@pytest.mark.parametrize(
    "name",
    [
        "right/Europe/Brussels",
        ":right/Europe/Brussels",
        "/usr/share/zoneinfo/right/Europe/Brussels",
    ],
)
def test_a_zone_with_leap_seconds_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = "a time zone with leap seconds, which clocks do not count; use Europe/Brussels"
    assert errors_of(**with_tz(name, monkeypatch)) == [f'env TZ: got "{name}" — {problem}']


def test_tz_is_required_on_a_machine_without_a_time_zone() -> None:
    problem = "not set, and the time zone of the machine is unknown"
    assert errors_of(ENVIRONMENT, zone=no_zone) == [
        f"env TZ: {problem}; use a name such as Europe/Brussels"
    ]


# values


def test_settings_are_immutable_and_hashable() -> None:
    first, second = (loaded(ENVIRONMENT, {CONFIG: [stream()]}) for _ in range(2))
    assert first == second
    assert len({first, second}) == 1
    with pytest.raises(FrozenInstanceError):
        first.streams = Streams(())  # type: ignore[misc]
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        first.service.port = 1
