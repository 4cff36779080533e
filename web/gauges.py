"""The gauges for Prometheus that a status report gives: what an alert needs of each stream.

Most series exist only while there is something to report, so that thousands of streams that work
make a small answer. `> 0` and `time() - …` are false for a series that does not exist.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.model import JobKind
from web.overdue import OverdueSuccess
from web.status.report import UNNAMED, KindReport, StatusReport

KIND_LABELS: Final = ("stream", "kind")

Labels: TypeAlias = tuple[str, ...]
Series: TypeAlias = Iterator[tuple[Labels, float]]


@dataclass(frozen=True)
class StatusCollector(Collector):
    """Gauges made from a status report.

    While the store does not answer, gauges that need it are left out: a zero would be wrong.
    """

    report: Callable[[], StatusReport]
    overdue: OverdueSuccess

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering this collector does not read the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        report = self.report()
        info = {"version": report.version, "python_version": platform.python_version()}
        yield InfoMetricFamily("initiator_build", "Version of the service and of Python", info)
        help_text = "1 if the schedules are armed, else 0"
        yield gauge("initiator_ready", help_text, (), [((), float(report.ready))])
        help_text = "1 if the store answered for this scrape, else 0"
        reachable = [((), float(report.store.reachable))]
        yield gauge("initiator_store_reachable", help_text, (), reachable)
        help_text = "Unix time at which the newest tick fired, while it waits"
        name = "initiator_waiting_tick_timestamp_seconds"
        yield gauge(name, help_text, KIND_LABELS, _each_kind(report, _waiting))
        if report.store.reachable:
            yield from _from_store(report)
            help_text = "Seconds since the tick before the last one fired, without a success since"
            name = "initiator_success_overdue_seconds"
            yield gauge(name, help_text, KIND_LABELS, _overdue(report, self.overdue))


def gauge(
    name: str, help_text: str, labels: Labels, series: Iterable[tuple[Labels, float]]
) -> GaugeMetricFamily:
    """Return a gauge with these series, given by the values of their labels."""
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for values, value in series:
        family.add_metric(values, value)
    return family


def _from_store(report: StatusReport) -> Iterator[Metric]:
    help_text = "Unix time at which the newest successful job of a kind with a schedule was created"
    name = "initiator_last_success_timestamp_seconds"
    yield gauge(name, help_text, KIND_LABELS, _each_kind(report, _last_success))
    help_text = "1 if the newest job has failed"
    yield gauge("initiator_newest_job_failed", help_text, KIND_LABELS, _each_kind(report, _failed))
    help_text = "Number of active jobs that are stuck, by cause"
    yield gauge("initiator_stuck_jobs", help_text, (*KIND_LABELS, "cause"), _stuck(report))
    yield gauge("initiator_active_jobs", "Number of active jobs", ("kind",), _active(report))


def _kinds(report: StatusReport) -> Iterator[tuple[Labels, KindReport]]:
    for stream in report.streams:
        for kind in stream.kinds:
            yield (stream.name or UNNAMED, kind.kind), kind


def _each_kind(report: StatusReport, value: Callable[[KindReport], float | None]) -> Series:
    for labels, kind in _kinds(report):
        found = value(kind)
        if found is not None:
            yield labels, found


def _waiting(kind: KindReport) -> float | None:
    outcome = kind.last_outcome
    waits = outcome and outcome.result == "waits"
    return outcome.tick.timestamp() if outcome and waits and outcome.tick else None


def _last_success(kind: KindReport) -> float | None:
    return kind.last_success.timestamp() if kind.last_success and kind.pattern else None


def _overdue(report: StatusReport, overdue: OverdueSuccess) -> Series:
    for stream in report.streams:
        for kind in stream.kinds:
            success = kind.last_success or report.started
            since = overdue.since(stream.name, kind.kind, success, report.now)
            if since:
                labels = (stream.name or UNNAMED, kind.kind)
                yield labels, (report.now - since).total_seconds()


def _failed(kind: KindReport) -> float | None:
    return 1 if kind.last_job and kind.last_job.status == "failed" else None


def _stuck(report: StatusReport) -> Series:
    for labels, kind in _kinds(report):
        for cause, number in kind.stuck.items():
            yield (*labels, cause), number


def _active(report: StatusReport) -> Series:
    for kind in JobKind:
        counts = (one.active_count for _, one in _kinds(report) if one.kind == kind.slug)
        yield (kind.slug,), sum(counts)
