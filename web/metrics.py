"""The metrics for Prometheus: counts kept in memory, and gauges of the status at each scrape.

Names follow Prometheus's conventions: base units, `_total` for counts, `_timestamp_seconds` for
instants. The label of the environment's stream, which has no name, is `-`.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from jobs.events import Event, Result
from jobs.maintenance.diagnosis import Cause
from jobs.model import JobKind, Stream, Trigger
from web.status.report import KindReport, StatusReport

UNNAMED = "-"
KIND_LABELS = ("stream", "kind")
# The results after which a tick is no longer due.
FINAL = (Result.CREATED, Result.DONE, Result.SUPERSEDED, Result.MISSED, Result.CLEANED)
LATENESS_BUCKETS = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 10_800, 21_600, 86_400)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counts, in their own registry; `watch` adds the gauges of the status.

    `log_lines_dropped` returns a count that the log keeps itself.
    """

    def __init__(self, streams: Iterable[Stream]) -> None:
        # Otherwise each count would have a second series with the time at which it began.
        disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types
        self.registry = CollectorRegistry()
        self._ticks = Counter(
            "initiator_ticks",
            "Ticks by their final outcome",
            (*KIND_LABELS, "outcome"),
            registry=self.registry,
        )
        self._created = Counter(
            "initiator_jobs_created",
            "Jobs created, by trigger",
            (*KIND_LABELS, "trigger"),
            registry=self.registry,
        )
        self._lateness = Histogram(
            "initiator_creation_lateness_seconds",
            "Time from the fire time of a tick until its job was created",
            KIND_LABELS,
            buckets=LATENESS_BUCKETS,
            registry=self.registry,
        )
        self._requests = Histogram(
            "initiator_sparql_request_duration_seconds",
            "Duration of SPARQL requests, by kind and outcome",
            ("kind", "outcome"),
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        self.log_lines_dropped: Callable[[], int] = lambda: 0
        self.registry.register(_LogCollector(self))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._begin_at_zero(streams)

    def _begin_at_zero(self, streams: Iterable[Stream]) -> None:
        """Create all series with 0, because a rate misses the first count of a new series."""
        for stream in streams:
            for kind in JobKind:
                labels = (stream.name or UNNAMED, kind.slug)
                self._lateness.labels(*labels)
                for result in FINAL:
                    self._ticks.labels(*labels, result.value)
                for trigger in Trigger:
                    self._created.labels(*labels, trigger.value)

    def note(self, event: Event) -> None:
        """Count an event of a tick or a call."""
        labels = (event.stream.name or UNNAMED, event.kind.slug)
        if event.tick is not None and event.result in FINAL:
            self._ticks.labels(*labels, event.result.value).inc(event.count)
        if event.result is Result.CREATED:
            self._created.labels(*labels, event.trigger.value).inc()
        if event.lateness is not None:
            self._lateness.labels(*labels).observe(max(0.0, event.lateness.total_seconds()))

    def observe(self, kind: str, outcome: str, seconds: float) -> None:
        """Count a SPARQL request."""
        self._requests.labels(kind, outcome).observe(seconds)

    def watch(self, report: Callable[[], StatusReport]) -> None:
        """Add gauges made from the status report, which is read at each scrape."""
        self.registry.register(_StatusCollector(report))

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self.registry)


@dataclass(frozen=True)
class _LogCollector(Collector):
    """The count of dropped log lines."""

    metrics: Metrics

    def collect(self) -> Iterator[Metric]:
        """Yield the count."""
        help_text = "Log lines that were dropped because standard output did not accept them"
        dropped = self.metrics.log_lines_dropped()
        yield CounterMetricFamily("initiator_log_lines_dropped", help_text, dropped)


@dataclass(frozen=True)
class _StatusCollector(Collector):
    """Gauges made from a status report.

    While the store does not answer, gauges that need it are left out: a zero would be wrong.
    """

    report: Callable[[], StatusReport]

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering this collector does not read the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        report = self.report()
        info = {"version": report.version, "python_version": platform.python_version()}
        yield InfoMetricFamily("initiator_build", "Version of the service and of Python", info)
        yield _gauge("initiator_ready", "1 if the schedules are armed, else 0", float(report.ready))
        reachable = float(report.store.reachable)
        help_text = "1 if the store answered for this scrape, else 0"
        yield _gauge("initiator_store_reachable", help_text, reachable)
        help_text = "Unix time at which the next tick is due"
        yield _timestamps(report, "next_fire", help_text, lambda kind: kind.next_fire_time)
        if report.store.reachable:
            help_text = "Unix time at which the newest successful job was created"
            yield _timestamps(report, "last_success", help_text, lambda kind: kind.last_success)
            yield _active(report)
            yield _stuck(report)


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, value)


def _kinds(report: StatusReport) -> Iterator[tuple[tuple[str, str], KindReport]]:
    for stream in report.streams:
        for kind in stream.kinds:
            yield (stream.name or UNNAMED, kind.kind), kind


def _timestamps(
    report: StatusReport,
    name: str,
    help_text: str,
    instant: Callable[[KindReport], datetime | None],
) -> GaugeMetricFamily:
    name = f"initiator_{name}_timestamp_seconds"
    family = GaugeMetricFamily(name, help_text, labels=KIND_LABELS)
    for labels, kind in _kinds(report):
        at = instant(kind)
        if at is not None:
            family.add_metric(labels, at.timestamp())
    return family


def _active(report: StatusReport) -> GaugeMetricFamily:
    family = GaugeMetricFamily("initiator_active_jobs", "Number of active jobs", labels=KIND_LABELS)
    for labels, kind in _kinds(report):
        family.add_metric(labels, len(kind.active))
    return family


def _stuck(report: StatusReport) -> GaugeMetricFamily:
    labels = (*KIND_LABELS, "cause")
    help_text = "Number of active jobs that are stuck, by cause"
    family = GaugeMetricFamily("initiator_stuck_jobs", help_text, labels=labels)
    for names, kind in _kinds(report):
        causes = [job.trouble.cause for job in kind.active if job.trouble]
        for cause in Cause:
            family.add_metric((*names, cause.value), causes.count(cause.value))
    return family
