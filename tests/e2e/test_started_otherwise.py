"""A service without schedules, and one whose configuration changes while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.configuring import stream
from tests.support.servers import Store
from tests.support.service import ENVIRONMENT, ROOT, Service, eventually
from tests.support.variables import environ_of

FLASK = [sys.executable, "-m", "flask"]
NO_SCHEDULES = "no schedules: start it with `python app.py`"
UNSET = dict.fromkeys((name for name in ENVIRONMENT if "_JOB" in name or "_SYNC" in name), "")


class FlaskRun(Service):
    """The application in Flask's own server."""

    @property
    def arguments(self) -> list[str]:
        return [*FLASK, "run", "--host", "127.0.0.1", "--port", str(self.port)]


def flask(service: Service, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = environ_of(service.variables)
    return subprocess.run(
        [*FLASK, *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


def test_a_server_without_schedules_says_how_to_start_it(embedded: Store) -> None:
    with FlaskRun(embedded) as service:
        service.answers()
        assert NO_SCHEDULES in service.log
        assert service.call("GET", "/health/live").status == 200
        for method, path in (("GET", "/health/ready"), ("POST", "/healing-jobs")):
            answer = service.call(method, path)
            assert (answer.status, answer.detail) == (503, NO_SCHEDULES)
        done = flask(service, "status")
        assert (done.returncode, done.stderr) == (1, f"not ready: {NO_SCHEDULES}\n")


def test_a_file_that_changes_under_the_service_is_shown_and_not_used(
    embedded: Store, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps([stream("public")]))
    notice = f"{config} differs from what runs; if flask check accepts it, restart the service\n"
    with Service(embedded, UNSET | {"CONFIG_FILE": str(config)}) as service:
        service.ready()
        assert json.loads(service.call("GET", "/status").text)["changed_files"] == []
        config.write_text(json.dumps([stream("renamed")]))

        status = json.loads(service.call("GET", "/status").text)
        assert status["changed_files"] == [str(config)]
        assert [found["name"] for found in status["streams"]] == ["public"]
        for command in ("check", "schedule"):
            done = flask(service, command)
            assert (done.returncode, done.stderr) == (0, notice)
        done = flask(service, "run-job", "dump")
        assert (done.returncode, done.stderr) == (0, notice)
        assert done.stdout.strip() in service.log, "of the stream that runs"

        assert service.stop() == 0
        service.start().answers()
        eventually(lambda: service.call("GET", "/renamed/status").status == 200, "the new file")


@pytest.mark.parametrize("text", ["{nonsense", None], ids=["a broken file", "no file"])
def test_commands_ask_the_running_service_without_its_file(
    embedded: Store, tmp_path: Path, text: str | None
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps([stream("public")]))
    with Service(embedded, UNSET | {"CONFIG_FILE": str(config)}) as service:
        service.ready()
        config.unlink() if text is None else config.write_text(text)
        done = flask(service, "run-job", "dump")
        assert done.returncode == 0
        assert f"{config} differs from what runs" in done.stderr
        assert done.stdout.strip() in service.log
        assert flask(service, "status").returncode == 0
        assert flask(service, "check").returncode == 78


def test_an_override_file_is_named_once_wherever_the_configuration_is_shown(
    embedded: Store, tmp_path: Path
) -> None:
    config, override = tmp_path / "config.json", tmp_path / "config.override.json"
    config.write_text(json.dumps([stream("public"), stream("posts")]))
    override.write_text(json.dumps({"name": "posts", "startInitialSync": False, "x": 1}))
    environ = {"CONFIG_FILE": str(config), "CONFIG_OVERRIDE_FILE": str(override)}
    origin = f"{override} replaces startInitialSync"
    with Service(embedded, UNSET | environ) as service:
        service.ready()
        assert service.log.count(origin) == 1
        assert f"stream posts: {origin}\n" in service.log
        assert "configuration: 1 warning, 2 streams\n" in service.log
        status = json.loads(service.call("GET", "/status").text)
        assert [found["origin"] for found in status["streams"]] == [None, origin]
        assert flask(service, "check").stdout.count(origin) == 1
