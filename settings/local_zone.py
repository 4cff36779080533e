"""The time zone of TZ, or of the machine where TZ is not set."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import tzlocal

# It would log on its own that two files disagree. `local_zone` says so with a remedy.
logging.getLogger("tzlocal").setLevel(logging.CRITICAL)

ETC: Final = Path("/etc")
USUAL: Final = "Europe/Brussels"
_REGIONS: Final = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic"),
    *("Australia", "Europe", "Indian", "Pacific"),
)
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
    doubt = disagreement(etc, datetime.now(UTC)) or next(
        (str(warning.message) for warning in caught), None
    )
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


def similar(name: str) -> str:
    """Return the most similar name of the form Region/City, or the usual one if there is none.

    Abbreviations such as EST are names too, but of zones without summer time.
    """
    zones = [zone for zone in available_timezones() if zone.startswith(_REGIONS)]
    spellings = {zone.casefold(): zone for zone in zones}
    cities = {spelling.rpartition("/")[2]: zone for spelling, zone in spellings.items()}
    close = get_close_matches(name.casefold(), spellings, n=1)
    return spellings[close[0]] if close else cities.get(name.casefold(), USUAL)
