"""When the configuration was changed the last time, as real files have it."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import compose
from config import Settings, load
from jobs.ticks.resumption import CHANGED
from settings.loaded_files import modified_at, read_text
from tests.support.builders import DUMP, TestClock, at, operation, tick_job_of
from tests.support.configuring import ENVIRONMENT, stream
from tests.support.fakes import FakeJobStore

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


@pytest.mark.parametrize(("changed", "missed"), [(OLDER, True), (NEWER, False)])
def test_an_old_tick_leaves_no_error_after_a_change_of_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changed: datetime, *, missed: bool
) -> None:
    """The dump of three o'clock is due since the last one; its window ended at nine."""
    caplog.set_level(logging.INFO)
    dumps = stream(
        dumpFileCreationJobOperation=operation(DUMP),
        cronPatternDumpJob="0 3 * * *",
        disableHealingJobOperation=True,
    )
    settings = loaded_from({"CONFIG_FILE": dated(tmp_path / "config.json", [dumps], changed)})
    clock, store = TestClock(now=at("2024-01-06T12:00")), FakeJobStore()
    store.add(tick_job_of(DUMP, at("2024-01-05T03:00")))
    reconciler = compose(settings, clock=clock.clock(), store=store).domain.reconciler
    reconciler.resume()
    assert (
        f"tick 2024-01-06T03:00:00+00:00: is not resumed: {CHANGED}" in caplog.text
    ) is not missed
    assert ("was left over" in caplog.text) is missed
