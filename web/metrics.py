"""The metrics for Prometheus: counts kept in memory, and gauges of the status at each scrape.

Names follow Prometheus's conventions: base units, `_total` for counts, `_timestamp_seconds` for
instants. Counts are by kind and not by stream: with thousands of streams, a scrape would be large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.events import Event, Result
from jobs.model import JobKind, Stream, Trigger
from web.gauges import KIND_LABELS, StatusCollector, gauge
from web.overdue import OverdueSuccess
from web.status.report import UNNAMED, StatusReport

# The results after which a tick is no longer due.
FINAL = (Result.CREATED, Result.DONE, Result.SUPERSEDED, Result.MISSED, Result.CLEANED)
LATENESS_BUCKETS = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 10_800, 21_600, 86_400)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counts, in their own registry; `watch` adds the gauges of the status.

    `log_lines_dropped` returns a count that the log keeps itself.
    """

    def __init__(self) -> None:
        # Otherwise each count would have a second series with the time at which it began.
        disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types
        self.registry = CollectorRegistry()
        self._ticks = Counter(
            "initiator_ticks",
            "Ticks by their final outcome",
            ("kind", "outcome"),
            registry=self.registry,
        )
        self._created = Counter(
            "initiator_jobs_created",
            "Jobs created, by trigger",
            ("kind", "trigger"),
            registry=self.registry,
        )
        self._lateness = Histogram(
            "initiator_creation_lateness_seconds",
            "Time from the fire time of a tick until its job was created",
            ("kind",),
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
        self.missed: dict[tuple[str, str], float] = {}
        self.log_lines_dropped: Callable[[], int] = lambda: 0
        self.registry.register(_Collector(self))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Create all series with 0, because a rate misses the first count of a new series."""
        for kind in JobKind:
            self._lateness.labels(kind.slug)
            for result in FINAL:
                self._ticks.labels(kind.slug, result.value)
            for trigger in Trigger:
                self._created.labels(kind.slug, trigger.value)

    def note(self, event: Event) -> None:
        """Count an event of a tick or a call."""
        kind = event.kind.slug
        if event.tick is not None and event.result in FINAL:
            self._ticks.labels(kind, event.result.value).inc(event.count)
        if event.result is Result.CREATED:
            self._created.labels(kind, event.trigger.value).inc()
        if event.lateness is not None:
            self._lateness.labels(kind).observe(max(0.0, event.lateness.total_seconds()))
        if event.result is Result.MISSED:
            self.missed[event.stream.name or UNNAMED, kind] = event.at.timestamp()

    def observe(self, kind: str, outcome: str, seconds: float) -> None:
        """Count a SPARQL request."""
        self._requests.labels(kind, outcome).observe(seconds)

    def watch(self, report: Callable[[], StatusReport], streams: Iterable[Stream] = ()) -> None:
        """Add gauges made from the status report, which is read at each scrape."""
        self.registry.register(StatusCollector(report, OverdueSuccess(streams)))

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """Return all metrics and their content type, in the newest format that is accepted.

        Without a wish it is version 0.0.4 of Prometheus's text format, which every scraper reads.
        """
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # what it raises for a version that is no number
            encode, content_type = choose_encoder("")
        return encode(self.registry), content_type


@dataclass(frozen=True)
class _Collector(Collector):
    """The count of dropped log lines, and when ticks were last missed."""

    metrics: Metrics

    def collect(self) -> Iterator[Metric]:
        """Yield both."""
        help_text = "Log lines that were dropped because standard output did not accept them"
        dropped = self.metrics.log_lines_dropped()
        yield CounterMetricFamily("initiator_log_lines_dropped", help_text, dropped)
        help_text = "Unix time at which a tick was last missed, since the process started"
        name = "initiator_last_missed_timestamp_seconds"
        yield gauge(name, help_text, KIND_LABELS, [*self.metrics.missed.items()])
