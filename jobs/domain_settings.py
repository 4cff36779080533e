"""What an operator can set about the whole domain, as values with units."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jobs.maintenance.diagnosis import StuckThresholds
from jobs.ticks.policy import TickPolicy


@dataclass(frozen=True, kw_only=True)
class DomainSettings:
    """The settings; `watchdog_period` is None where the watchdog is off.

    `configured` is when the configuration was changed the last time, if that is known.
    """

    policy: TickPolicy = field(default_factory=TickPolicy)
    thresholds: StuckThresholds = field(default_factory=StuckThresholds)
    error_repeat: timedelta = timedelta(hours=24)
    sweep_period: timedelta = timedelta(minutes=5)
    watchdog_period: timedelta | None = timedelta(minutes=5)
    configured: datetime | None = None
