"""Instants and durations as text for people, in the service's time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# An ISO 8601 instant that stands alone; one inside a URI is left as it is.
_ISO_INSTANT = re.compile(r"(?<!\S)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)\b")
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))  # faster: a page has thousands of times


@dataclass(frozen=True)
class LocalTime:
    """Formats instants in a time zone; `now` is when the report was made."""

    now: datetime
    zone: tzinfo

    def local(self, instant: datetime) -> datetime:
        """Return the local time of an instant. Use it for display only, not for arithmetic."""
        return instant.astimezone(self.zone)

    def hour(self, instant: datetime) -> str:
        """Return weekday and time, which is enough within a few days."""
        local = self.local(instant)
        return f"{WEEKDAYS[local.weekday()]} {_TWO_DIGITS[local.hour]}:{_TWO_DIGITS[local.minute]}"

    def date(self, instant: datetime) -> str:
        """Return weekday, date and time."""
        local = self.local(instant)
        return f"{WEEKDAYS[local.weekday()]} {local:%Y-%m-%d %H:%M}"

    def due(self, instant: datetime) -> str:
        """Return when a tick is due, with seconds only if they are not zero."""
        return self.to_the_second(instant) if instant.second else self.date(instant)

    def to_the_second(self, instant: datetime) -> str:
        """Return weekday, date and time with seconds."""
        return f"{self.date(instant)}:{instant.second:02}"

    def exact(self, instant: datetime) -> str:
        """Return the time with its UTC offset: it is unique even when clocks are set back."""
        return f"{self.to_the_second(instant)} {self.offset(instant)}"

    def offset(self, instant: datetime) -> str:
        """Return the zone's offset from UTC at an instant, such as `UTC+01:00`."""
        digits = f"{self.local(instant):%z}"
        return f"UTC{digits[:3]}:{digits[3:5]}"

    def iso(self, instant: datetime) -> str:
        """Return the local time in ISO 8601, for programs."""
        return self.local(instant).isoformat(timespec="seconds")

    def localized(self, text: str) -> str:
        """Return the text with local times instead of ISO 8601 instants."""
        return _ISO_INSTANT.sub(self._localized, text)

    def _localized(self, match: re.Match[str]) -> str:
        try:
            return self.date(datetime.fromisoformat(match[0]))
        except (ValueError, OverflowError):  # not a date, or outside the years of datetime
            return match[0]

    def ago(self, instant: datetime) -> str:
        """Return how long ago an instant was; an instant in the future counts as just now."""
        length = self.now - instant
        return f"{duration(length)} ago" if length >= timedelta(seconds=1) else "just now"

    def ahead(self, instant: datetime) -> str:
        """Return how long it is until an instant."""
        length = instant - self.now
        return f"in {duration(length)}" if length > timedelta() else "due now"


def duration(length: timedelta) -> str:
    """Return a duration in its two largest units, rounded down, such as `3 h 12 min`."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:  # seconds of a minute  # noqa: PLR2004 - seconds of a minute
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h")) if number]
    if minutes and not days:
        parts.append(f"{minutes} min")
    return " ".join(parts)
