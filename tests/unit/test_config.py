"""What an operator can set by environment variables, and what comes of it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pydantic
import pytest
import tzlocal.unix

from jobs.diagnosis import Patience
from settings.fields import EnvironmentStream, FileStream, Service
from tests.builders import DUMP, HEALING, INITIAL_SYNC
from tests.configuring import (
    CONFIG,
    ENVIRONMENT,
    TASK,
    enabled,
    errors_of,
    job_operation,
    loaded,
    pattern,
    refused,
    stream,
    task_operation,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from jobs.model import Stream

ERROR_CREATOR = "http://lblod.data.gift/services/delta-producer-background-jobs-initiator"
URN = "urn:example:something"


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A row of the README's table: `read` finds in a stream what the variable sets.

    `beside` is what else has to be set where the variable isn't.
    """

    name: str
    read: Callable[[Stream], object]
    default: object
    given: str = URN
    value: object = URN
    beside: dict[str, str] = field(default_factory=dict)


VARIABLES = [
    Variable(
        name="INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION",
        read=job_operation(INITIAL_SYNC),
        default=None,
        beside={"START_INITIAL_SYNC": "false"},
    ),
    Variable(
        name="INITIAL_PUBLICATION_GRAPH_SYNC_TASK_OPERATION",
        read=task_operation(INITIAL_SYNC),
        default=TASK + "initialPublicationGraphSyncing",
    ),
    Variable(
        name="DUMP_FILE_CREATION_JOB_OPERATION",
        read=job_operation(DUMP),
        default=None,
        beside={"ENABLE_DUMP_FILE_CREATION": "false"},
    ),
    Variable(
        name="DUMP_FILE_CREATION_TASK_OPERATION",
        read=task_operation(DUMP),
        default=TASK + "deltaDumpFileCreation",
    ),
    Variable(
        name="HEALING_JOB_OPERATION",
        read=job_operation(HEALING),
        default=None,
        beside={"ENABLE_HEALING_JOB_OPERATION": "false"},
    ),
    Variable(
        name="HEALING_TASK_OPERATION",
        read=task_operation(HEALING),
        default=TASK + "patchPublicationGraph",
    ),
    Variable(
        name="JOBS_GRAPH",
        read=lambda stream: stream.jobs_graph,
        default="http://mu.semte.ch/graphs/system/jobs",
    ),
    Variable(
        name="CRON_PATTERN_HEALING_JOB",
        read=pattern(HEALING),
        default="0 0 0 * * *",
        given=" 20 05 * * *\n",
        value="20 05 * * *",
    ),
    Variable(
        name="CRON_PATTERN_DUMP_JOB",
        read=pattern(DUMP),
        default="0 0 0 * * *",
        given="0 0 6 * * 6",
        value="0 0 6 * * 6",
    ),
    Variable(
        name="START_INITIAL_SYNC",
        read=enabled(INITIAL_SYNC),
        default=False,
        given="true",
        value=True,
    ),
    Variable(
        name="HEAL_MUST_WAIT_FOR_INITIAL_SYNC",
        read=lambda stream: stream.healing_waits,
        default=True,
        given="false",
        value=False,
    ),
    Variable(
        name="ENABLE_DUMP_FILE_CREATION",
        read=enabled(DUMP),
        default=True,
        given="False",
        value=False,
    ),
    Variable(
        name="ENABLE_HEALING_JOB_OPERATION",
        read=enabled(HEALING),
        default=True,
        given=" FALSE ",
        value=False,
    ),
]
each_variable = pytest.mark.parametrize("row", VARIABLES, ids=lambda row: row.name)


def without(name: str, environ: dict[str, str] | None = None) -> dict[str, str]:
    environ = ENVIRONMENT if environ is None else environ
    return {key: value for key, value in environ.items() if key != name}


def only_stream(environ: dict[str, str]) -> Stream:
    [stream] = loaded(environ).streams
    return stream


def test_the_environments_stream_has_these_variables_and_no_others() -> None:
    names = {info.alias for info in EnvironmentStream.model_fields.values()}
    assert names == {row.name for row in VARIABLES}


@pytest.mark.parametrize("model", [EnvironmentStream, FileStream, Service])
def test_every_setting_is_described(model: type[pydantic.BaseModel]) -> None:
    assert [name for name, info in model.model_fields.items() if not info.description] == []


@each_variable
def test_an_unset_variable_has_its_default(row: Variable) -> None:
    assert row.read(only_stream(without(row.name) | row.beside)) == row.default


@each_variable
def test_a_set_variable_counts(row: Variable) -> None:
    assert row.read(only_stream(ENVIRONMENT | {row.name: row.given})) == row.value


