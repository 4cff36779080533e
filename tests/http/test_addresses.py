"""The addresses that the server listens on, and the ways to call it there."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from settings.hosts import own_url
from tests.support.command_runner import run
from tests.support.configuring import ENVIRONMENT, loaded
from tests.support.http_server import serving
from tests.support.patience import PATIENCE
from tests.support.service import ROOT
from tests.support.sockets import free_port
from tests.support.variables import environ_of
from web import listening

LOCAL = {"IPv4": "127.0.0.1", "IPv6": "[::1]"}
LINES = [
    line.strip() for line in (ROOT / "Dockerfile").read_text().split("HEALTHCHECK")[1].splitlines()
]


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/health/live", "live", lambda: "alive")
    return app


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


# Many containers have no IPv6, which is no reason to leave out a test.
FAMILIES = {"IPv4", "IPv6"} if has_ipv6() else {"IPv4"}
HOSTS = ["127.0.0.1", "*", "", *(["::1", "[::1]"] if has_ipv6() else [])]


def answering(port: int) -> set[str]:
    """Return the families of the local addresses on which a server answers."""
    return {family for family, host in LOCAL.items() if answers(f"http://{host}:{port}")}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health/live", timeout=PATIENCE) as answer:  # noqa: S310 - our own
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize(
    ("host", "families"),
    [
        ("*", FAMILIES),
        *[(host, {"IPv6"}) for host in HOSTS if host == "::1"],
        ("127.0.0.1", {"IPv4"}),
        ("0.0.0.0", {"IPv4"}),  # noqa: S104
    ],
)
def test_a_host_is_served_in_its_families(app: Flask, host: str, families: set[str]) -> None:
    with serving(app, host) as port:
        assert answering(port) == families
        assert answers(own_url(host, port))


class WithoutIPv6:
    """Refuses sockets of IPv6 as a kernel without it does."""

    def __init__(self, error: int) -> None:
        self.error = error
        self.create = socket.create_server

    def __call__(self, address: Any, *, family: int, **more: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(self.error, "no IPv6")
        return self.create(address, family=family, **more)


@pytest.fixture(params=[errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
def no_ipv6(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_server", WithoutIPv6(request.param))


@pytest.mark.usefixtures("no_ipv6")
@pytest.mark.parametrize("dual", [True, False])
def test_a_machine_without_ipv6_serves_ipv4(
    app: Flask, monkeypatch: pytest.MonkeyPatch, *, dual: bool
) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: dual)
    with serving(app, "*") as port:
        assert answering(port) == {"IPv4"}


BOTH = [
    (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
]


def test_a_name_is_served_at_the_addresses_that_the_machine_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: BOTH)
    monkeypatch.setattr(socket, "create_server", WithoutIPv6(errno.EADDRNOTAVAIL))
    [only] = listening.listen("both.example.org", 0)
    with only:
        assert only.getsockname()[0] == "127.0.0.1"


def test_an_address_that_the_machine_lacks_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_server", WithoutIPv6(errno.EADDRNOTAVAIL))
    with pytest.raises(OSError, match="no IPv6"):
        listening.listen("::1", 0)


@pytest.mark.parametrize("host", ["*", "both.example.org"])
def test_a_port_in_use_is_an_error_on_any_address(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        both = [(*info[:4], (info[4][0], port, *info[4][2:])) for info in BOTH]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        with pytest.raises(OSError, match="in use"):
            listening.listen(host, port)


# from the same machine


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("*", "http://localhost:80"),
        ("::", "http://localhost:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104
        ("::1", "http://[::1]:80"),
        ("[::1]", "http://[::1]:80"),
        ("10.0.0.3", "http://10.0.0.3:80"),
        ("initiator", "http://initiator:80"),
    ],
)
def test_the_service_is_called_where_it_listens(host: str, url: str) -> None:
    assert own_url(host, 80) == url


@pytest.fixture(params=HOSTS)
def variables(request: pytest.FixtureRequest, app: Flask) -> Iterator[dict[str, str]]:
    """Serve on each host, and return the variables that say so."""
    with serving(app, request.param.strip("[]") or "*") as port:
        yield {"HOST": request.param, "PORT": f" {port} "}


def health_check(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command of HEALTHCHECK."""
    assert LINES[1] == 'CMD ["python", "-m", "web.health_check"]'
    environ = environ_of({"http_proxy": f"http://127.0.0.1:{free_port()}", **variables})
    command = [sys.executable, "-m", "web.health_check"]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


def test_the_health_check_goes_to_the_service(variables: dict[str, str]) -> None:
    done = health_check(variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


def test_the_command_line_goes_to_the_service(variables: dict[str, str]) -> None:
    result = run(loaded(ENVIRONMENT | variables), "status")
    assert result.stderr.startswith("Error: no status (404): "), "it answered"


def test_the_health_check_fails_with_the_reason_of_the_service(app: Flask) -> None:
    app.view_functions["live"] = lambda: ("the scheduler's thread has died", 503)
    with serving(app) as port:
        done = health_check({"HOST": "127.0.0.1", "PORT": str(port)})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"http://127.0.0.1:{port}/health/live: the scheduler's thread has died\n"
    )


@pytest.mark.parametrize("port", [str(free_port()), "http"])
def test_the_health_check_fails_without_an_answer(port: str) -> None:
    done = health_check({"HOST": "127.0.0.1", "PORT": port})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"http://127.0.0.1:{port}/health/live: ")
    assert "Traceback" not in done.stderr


def test_the_image_has_what_the_health_check_imports() -> None:
    admitted = (Path(ROOT) / ".dockerignore").read_text().splitlines()
    assert {"!web", "!settings"} <= set(admitted)
