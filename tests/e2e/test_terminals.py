"""The commands on terminals, files and pipes of any kind, as processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.canned import Canned, answer
from tests.support.configuring import ENVIRONMENT
from tests.support.patience import PATIENCE
from tests.support.reports import active, diagnosis, kind, report_of, stream
from tests.support.service import ROOT
from tests.support.variables import environ_of

COMMANDS = ("check", "schedule", "status", "run-job")
FLASK = f"{sys.executable} -m flask"
INVALID = {"PORT": "high"}
STUCK = report_of(stream("public", kind(active=(active(uri="urn:job", trouble=diagnosis()),))))
URI = "http://redpencil.data.gift/id/job/98e14608"
CREATED = f'{{"msg": "Dump publication graph job {URI} triggered"}}'


def creating() -> Canned:
    """Return a service with one stream that creates the job."""
    status = answer(200, report_of(stream(None)).model_dump_json().encode())
    return Canned(answer(200, CREATED.encode()), by_method={"GET": status})


def sh(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell, in which $flask is the command."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT,
        env=environ_of({"flask": FLASK, **variables}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def url() -> Iterator[str]:
    """Return the address of a service with a stuck job."""
    document = STUCK.model_dump_json().encode()
    with Canned(answer(200, document)) as server:
        yield server.endpoint.removesuffix("/sparql")


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("variables", [{}, INVALID], ids=["nothing set", "invalid"])
def test_help_needs_no_configuration(command: str, variables: dict[str, str]) -> None:
    done = sh(f"$flask {command} --help", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: ")
    assert command or "\n  run-job " in done.stdout


def test_a_wrong_argument_is_reported_before_a_wrong_configuration() -> None:
    assert sh("$flask run-job dumps", **INVALID).returncode == 2


@pytest.mark.parametrize("command", ["check", "routes"])
def test_an_invalid_configuration_ends_with_its_problems(command: str) -> None:
    done = sh(f"$flask {command}", **ENVIRONMENT, **INVALID)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("configuration: 1 problem, nothing was started\n  env PORT: ")


@pytest.mark.parametrize(
    "arguments",
    [
        "check",
        "schedule --count 1000",
        "status --url URL",
        "status --json --url URL",
        *(f"{command} --help" for command in COMMANDS),
    ],
)
def test_a_full_disk_is_one_line(arguments: str, url: str) -> None:
    done = sh(f"$flask {arguments.replace('URL', url)} >/dev/full", **ENVIRONMENT)
    assert (done.returncode, done.stderr) == (
        1,
        "Error: standard output cannot be written: No space left on device\n",
    )


def test_a_reader_that_leaves_is_no_error() -> None:
    done = sh("$flask schedule --count 1000 | head -n 1; exit ${PIPESTATUS[0]}", **ENVIRONMENT)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("healing of the environment's stream: ")


def test_a_closed_standard_output_leaves_the_exit_status(url: str) -> None:
    for arguments in ("check", "schedule", *(f"{command} --help" for command in COMMANDS)):
        done = sh(f"$flask {arguments} >&-", **ENVIRONMENT)
        assert (done.returncode, done.stderr) == (0, "")
    for option in ("", "--json"):
        done = sh(f"$flask status {option} --url {url} >&-", **ENVIRONMENT)
        assert (done.returncode, done.stderr) == (1, "stuck: dump of stream public: urn:job\n")
    with creating() as server:
        url = server.endpoint.removesuffix("/sparql")
        done = sh(f"$flask run-job dump --url {url} >&-", **ENVIRONMENT)
        assert (done.returncode, done.stderr) == (0, "")


def test_without_any_output_the_exit_status_remains(url: str) -> None:
    assert sh("$flask check >&- 2>&-", **ENVIRONMENT).returncode == 0
    assert sh(f"$flask status --url {url} 2>/dev/full", **ENVIRONMENT).returncode == 1


@pytest.mark.parametrize("output", [">/dev/full", "2>&- >&-", "2>/dev/full"])
def test_a_job_is_followed_even_if_nothing_can_be_printed(output: str) -> None:
    """The store is not reachable, and the job is therefore not known to have ended."""
    variables = ENVIRONMENT | {"MU_SPARQL_ENDPOINT": "http://127.0.0.1:1/sparql"}
    with creating() as server:
        url = server.endpoint.removesuffix("/sparql")
        done = sh(f"$flask run-job dump --wait 1 --url {url} {output}", **variables)
        assert [request.method for request in server.requests] == ["GET", "POST"]
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    if output == ">/dev/full":
        created, followed = done.stderr.splitlines()
        assert created.startswith(f"created {URI}, but standard output cannot be written: ")
        assert followed.startswith("the job continues, but its state cannot be read: ")


locales = pytest.mark.parametrize(
    "locale",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["latin-1", "ascii"],
)


@locales
def test_a_locale_without_our_characters_gets_others(locale: dict[str, str], url: str) -> None:
    done = sh(f"$flask status --url {url}", **ENVIRONMENT, **locale)
    assert done.returncode == 1
    assert "\n      -> Read the log of delta-producer-dump-file-publisher;" in done.stdout
    assert "Traceback" not in done.stderr


@locales
def test_clock_changes_are_marked_in_any_locale(locale: dict[str, str]) -> None:
    variables = ENVIRONMENT | {"TZ": "Europe/Brussels"}
    done = sh("$flask schedule --from 2024-03-30 --count 3", **variables, **locale)
    assert (done.returncode, done.stderr) == (0, "")
    assert "  <- clocks go forward 2024-03-31\n" in done.stdout


def test_names_from_the_configuration_are_shown_in_any_locale() -> None:
    variables = ENVIRONMENT | {"JOBS_GRAPH": "http://example.org/grafé"}
    done = sh("$flask check", **variables, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert r"in graph http://example.org/graf\xe9" in done.stdout
