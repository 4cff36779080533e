"""When the configuration was changed the last time, as real files have it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import Settings, load
from settings.loaded_files import modified_at, read_text
from tests.support.builders import at
from tests.support.configuring import ENVIRONMENT, stream

OLDER, NEWER = at("2024-01-05T06:00"), at("2024-01-06T06:00:00.500")


def dated(path: Path, content: object, modified: datetime) -> str:
    path.write_text(json.dumps(content), encoding="utf-8")
    os.utime(path, (modified.timestamp(),) * 2)
    return str(path)


def loaded_from(environ: dict[str, str]) -> Settings:
    return load(environ, read_text, lambda: UTC, modified_at)


@pytest.mark.parametrize(("config", "override"), [(OLDER, NEWER), (NEWER, OLDER)])
def test_the_configuration_is_as_new_as_its_newest_file(
    tmp_path: Path, config: datetime, override: datetime
) -> None:
    settings = loaded_from(
        {
            "CONFIG_FILE": dated(tmp_path / "config.json", [stream()], config),
            "CONFIG_OVERRIDE_FILE": dated(tmp_path / "override.json", {}, override),
        }
    )
    assert settings.domain.configured == NEWER
    assert settings.domain.configured.tzinfo is UTC


def test_a_file_alone_dates_the_configuration(tmp_path: Path) -> None:
    file = dated(tmp_path / "config.json", [stream()], OLDER)
    assert loaded_from({"CONFIG_FILE": file}).domain.configured == OLDER


def test_a_later_change_of_a_file_is_not_the_configuration_that_runs(tmp_path: Path) -> None:
    file = dated(tmp_path / "config.json", [stream()], OLDER)
    settings = loaded_from({"CONFIG_FILE": file})
    dated(tmp_path / "config.json", [stream("other")], NEWER)
    assert settings.changed_files() == (file,)
    assert settings.domain.configured == OLDER


def test_nothing_is_known_without_files() -> None:
    assert loaded_from(ENVIRONMENT).domain.configured is None


def test_a_file_without_a_usable_date_is_as_good_as_none(tmp_path: Path) -> None:
    assert modified_at(str(tmp_path / "missing.json")) is None