@each_variable
@pytest.mark.parametrize("empty", ["", " ", "\t\n"])
def test_an_empty_variable_equals_an_unset_one(row: Variable, empty: str) -> None:
    unset = without(row.name) | row.beside
    assert loaded(unset | {row.name: empty}) == loaded(unset)


def test_the_environments_stream_has_no_name_and_the_services_error_creator() -> None:
    stream = only_stream(ENVIRONMENT)
    assert (stream.name, stream.error_creator) == (None, ERROR_CREATOR)
    assert only_stream(ENVIRONMENT | {"ERROR_CREATOR_URI": URN}).error_creator == URN


def test_the_refusal_of_a_kind_can_name_the_variable_that_allows_it() -> None:
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
        ("INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION", "initial sync", "START_INITIAL_SYNC"),
        ("DUMP_FILE_CREATION_JOB_OPERATION", "dump", "ENABLE_DUMP_FILE_CREATION"),
        ("HEALING_JOB_OPERATION", "healing", "ENABLE_HEALING_JOB_OPERATION"),
    ],
)
def test_an_enabled_kind_needs_its_job_operation(variable: str, kind: str, switch: str) -> None:
    line = f"env {variable}: not set, but {kind} is enabled; set it, or {switch}=false"
    assert errors_of(without(variable)) == [line]
    assert loaded(without(variable) | {switch: "false"}).streams


def test_with_nothing_set_the_error_explains_both_ways() -> None:
    errors, _ = refused({})
    healing, dump = "HEALING_JOB_OPERATION", "DUMP_FILE_CREATION_JOB_OPERATION"
    all_three = f"INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION, {healing}, {dump}"
    assert errors == [
        f"{CONFIG}: no such file; mount it there, or set up one stream by {all_three}",
        f"env {healing}: not set, but healing is enabled; set it, or ENABLE_{healing}=false",
        f"env {dump}: not set, but dump is enabled; set it, or ENABLE_DUMP_FILE_CREATION=false",
    ]


def test_two_kinds_may_not_share_a_job_operation() -> None:
    shared = ENVIRONMENT["DUMP_FILE_CREATION_JOB_OPERATION"]
    [line] = errors_of(ENVIRONMENT | {"HEALING_JOB_OPERATION": shared})
    assert line == (
        f'env DUMP_FILE_CREATION_JOB_OPERATION: got "{shared}" — env HEALING_JOB_OPERATION has '
        "this job operation too; give each its own: jobs are told apart by it"
    )


# the environment's stream beside a file


def test_a_file_and_the_environment_are_used_together() -> None:
    settings = loaded(ENVIRONMENT, {CONFIG: [stream("public"), stream("private")]})
    assert [stream.name for stream in settings.streams] == ["public", "private", None]
    assert settings.warnings == ()


@pytest.mark.parametrize("variable", sorted(name for name in ENVIRONMENT if "_JOB_" in name))
def test_one_job_operation_is_enough_for_a_stream_beside_a_file(variable: str) -> None:
    environ = {variable: URN, "ENABLE_DUMP_FILE_CREATION": "false"}
    environ |= {"ENABLE_HEALING_JOB_OPERATION": "false"}
    settings = loaded(environ, {CONFIG: [stream("public")]})
    assert [stream.name for stream in settings.streams] == ["public", None]


def test_no_job_operation_is_no_stream_beside_a_file() -> None:
    settings = loaded({"JOBS_GRAPH": URN}, {CONFIG: [stream("public")]})
    assert [stream.name for stream in settings.streams] == ["public"]


def test_switches_alone_are_a_stream_where_there_is_no_file() -> None:
    off = {"ENABLE_DUMP_FILE_CREATION": "false", "ENABLE_HEALING_JOB_OPERATION": "false"}
    no_file, condition = errors_of(off | {"START_INITIAL_SYNC": "true"})
    assert no_file.startswith(f"{CONFIG}: no such file")
    assert condition == (
        "env INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION: not set, but initial sync is enabled; "
        "set it, or START_INITIAL_SYNC=false"
    )


@pytest.mark.parametrize(
    ("variable", "key"),
    [
        ("HEALING_JOB_OPERATION", "healingJobOperation"),
        ("DUMP_FILE_CREATION_JOB_OPERATION", "healingJobOperation"),
        ("INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION", "dumpFileCreationJobOperation"),
    ],
)
def test_the_environments_stream_gives_way_to_one_of_the_file(variable: str, key: str) -> None:
    shared = ENVIRONMENT[variable]
    unchecked = {"CRON_PATTERN_DUMP_JOB": "nonsense"}
    settings = loaded(ENVIRONMENT | unchecked, {CONFIG: [stream("public", **{key: shared})]})
    assert [stream.name for stream in settings.streams] == ["public"]
    [line] = settings.warnings
    assert line == (
        f'configuration: warning: env {variable}: got "{shared}" — a stream of {CONFIG} has this '
        "job operation too: that one is used; remove the variables of the environment's stream"
    )


