"""Instants and spans of time as a person reads them, in the service's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# An instant on its own, not one within an address.
_FOR_MACHINES = re.compile(r"(?<!\S)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)\b")
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))  # a page says thousands of times


@dataclass(frozen=True)
class Wall:
    """The clock on the wall: it hangs in a zone, and shows the instant that a report was made."""

    now: datetime
    zone: tzinfo

    def local(self, instant: datetime) -> datetime:
        """Return what the clock shows at an instant. For showing only: no arithmetic."""
        return instant.astimezone(self.zone)

    def hour(self, instant: datetime) -> str:
        """Say weekday and time: enough within a few days."""
        local = self.local(instant)
        return f"{WEEKDAYS[local.weekday()]} {_TWO_DIGITS[local.hour]}:{_TWO_DIGITS[local.minute]}"

    def date(self, instant: datetime) -> str:
        """Say weekday, date and time."""
        local = self.local(instant)
        return f"{WEEKDAYS[local.weekday()]} {local:%Y-%m-%d %H:%M}"

    def due(self, instant: datetime) -> str:
        """Say when a tick is due: with seconds only where its pattern has some."""
        return self.to_the_second(instant) if instant.second else self.date(instant)

    def to_the_second(self, instant: datetime) -> str:
        """Say weekday, date and time with seconds."""
        return f"{self.date(instant)}:{instant.second:02}"

    def exactly(self, instant: datetime) -> str:
        """Say an instant so that nothing is left open, the hour that comes twice included."""
        return f"{self.to_the_second(instant)} {self.offset(instant)}"

    def offset(self, instant: datetime) -> str:
        """Say how far the zone is from UTC at an instant."""
        digits = f"{self.local(instant):%z}"
        return f"UTC{digits[:3]}:{digits[3:5]}"

    def iso(self, instant: datetime) -> str:
        """Write an instant for machines."""
        return self.local(instant).isoformat(timespec="seconds")

    def read(self, text: str) -> str:
        """Say instants that a text has as machines write them as a person reads them."""
        return _FOR_MACHINES.sub(self._read, text)

    def _read(self, found: re.Match[str]) -> str:
        try:
            return self.date(datetime.fromisoformat(found[0]))
        except (ValueError, OverflowError):  # it only looks like one, or is out of reach
            return found[0]

    def ago(self, instant: datetime) -> str:
        """Say how long ago something was; a clock that is ahead of ours makes it just now."""
        length = self.now - instant
        return f"{span(length)} ago" if length >= timedelta(seconds=1) else "just now"

    def ahead(self, instant: datetime) -> str:
        """Say how long it is until something is due."""
        length = instant - self.now
        return f"in {span(length)}" if length > timedelta() else "due now"


def span(length: timedelta) -> str:
    """Say how long something is, in its two largest units, rounded down: `3 h 12 min`."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:  # noqa: PLR2004 # seconds of a minute
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h")) if number]
    if minutes and not days:
        parts.append(f"{minutes} min")
    return " ".join(parts)
