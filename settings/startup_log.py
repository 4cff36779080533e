"""The summary of the configuration that is logged at startup."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from jobs.model import JobKind, Plan, Stream
from jobs.stream_log import log_about
from settings.fields import Service, Settings
from settings.version import VERSION


class Line(NamedTuple):
    """A line of the log, about the whole service, a stream, or a kind of it."""

    text: str
    stream: Stream | None = None
    kind: JobKind | None = None

    def log(self, logger: logging.Logger) -> None:
        """Log the line; one about a stream begins with its name."""
        about = log_about(logger, self.stream, self.kind) if self.stream else logger
        about.info("%s", self.text)


def summary(settings: Settings, now: datetime) -> Iterator[Line]:
    """Yield what the service will do, with the first fire time after `now` of every schedule.

    Fire times include the weekday, so that a pattern for the wrong day is easy to notice.
    """
    service, zone = settings.service, settings.zone
    yield Line(f"delta-producer-background-jobs-initiator {VERSION}, replica {service.replica}")
    yield Line(f"configuration: {settings.summary}")
    yield Line(f"time zone {zone}; store {service.mu_sparql_endpoint}")
    yield Line(_service_settings(service))
    for stream in settings.streams:
        yield Line(_stream_settings(stream), stream)
        if stream.origin:
            yield Line(stream.origin, stream)
        for plan in stream.plans:
            yield Line(_next_run(plan, now, zone), stream, plan.kind)


def _service_settings(service: Service) -> str:
    watchdog = "off"
    if service.watchdog_minutes:
        watchdog = f"every {service.watchdog_minutes:g} minutes"
    return (
        f"watchdog {watchdog}; ticks stay due for {service.tick_window_minutes:g} minutes; "
        f"the same problem is reported once per {service.error_repeat_hours:g} hours"
    )


def _stream_settings(stream: Stream) -> str:
    """Return the settings of a stream that its schedules do not show."""
    healing = "waits for" if stream.healing_waits else "does not wait for"
    timeout = stream.remedies.job_timeout
    times_out = "never time out"
    if timeout:
        times_out = f"time out after {timeout / timedelta(minutes=1):g} minutes without activity"
    closed_by = "this service" if stream.remedies.close_finished else "the job-controller"
    return (
        f"graph {stream.jobs_graph}; healing {healing} an initial sync; "
        f"active jobs {times_out}; finished jobs are closed by {closed_by}"
    )


def _next_run(plan: Plan, now: datetime, zone: tzinfo) -> str:
    if not plan.enabled:
        return "disabled"
    if plan.schedule is None:
        return "once, at the start"
    fire_time = plan.schedule.next_after(now).astimezone(zone)
    return f'"{plan.schedule.pattern}", next {fire_time:%A %Y-%m-%d %H:%M:%S %Z} ({zone})'
