"""What a configuration amounts to, in lines for the log at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jobs.journal import about
from settings.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta, tzinfo

    from config import Settings
    from jobs.model import Plan, Stream
    from settings.fields import Service


class Line(NamedTuple):
    """A line of the log; `extra` is what it carries for machines."""

    text: str
    extra: Mapping[str, object] | None = None


def summary(settings: Settings, now: datetime) -> Iterator[Line]:
    """Yield what the service is about to do, with the next fire time of every schedule.

    The weekday is shown: a pattern that means another day than its author thought is seen here.
    """
    service, zone = settings.service, settings.zone
    yield Line(f"delta-producer-background-jobs-initiator {VERSION}, replica {service.replica}")
    yield Line(f"time zone {zone}; store {service.mu_sparql_endpoint}")
    yield Line(_switches(service))
    for stream in settings.streams:
        yield Line(f"{stream}: {_habits(stream)}", about(stream))
        for plan in stream.plans:
            text = f"{plan.kind.value} of {stream}: {_outlook(plan, now, zone)}"
            yield Line(text, about(stream, plan.kind))


def _switches(service: Service) -> str:
    watchdog = "off"
    if service.watchdog_minutes:
        watchdog = f"every {service.watchdog_minutes:g} minutes"
    return (
        f"watchdog {watchdog}; ticks stay due for {service.tick_window_minutes:g} minutes; "
        f"one cause is reported once in {service.error_repeat_hours:g} hours"
    )


def _habits(stream: Stream) -> str:
    """Say what sets a stream apart beside its schedules."""
    healing = "waits for" if stream.healing_waits else "does without"
    timeout = stream.remedies.job_timeout
    times_out = f"times out after {_minutes(timeout)} minutes" if timeout else "never times out"
    closed = "here" if stream.remedies.close_finished else "by the job-controller"
    return (
        f"graph {stream.jobs_graph}; healing {healing} an initial sync; "
        f"a silent job {times_out}; finished jobs are closed {closed}"
    )


def _minutes(time: timedelta) -> str:
    return f"{time.total_seconds() / 60:g}"


def _outlook(plan: Plan, now: datetime, zone: tzinfo) -> str:
    if not plan.enabled:
        return "disabled"
    if plan.schedule is None:
        return "once, at the start"
    fire_time = plan.schedule.next_after(now).astimezone(zone)
    return f'"{plan.schedule.pattern}", next {fire_time:%A %Y-%m-%d %H:%M:%S %Z} ({zone})'
