"""What Prometheus reads: counts kept in memory, and the state of things when it asks.

Names follow Prometheus's conventions: base units, `_total` for counts, `_timestamp_seconds` for
instants. The environment's stream, which has no name, is `-`.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from jobs.diagnosis import Cause
from jobs.journal import Event, Result
from jobs.model import JobKind, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from prometheus_client.metrics_core import Metric

    from jobs.model import Stream
    from web.report import KindReport, StatusReport

UNNAMED = "-"
KIND_LABELS = ("stream", "kind")
SETTLED = (Result.CREATED, Result.DONE, Result.SUPERSEDED, Result.MISSED, Result.CLEANED)
LATENESS_BUCKETS = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 10_800, 21_600, 86_400)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counts, in a registry of their own; `watch` adds the state of things."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        # Of each count there would be a second series, of when it began.
        disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types
        self.registry = CollectorRegistry()
        self._ticks = Counter(
            "initiator_ticks",
            "Ticks by what became of them",
            (*KIND_LABELS, "outcome"),
            registry=self.registry,
        )
        self._created = Counter(
            "initiator_jobs_created",
            "Jobs created, by why they were considered",
            (*KIND_LABELS, "trigger"),
            registry=self.registry,
        )
        self._lateness = Histogram(
            "initiator_creation_lateness_seconds",
            "How long after its fire time a tick's job was created",
            KIND_LABELS,
            buckets=LATENESS_BUCKETS,
            registry=self.registry,
        )
        self._requests = Histogram(
            "initiator_sparql_request_duration_seconds",
            "SPARQL requests by kind and how they ended",
            ("kind", "outcome"),
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._begin_at_zero(streams)

    def _begin_at_zero(self, streams: Sequence[Stream]) -> None:
        """Make every series there will be: one that appears with its first count hides that."""
        for stream in streams:
            for kind in JobKind:
                labels = (stream.name or UNNAMED, kind.slug)
                self._lateness.labels(*labels)
                for result in SETTLED:
                    self._ticks.labels(*labels, result.value)
                for trigger in Trigger:
                    self._created.labels(*labels, trigger.value)

    def note(self, event: Event) -> None:
        """Count what became of a tick or a call."""
        labels = (event.stream.name or UNNAMED, event.kind.slug)
        if event.tick is not None and event.result in SETTLED:
            self._ticks.labels(*labels, event.result.value).inc(event.count)
        if event.result is Result.CREATED:
            self._created.labels(*labels, event.trigger.value).inc()
        if event.lateness is not None:
            self._lateness.labels(*labels).observe(max(0.0, event.lateness.total_seconds()))

    def observe(self, kind: str, outcome: str, seconds: float) -> None:
        """Count a SPARQL request."""
        self._requests.labels(kind, outcome).observe(seconds)

    def watch(self, report: Callable[[], StatusReport]) -> None:
        """Show the state of things as well, read when somebody asks."""
        self.registry.register(_State(report))

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)


class _State(Collector):
    """Gauges made from a status report; what the store does not tell is left out."""

    def __init__(self, report: Callable[[], StatusReport]) -> None:
        self._report = report

    def describe(self) -> Iterable[Metric]:
        """Tell nothing beforehand: registering must not read the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        report = self._report()
        info = {"version": report.version, "python_version": platform.python_version()}
        yield InfoMetricFamily("initiator_build", "What runs here", info)
        yield _gauge("initiator_ready", "Whether the schedules are armed", float(report.ready))
        reachable = float(report.store.reachable)
        yield _gauge("initiator_store_reachable", "Whether the store answered just now", reachable)
        yield _instants(report, "next_fire", "next tick", lambda kind: kind.next_fire_time)
        if report.store.reachable:
            text = "newest job that succeeded was created"
            yield _instants(report, "last_success", text, lambda kind: kind.last_success)
            yield _active(report)
            yield _stuck(report)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value)


def _kinds(report: StatusReport) -> Iterator[tuple[tuple[str, str], KindReport]]:
    for stream in report.streams:
        for kind in stream.kinds:
            yield (stream.name or UNNAMED, kind.kind), kind


def _instants(
    report: StatusReport, name: str, text: str, instant: Callable[[KindReport], datetime | None]
) -> GaugeMetricFamily:
    name = f"initiator_{name}_timestamp_seconds"
    family = GaugeMetricFamily(name, f"When the {text}, in Unix time", labels=KIND_LABELS)
    for labels, kind in _kinds(report):
        at = instant(kind)
        if at is not None:
            family.add_metric(labels, at.timestamp())
    return family


def _active(report: StatusReport) -> GaugeMetricFamily:
    family = GaugeMetricFamily("initiator_active_jobs", "Active jobs", labels=KIND_LABELS)
    for labels, kind in _kinds(report):
        family.add_metric(labels, len(kind.active))
    return family


def _stuck(report: StatusReport) -> GaugeMetricFamily:
    labels = (*KIND_LABELS, "cause")
    family = GaugeMetricFamily("initiator_stuck_jobs", "Active jobs that are stuck", labels=labels)
    for names, kind in _kinds(report):
        causes = [job.trouble.cause for job in kind.active if job.trouble]
        for cause in Cause:
            family.add_metric((*names, cause.value), causes.count(cause.value))
    return family