# the service as a whole


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A variable that holds for the whole service, and where its value is found."""

    name: str
    default: object
    given: str
    value: object
    field: str = ""


SETTINGS = [
    Setting(name="PORT", default=80, given=" 8080 ", value=8080),
    Setting(name="HOST", default="0.0.0.0", given="::1", value="::1"),  # noqa: S104
    Setting(
        name="MU_SPARQL_ENDPOINT",
        default="http://database:8890/sparql",
        given="https://db.example.org/sparql?x=1",
        value="https://db.example.org/sparql?x=1",
    ),
    Setting(
        name="MU_SPARQL_UPDATEPOINT",
        field="update_url",
        default="http://database:8890/sparql",
        given="http://[::1]:8890/update",
        value="http://[::1]:8890/update",
    ),
    Setting(name="MU_SPARQL_TIMEOUT", default=60, given="0.5", value=0.5),
    Setting(name="PING_DB_INTERVAL", default=2, given="10", value=10),
    Setting(name="JOB_TIMEOUT_MINUTES", default=0, given="0060", value=60),
    Setting(name="WATCHDOG_MINUTES", default=5, given="0.5", value=0.5),
    Setting(name="PICKUP_MINUTES", default=30, given="45", value=45),
    Setting(name="STUCK_MINUTES", default=1440, given="720", value=720),
    Setting(name="CLOSE_FINISHED_JOBS", default=False, given="TRUE", value=True),
    Setting(name="TICK_WINDOW_MINUTES", default=360, given="0", value=0),
    Setting(name="ERROR_REPEAT_HOURS", default=24, given="0.5", value=0.5),
    Setting(name="UPDATE_SETTLE_SECONDS", default=60, given="90", value=90),
    Setting(name="RETRY_MAX_SECONDS", default=60, given="5", value=5),
    Setting(name="SWEEP_SECONDS", default=300, given="60", value=60),
    Setting(name="REPLICA", default=0, given="2", value=2),
    Setting(name="STANDBY_SECONDS", default=90, given="30", value=30),
    Setting(name="LOG_LEVEL", default="INFO", given="debug", value="DEBUG"),
    Setting(name="LOG_FORMAT", default="text", given="JSON", value="json"),
    Setting(name="LOG_SPARQL_ALL", field="logs_queries", default=True, given="0", value=False),
    Setting(name="LOG_SPARQL_ALL", field="logs_updates", default=True, given="False", value=False),
    Setting(name="CONFIG_FILE", default=CONFIG, given="/c.json", value="/c.json"),
]


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.field or row.name)
def test_a_setting_of_the_service(row: Setting) -> None:
    files: dict[str, Any] = {"/c.json": []}
    environments = [ENVIRONMENT, ENVIRONMENT | {row.name: row.given}]
    services = [loaded(environ, files).service for environ in environments]
    found = [getattr(service, row.field or row.name.lower()) for service in services]
    assert found == [row.default, row.value]


def test_updates_go_where_queries_go_unless_told_otherwise() -> None:
    service = loaded(ENVIRONMENT | {"MU_SPARQL_ENDPOINT": "http://other/sparql"}).service
    assert service.update_url == service.mu_sparql_endpoint == "http://other/sparql"


def test_how_ticks_are_settled_is_set_in_units_that_operators_use() -> None:
    environ = {"TICK_WINDOW_MINUTES": "30", "REPLICA": "2", "STANDBY_SECONDS": "45"}
    policy = loaded(ENVIRONMENT | environ).service.policy
    assert (policy.window, policy.delay) == (timedelta(minutes=30), timedelta(seconds=90))
    assert (policy.settle, policy.longest_pause) == (timedelta(minutes=1), timedelta(minutes=1))


def test_how_long_jobs_may_take_is_set_in_minutes() -> None:
    environ = {"PICKUP_MINUTES": "45", "STUCK_MINUTES": "0.5"}
    patience = loaded(ENVIRONMENT | environ).service.patience
    assert patience == Patience(pickup=timedelta(minutes=45), stuck=timedelta(seconds=30))


@pytest.mark.parametrize("everything", ["true", "false"])
@pytest.mark.parametrize("queries", ["true", "false", ""])
@pytest.mark.parametrize("updates", ["true", "false", ""])
def test_a_log_switch_of_its_own_overrules_that_of_all(
    everything: str, queries: str, updates: str
) -> None:
    switches = {"LOG_SPARQL_ALL": everything, "LOG_SPARQL_QUERIES": queries}
    service = loaded(ENVIRONMENT | switches | {"LOG_SPARQL_UPDATES": updates}).service
    assert service.logs_queries is ((queries or everything) == "true")
    assert service.logs_updates is ((updates or everything) == "true")


@pytest.mark.parametrize(("text", "value"), [("1", True), (" 0 ", False)])
def test_log_switches_take_1_and_0_as_they_always_did(text: str, *, value: bool) -> None:
    switches = {"LOG_SPARQL_ALL": str(not value), "LOG_SPARQL_UPDATES": text}
    assert loaded(ENVIRONMENT | switches).service.logs_updates is value


MINUTES = "a whole number of minutes"
SECONDS = "a number of seconds"
URL = (
    "not an HTTP address that can be used; "
    "write e.g. http://database:8890/sparql, without user name or password"
)
FIELDS = "write 6 (second minute hour day month weekday) or the last 5"
ADDRESS = "not an address to listen on; use e.g. 127.0.0.1, or unset it for all"
IRI = "write it in full, as in http://example.org/id/jobs"
BAD_VALUES: dict[tuple[str, ...], dict[str, str]] = {
    ("PORT",): {
        "0": "out of range; use a port number from 1 to 65535",
        "65536": "out of range; use a port number from 1 to 65535",
        "80.5": "not a port number; use a port number from 1 to 65535",
        "-1": "not a port number; use a port number from 1 to 65535",
        "http": "not a port number; use a port number from 1 to 65535",
        "tcp://10.0.0.1:80": "not a port number; use a port number from 1 to 65535",
    },
    ("JOB_TIMEOUT_MINUTES",): {
        "1O": f"not {MINUTES}; use {MINUTES} from 0 to 525600",
        "-5": f"not {MINUTES}; use {MINUTES} from 0 to 525600",
        "0.5": f"not {MINUTES}; use {MINUTES} from 0 to 525600",
        "60m": f"not {MINUTES}; use {MINUTES} from 0 to 525600",
        "525601": f"out of range; use {MINUTES} from 0 to 525600",
        "1234567890": f"not {MINUTES}; use {MINUTES} from 0 to 525600",
    },
    ("TICK_WINDOW_MINUTES",): {
        "525600.5": "out of range; use a number of minutes from 0 to 525600",
        "6h": "not a number of minutes; use a number of minutes from 0 to 525600",
    },
    ("PICKUP_MINUTES", "STUCK_MINUTES"): {
        "0": "out of range; use a number of minutes from 0.001 to 525600",
    },
    ("WATCHDOG_MINUTES",): {
        "0.0001": "out of range; use minutes from 0.001, or 0 for never",
        "often": "not a number of minutes; use a number of minutes from 0 to 525600",
    },
    ("ERROR_REPEAT_HOURS",): {
        "0": "out of range; use a number of hours from 0.001 to 8760",
        "daily": "not a number of hours; use a number of hours from 0.001 to 8760",
    },
    ("REPLICA",): {
        "1.5": "not a whole number; use a whole number from 0 to 99",
        "100": "out of range; use a whole number from 0 to 99",
    },
    ("MU_SPARQL_TIMEOUT", "PING_DB_INTERVAL"): {
        "0": f"out of range; use {SECONDS} from 0.1 to 3600",
        "0.09": f"out of range; use {SECONDS} from 0.1 to 3600",
        "3600.1": f"out of range; use {SECONDS} from 0.1 to 3600",
        "1e3": f"not {SECONDS}; use {SECONDS} from 0.1 to 3600",
        "nan": f"not {SECONDS}; use {SECONDS} from 0.1 to 3600",
        "inf": f"not {SECONDS}; use {SECONDS} from 0.1 to 3600",
        "1,5": f"not {SECONDS}; use {SECONDS} from 0.1 to 3600",
        "\u0661": f"not {SECONDS}; use {SECONDS} from 0.1 to 3600",
        "60s": f"not {SECONDS}; use {SECONDS} from 0.1 to 3600",
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
        "http://data base/sparql": f"an IRI holds no ' '; {IRI}",
    },
    ("LOG_LEVEL",): {
        "verbose": "not a log level; use DEBUG, INFO, WARNING, ERROR or CRITICAL",
        "20": "not a log level; use DEBUG, INFO, WARNING, ERROR or CRITICAL",
    },
    ("LOG_SPARQL_ALL", "LOG_SPARQL_QUERIES", "LOG_SPARQL_UPDATES", "START_INITIAL_SYNC"): {
        "yes": "neither true nor false; write true or false",
        "2": "neither true nor false; write true or false",
    },
    ("ENABLE_DUMP_FILE_CREATION", "HEAL_MUST_WAIT_FOR_INITIAL_SYNC"): {
        "0": "neither true nor false; write true or false",
        "1": "neither true nor false; write true or false",
    },
    ("HOST",): {
        "my host": ADDRESS,
        "http://localhost": ADDRESS,
    },
    (
        "ERROR_CREATOR_URI",
        "JOBS_GRAPH",
        "HEALING_JOB_OPERATION",
        "DUMP_FILE_CREATION_TASK_OPERATION",
    ): {
        "me": f"not an absolute IRI; {IRI}",
        "<http://example.org/me>": f"an IRI holds no '<'; {IRI}",
    },
    ("CRON_PATTERN_DUMP_JOB", "CRON_PATTERN_HEALING_JOB"): {
        "0 0 1 0 *": "months are 1-12; the Node service counted 0-11: write jan",
        "0 0 * *": f"the pattern has 4 fields; {FIELDS}",
    },
}


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        pytest.param(variable, value, says, id=f"{variable}={value}")
        for variables, values in BAD_VALUES.items()
        for variable in variables
        for value, says in values.items()
    ],
)
def test_a_bad_value_gives_one_line(variable: str, value: str, says: str) -> None:
    environ = ENVIRONMENT | {variable: value}
    assert errors_of(environ) == [f'env {variable}: got "{value}" — {says}']


def test_every_problem_is_told_at_once() -> None:
    environ = ENVIRONMENT | {"PORT": "x", "JOBS_GRAPH": "y", "TZ": "Z"}
    files = {CONFIG: [stream("status"), 5], "/override.json": "{"}

    def no_zone() -> tzinfo:
        raise LookupError

    errors = errors_of(environ | {"CONFIG_OVERRIDE_FILE": "/override.json"}, files, no_zone)
    assert [line.split(": ")[0] for line in errors] == [
        "env PORT",
        "env TZ",
        "/config/config.json, stream 2",
        "/override.json, line 1, column 2",
        '/config/config.json, stream 1 "status", name',
        "env JOBS_GRAPH",
    ]


def test_a_password_in_an_address_is_not_repeated() -> None:
    [line] = errors_of(ENVIRONMENT | {"MU_SPARQL_ENDPOINT": "http://dba:secret@database/sparql"})
    assert line.startswith('env MU_SPARQL_ENDPOINT: got "http://…@database/sparql" — not an HTTP')


# time zones


def with_tz(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what `loaded` is given in a process with this TZ."""
    monkeypatch.setattr(tzlocal.unix, "_cache_tz", None)
    monkeypatch.setenv("TZ", name)
    return {"environ": ENVIRONMENT | {"TZ": name}, "zone": tzlocal.get_localzone}


