"""The time zone of TZ, or of the machine where TZ is not set."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import tzlocal

from settings import slips

# It would log on its own that two files disagree. `local_zone` says so with a remedy.
logging.getLogger("tzlocal").setLevel(logging.CRITICAL)

ETC: Final = Path("/etc")
USUAL: Final = "Europe/Brussels"
NO_ZONE: Final = "the machine's files name no zone"
OTHER_OFFSET: Final = "the machine's files name a zone with another offset than its clock has"
_REGIONS: Final = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic"),
    *("Australia", "Europe", "Indian", "Pacific"),
)
_OFFSET: Final = re.compile(r"(?:GMT|UTC)?[+-]([0-9]{1,2})(?::?00)?", re.IGNORECASE)
_MAX_HOURS: Final = 12  # for which there is a zone on either side
_MONTH: Final = timedelta(days=30)
_MONTHS: Final = 12


def local_zone(environ: MutableMapping[str, str], etc: Path = ETC) -> tzinfo:
    """Return the zone of TZ or of the machine; warn if the files of the machine disagree.

    A blank TZ counts as unset and is removed, because other libraries read it too. Raise
    LookupError, ValueError or OSError if there is no zone.
    """
    if environ.get("TZ", "").strip():
        return tzlocal.get_localzone()
    environ.pop("TZ", None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        zone = tzlocal.get_localzone()
    doubts = [OTHER_OFFSET if "offset" in str(one.message) else NO_ZONE for one in caught]
    doubt = disagreement(etc, datetime.now(UTC)) or next(iter(doubts), None)
    if doubt:
        warnings.warn(doubt, stacklevel=2)
    return zone


def disagreement(etc: Path, now: datetime) -> str | None:
    """Return how /etc/localtime and /etc/timezone differ in the coming year; None if they agree.

    The C library follows the first file, and other programs the second one. They differ where a
    container mounts only one of them from its host.
    """
    try:
        with (etc / "localtime").open("rb") as file:
            first = ZoneInfo.from_file(file)
        name = (etc / "timezone").read_text(encoding="ascii").strip()
        second = ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return None
    if list(_offsets(first, now)) == list(_offsets(second, now)):
        return None
    return f"{etc / 'localtime'} is not the zone that {etc / 'timezone'} names, {name}"


def _offsets(zone: tzinfo, now: datetime) -> Iterator[timedelta | None]:
    for month in range(_MONTHS):
        yield (now + month * _MONTH).astimezone(zone).utcoffset()


def without_leap_seconds(name: str) -> str | None:
    """Return the usual name of a zone of `right/`; None for any other zone.

    Clocks do not count leap seconds. The changes of these zones would come almost half a minute
    late.
    """
    _, right, usual = f"/{name.removeprefix(':')}".rpartition("/right/")
    return usual if right else None


def remedy(name: str) -> str:
    """Return what to write in place of a zone that this machine does not know."""
    if slip := slips.remedy(name, available_timezones().__contains__):
        return slip
    offset = _OFFSET.fullmatch(name)
    hours = int(offset[1]) if offset else 0
    if offset and not hours:
        return "use Etc/UTC"
    if 0 < hours <= _MAX_HOURS:
        east, west = (
            f"Etc/GMT-{hours} for UTC+{hours:02}:00",
            f"Etc/GMT+{hours} for UTC-{hours:02}:00",
        )
        return f"use {east} or {west}, whose names have the other sign, or a name such as {USUAL}"
    return f"use a name such as {similar(name)}"


def similar(name: str) -> str:
    """Return the most similar name of the form Region/City, or the usual one if there is none.

    Abbreviations such as EST are names too, but of zones without summer time.
    """
    zones = [zone for zone in available_timezones() if zone.startswith(_REGIONS)]
    spellings = {zone.casefold(): zone for zone in zones}
    cities = {spelling.rpartition("/")[2]: zone for spelling, zone in spellings.items()}
    close = get_close_matches(name.casefold(), spellings, n=1)
    return spellings[close[0]] if close else cities.get(name.casefold(), USUAL)
