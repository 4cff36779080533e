"""deploy/compose: valid, right by the check of stacks, and complete."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyoxigraph
import pytest

from config import load
from settings.version import VERSION
from tests.support.command_runner import run
from tests.support.configuring import CONFIG, loaded, stream
from tests.support.deployments import DEPLOY, document, schema_complaints

COMPOSE = DEPLOY / "compose"
FILES = ("docker-compose.yml", "docker-compose.override.yml", "docker-compose.dev.yml")
INITIATOR = "delta-producer-background-jobs-initiator"
SERVICES: dict[str, Any] = document(COMPOSE / FILES[0])["services"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_follows_the_compose_specification(name: str) -> None:
    assert schema_complaints("compose-spec", COMPOSE / name) == ""


def test_a_file_that_does_not_follow_it_is_refused(tmp_path: Path) -> None:
    """Otherwise the test above could not fail."""
    text = (COMPOSE / FILES[0]).read_text().replace("restart: always", "restrat: always")
    (tmp_path / FILES[0]).write_text(text)
    assert "restrat" in schema_complaints("compose-spec", tmp_path / FILES[0])


@pytest.mark.parametrize("second", FILES[1:])
def test_the_check_of_stacks_finds_nothing(second: str, tmp_path: Path) -> None:
    stack = shutil.copytree(COMPOSE, tmp_path / "stack")
    (stack / ".env").write_text(f"COMPOSE_FILE={FILES[0]}:{second}\n")
    result = run(loaded(files={CONFIG: [stream()]}), "check", "--stack", str(stack))
    assert (result.exit_code, "no findings" in result.output) == (0, True), result.output
    assert "not read" not in result.output
    assert "not found, so not checked\n  dispatcher\n" in result.output


def test_the_settings_give_no_warning() -> None:
    environment = dict(SERVICES[INITIATOR]["environment"])
    environment |= document(COMPOSE / FILES[1])["services"][INITIATOR]["environment"]

    def no_file(path: str) -> str:
        raise FileNotFoundError(path)

    settings = load(environment, no_file, lambda: ZoneInfo("UTC"))
    assert settings.warnings == ()
    assert all(plan.enabled for plan in settings.streams[0].plans)


def test_every_image_is_pinned_to_a_version() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert {n: i for n, i in images.items() if not re.search(r":\d+\.\d+\.\d+$", i)} == {}
    assert images[INITIATOR].endswith(f":{VERSION}")


@pytest.mark.parametrize("name", FILES[1:])
def test_an_added_file_changes_only_services_that_exist(name: str) -> None:
    assert set(document(COMPOSE / name)["services"]) <= set(SERVICES)


def test_every_mounted_configuration_is_here() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    folders = [mount.partition(":")[0] for mount in mounts]
    ours = [folder for folder in folders if folder.startswith("./config/")]
    assert [folder for folder in ours if not any((COMPOSE / folder).iterdir())] == []
    assert {Path(folder).name for folder in ours} >= {"delta", "authorization", "job-controller"}


def test_every_address_in_the_configuration_is_a_service_of_the_stack() -> None:
    text = "".join(
        p.read_text() for p in (COMPOSE / "config").rglob("*.*") if p.suffix != ".sparql"
    )
    hosts = set(re.findall(r"http://([a-z-]+)(?::8890/|/)", text))
    assert hosts <= set(SERVICES)
    assert {"virtuoso", "delta-notifier", "job-controller", "error-alert"} <= hosts


def test_the_mails_of_error_alert_are_in_the_outbox_of_deliver_email() -> None:
    """By default, error-alert 1.0.0 puts mails into mail-folders/2 of this graph."""
    store = pyoxigraph.Store()
    for migration in sorted((COMPOSE / "config/migrations").glob("*.sparql")):
        store.update(migration.read_text())
    mailbox = SERVICES["deliver-email"]["environment"]["MAILBOX_URI"]
    rows = store.query(
        "PREFIX nie: <http://www.semanticdesktop.org/ontologies/2007/01/19/nie#>"
        "SELECT ?folder ?title WHERE { GRAPH <http://mu.semte.ch/graphs/system/email>"
        f"{{ <{mailbox}> nie:hasPart ?folder . ?folder nie:title ?title }} }}"
    )
    assert isinstance(rows, pyoxigraph.QuerySolutions)
    titles = {row["title"].value: row["folder"].value for row in rows}
    assert titles["outbox"] == "http://data.lblod.info/id/mail-folders/2"
    assert {"sending", "sentbox", "failbox"} <= set(titles)
