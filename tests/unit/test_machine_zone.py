"""The time zone of a machine whose files disagree, as tzlocal and our own check see them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, ZoneInfo

import pytest
import tzlocal
import tzlocal.unix
import tzlocal.utils

from settings.local_zone import local_zone
from tests.support.configuring import ENVIRONMENT, errors_of, loaded, warnings_of

FIX = "set TZ, e.g. TZ="


def zone_file(name: str) -> Path:
    return next(file for path in TZPATH if (file := Path(path) / name).exists())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root folder of a machine of which tzlocal reads the files."""
    monkeypatch.delenv("TZ", raising=False)
    read: Any = tzlocal.unix._get_localzone  # noqa: SLF001 - the public one reads only /etc
    monkeypatch.setattr(tzlocal, "get_localzone", lambda: read(tmp_path))
    (tmp_path / "etc").mkdir()
    return tmp_path


def mounted(root: Path, localtime: str, timezone: str) -> None:
    """Give the machine a localtime that was mounted as a file, and the name of a zone."""
    (root / "etc/localtime").write_bytes(zone_file(localtime).read_bytes())
    (root / "etc/timezone").write_text(f"{timezone}\n")


def zone_of(root: Path, environ: dict[str, str] | None = None) -> Callable[[], tzinfo]:
    return lambda: local_zone({} if environ is None else environ, root / "etc")


def test_files_that_agree_are_no_problem(machine: Path) -> None:
    mounted(machine, "Europe/Brussels", "Europe/Brussels")
    settings = loaded(ENVIRONMENT, zone=zone_of(machine))
    assert (settings.zone, settings.warnings) == (ZoneInfo("Europe/Brussels"), ())


@pytest.mark.parametrize("localtime", ["Europe/Brussels", "Europe/London"])
def test_a_localtime_that_was_mounted_alone_is_one_warning(machine: Path, localtime: str) -> None:
    """London has the offset of UTC in half of the year."""
    mounted(machine, localtime, "Etc/UTC")
    etc = machine / "etc"
    [warning] = warnings_of(ENVIRONMENT, zone=zone_of(machine))
    assert warning == (
        f"env TZ: not set, and {etc}/localtime is not the zone that {etc}/timezone names, Etc/UTC; "
        f"schedules follow Etc/UTC; {FIX}Europe/Brussels"
    )


def test_a_link_wins_over_another_name_with_one_warning(
    machine: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    mounted(machine, "Europe/Brussels", "Asia/Tokyo")
    link = machine / "etc/localtime"
    link.unlink()
    link.symlink_to(zone_file("Europe/Amsterdam"))
    [warning] = warnings_of(ENVIRONMENT, zone=zone_of(machine))
    assert "names, Asia/Tokyo; schedules follow Europe/Amsterdam; " in warning
    assert warning.endswith(f"{FIX}Europe/Amsterdam")
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_machine_that_names_no_zone_is_one_warning(machine: Path) -> None:
    [warning] = warnings_of(ENVIRONMENT, zone=zone_of(machine))
    assert warning.startswith("env TZ: not set, and the machine's files name no zone; ")
    assert warning.endswith(f"UTC; {FIX}Europe/Brussels")


def test_a_name_that_was_mounted_alone_is_one_warning(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the C library follows the other file, which is missing.

    tzlocal compares the offsets only with the files of the real machine.
    """
    read = tzlocal.get_localzone
    check_offset: Any = tzlocal.utils.assert_tz_offset

    def compared() -> tzinfo:
        check_offset(zone := read(), error=False)
        return zone

    monkeypatch.setattr(tzlocal, "get_localzone", compared)
    (machine / "etc/timezone").write_text("Asia/Kolkata\n")
    [warning] = warnings_of(ENVIRONMENT, zone=zone_of(machine))
    assert warning == (
        "env TZ: not set, and the machine's files name a zone with another offset than its clock "
        f"has; schedules follow Asia/Kolkata; {FIX}Asia/Kolkata"
    )


def test_with_tz_the_files_do_not_matter(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted(machine, "Europe/Brussels", "Etc/UTC")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    environ = {"TZ": "Asia/Tokyo"}
    settings = loaded(ENVIRONMENT | environ, zone=zone_of(machine, environ))
    assert (settings.zone, settings.warnings) == (ZoneInfo("Asia/Tokyo"), ())


def test_no_other_file_is_a_problem(machine: Path) -> None:
    mounted(machine, "Europe/Brussels", "Europe/Brussels")
    (machine / "etc/localtime").write_bytes(b"no zone")
    (machine / "etc/timezone").write_bytes(b"\xff")
    (machine / "etc/sysconfig").mkdir()
    (machine / "etc/sysconfig/clock").write_text('ZONE="Europe/Rome"\n')
    settings = loaded(ENVIRONMENT, zone=zone_of(machine))
    assert (settings.zone, settings.warnings) == (ZoneInfo("Europe/Rome"), ())


def test_an_unknown_zone_of_the_machine_is_an_error(machine: Path) -> None:
    (machine / "etc/timezone").write_text("Nowhere/Atall\n")
    [error] = errors_of(ENVIRONMENT, zone=zone_of(machine))
    assert error.startswith("env TZ: not set, and the time zone of the machine is unknown; ")


def test_nothing_is_written_by_others(
    machine: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    mounted(machine, "Europe/Brussels", "Etc/UTC")
    with warnings.catch_warnings(record=True) as raw, caplog.at_level(logging.DEBUG):
        loaded(ENVIRONMENT, zone=zone_of(machine))
    assert raw == []
    assert capfd.readouterr() == ("", "")
