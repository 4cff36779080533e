"""What a configuration amounts to, in lines for the log at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from config import Settings
    from jobs.model import Plan


def summary(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield what the service is about to do, with the next fire time of every schedule.

    The weekday is shown: a pattern that means another day than its author thought is seen here.
    """
    service, zone = settings.service, settings.zone
    yield f"time zone {zone}; store {service.mu_sparql_endpoint}"
    for stream in settings.streams:
        for plan in stream.plans:
            yield f"{plan.kind.value} of {stream}: {_outlook(plan, now, zone)}"


def _outlook(plan: Plan, now: datetime, zone: tzinfo) -> str:
    if not plan.enabled:
        return "disabled"
    if plan.schedule is None:
        return "once, at the start"
    fire_time = plan.schedule.next_after(now).astimezone(zone)
    return f'"{plan.schedule.pattern}", next {fire_time:%A %Y-%m-%d %H:%M:%S %Z} ({zone})'