@pytest.mark.parametrize("name", ["Europe/Brussels", ":Europe/Brussels"])
def test_tz_names_the_zone_of_the_schedules(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(**with_tz(name, monkeypatch))
    assert settings.zone == ZoneInfo("Europe/Brussels")
    schedule = settings.streams[0].plan(DUMP).schedule
    assert schedule is not None
    assert schedule.zone == settings.zone


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Europe/Brussel", "Europe/Brussels"),
        ("europe/amsterdam", "Europe/Amsterdam"),
        ("Nonsense", "Europe/Brussels"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Brussels"),
        ("Europe", "Europe/Rome"),
        ("../etc/passwd", "Europe/Brussels"),
    ],
)
def test_a_tz_that_is_no_zone_gets_a_likely_one(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = f"not a time zone that this machine knows; use a name such as {meant}"
    assert errors_of(**with_tz(name, monkeypatch)) == [f'env TZ: got "{name}" — {says}']


def test_a_machine_without_a_zone_needs_tz() -> None:
    def no_zone() -> tzinfo:
        raise LookupError("Multiple conflicting time zone configurations found")

    problem = "the machine's own can't be told"
    assert errors_of(ENVIRONMENT, zone=no_zone) == [
        f"env TZ: not set, and {problem}; use a name such as Europe/Brussels"
    ]


# values


def test_settings_are_immutable_and_hashable() -> None:
    first, second = (loaded(ENVIRONMENT, {CONFIG: [stream()]}) for _ in range(2))
    assert first == second
    assert len({first, second}) == 1
    with pytest.raises(FrozenInstanceError):
        first.streams = ()  # type: ignore[misc]
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        first.service.port = 1
