"""The facts behind page, JSON and metrics: read with few queries, once for all callers."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from threading import Event, Thread
from typing import Any

import pytest

from jobs.model import Job, JobKind, Status, Stream
from jobs.store import StoreUnavailable
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests.support.builders import (
    DUMP,
    HEALING,
    INITIAL_SYNC,
    NOW,
    TestClock,
    job_of,
    stream_of,
    task_of,
)
from tests.support.canned import Canned, answer
from tests.support.fakes import FakeJobStore
from tests.support.patience import PATIENCE
from tests.support.web import WebHarness
from web.health import INTERNAL_ERROR
from web.status.reader import FRESH_SECONDS, READ_SECONDS
from web.status.report import StatusReport

HOUR = timedelta(hours=1)
READS = ["active", "recent", "newest", "find"]
READS_WITHOUT_JOBS = READS[:3]


@dataclass
class ReaderHarness(WebHarness):
    """A reader on a store in memory, with a clock that the test moves."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.reader = self.service.status

    def report(self, only: Stream | None = None) -> StatusReport:
        return self.reader.report(only)


def run_together(threads: list[Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)


def jobs_of_every_kind(*names: str) -> list[Job]:
    return [
        job_of(kind, status, name, uri=f"urn:{name}:{kind.name}:{status.name}", created=NOW)
        for name in names
        for kind in JobKind
        for status in Status
    ]


@pytest.mark.parametrize("count", [1, 50])
def test_the_number_of_reads_does_not_depend_on_streams_and_jobs(count: int) -> None:
    names = [f"s{number}" for number in range(count)]
    harness = ReaderHarness(tuple(stream_of(name) for name in names))
    harness.store.add(*jobs_of_every_kind(*names))
    assert len(harness.report().streams) == count
    assert harness.store.calls == READS


def test_the_report_of_one_stream_shares_the_read_of_all_streams() -> None:
    one, other = stream_of("one"), stream_of("other")
    harness = ReaderHarness((one, other))
    assert [stream.name for stream in harness.report(other).streams] == ["other"]
    assert [stream.name for stream in harness.report().streams] == ["one", "other"]
    assert harness.store.calls == READS_WITHOUT_JOBS


def test_a_read_is_shared_for_a_second() -> None:
    harness = ReaderHarness()
    harness.report()
    harness.store.add(job_of(DUMP))
    harness.clock.elapsed += FRESH_SECONDS
    assert not harness.kind(DUMP).active
    harness.clock.elapsed += 0.01
    assert harness.kind(DUMP).active


def test_facts_of_the_process_are_always_up_to_date() -> None:
    harness = ReaderHarness()
    first = harness.report()
    harness.clock.now += HOUR
    second = harness.report()
    assert (first.now, second.now) == (NOW, NOW + HOUR)
    assert (first.uptime_seconds, second.uptime_seconds) == (0, 3600)
    assert harness.store.calls == READS_WITHOUT_JOBS


def test_a_failed_read_is_shared_as_well() -> None:
    harness = ReaderHarness()
    harness.store.failures["active"] = [StoreUnavailable("away", sent=False)]
    assert harness.report().store.problem == "away"
    assert harness.report().store.problem == "away"
    assert harness.store.calls == ["active"]
    harness.clock.elapsed += 2 * FRESH_SECONDS
    assert harness.report().store.reachable


def test_the_first_report_reads_the_store_wherever_the_clock_begins() -> None:
    """A monotonic clock may begin anywhere, and near zero on a machine that has just started."""
    harness = ReaderHarness()
    harness.store.add(job_of(DUMP))
    harness.clock.elapsed = FRESH_SECONDS / 2
    assert harness.kind(DUMP).active


@pytest.mark.parametrize(("seconds", "bound"), [(60, READ_SECONDS), (2, 2)])
def test_all_reads_of_a_report_share_a_short_deadline(seconds: float, bound: float) -> None:
    """A call of the API may take a minute, but a report must be fast."""
    left = list[float]()

    class Slow(FakeJobStore):
        def _called(self, name: str) -> None:
            assert self.deadline
            left.append(self.deadline.remaining)
            harness.clock.elapsed += 0.5
            super()._called(name)

    harness = ReaderHarness(clock=TestClock(timeout=seconds), store=Slow())
    harness.store.add(job_of(DUMP, created=NOW))
    harness.report()
    assert left == [bound, bound - 0.5, bound - 1, bound - 1.5]


@pytest.fixture
def hanging() -> Any:
    """A store that keeps sending an answer which never ends."""
    body = b" " * 10_000
    with Canned(answer(body=body), pause=0.1) as server:
        yield server


def test_a_store_that_hangs_delays_no_report_for_long(hanging: Canned) -> None:
    url, reader = hanging.endpoint, ReaderHarness().reader
    client = SparqlClient(query_url=url, update_url=url, new_id=lambda: "a", retry_pauses=())
    reader.store = SparqlJobStore(client)
    reader.clock = replace(reader.clock, monotonic=time.monotonic)
    reports: list[StatusReport] = []
    run_together([Thread(target=lambda: reports.append(reader.report())) for _ in range(4)])
    assert len(reports) == 4
    assert hanging.await_hang_up(PATIENCE), "no report waited for the end of the answer"
    assert {report.store.problem for report in reports} == {f"{url} did not answer in time"}
    assert not any(report.store.reachable for report in reports)
    assert len(hanging.requests) == 1, "the others waited for the first one"


def test_concurrent_reports_wait_for_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    harness, go = ReaderHarness(), Event()
    active = harness.store.active

    def hold(*args: Any) -> tuple[Job, ...]:
        go.wait(PATIENCE)
        return active(*args)

    monkeypatch.setattr(harness.store, "active", hold)
    readers = [Thread(target=harness.report) for _ in range(3)]
    run_together([*readers, Thread(target=go.set)])
    assert harness.store.calls == READS_WITHOUT_JOBS


@pytest.mark.parametrize("read", READS_WITHOUT_JOBS)
def test_an_unexpected_error_is_logged_and_the_rest_is_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, read: str
) -> None:
    harness = ReaderHarness()
    monkeypatch.setattr(harness.store, read, lambda *_: 1 / 0)
    report = harness.report()
    assert not report.store.reachable
    assert report.store.problem == INTERNAL_ERROR
    assert report.streams[0].kinds[2].next_fire_time
    assert "ZeroDivisionError" in caplog.text


def test_the_last_job_is_the_newest_with_its_newest_date() -> None:
    harness = ReaderHarness()
    harness.store.add(
        job_of(DUMP, Status.SUCCESS, uri="urn:old", created=NOW - 3 * HOUR),
        job_of(
            DUMP,
            Status.FAILED,
            uri="urn:new",
            created=NOW - 2 * HOUR,
            modified=NOW - 1.5 * HOUR,
            tasks=(task_of("a", Status.FAILED, modified=NOW - HOUR),),
        ),
    )
    report = harness.kind(DUMP)
    assert report.last_job
    assert (report.last_job.uri, report.last_job.status) == ("urn:new", "failed")
    assert report.last_job.modified == NOW - HOUR
    assert report.last_success == NOW - 3 * HOUR
    assert harness.kind(HEALING).last_job is None


def test_a_last_job_that_is_removed_between_two_reads_is_shown_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = ReaderHarness()
    gone = job_of(DUMP, Status.SUCCESS, uri="urn:gone", created=NOW - 2 * HOUR, modified=NOW - HOUR)
    harness.store.add(gone)
    monkeypatch.setattr(harness.store, "find", lambda *_: ())
    last = harness.kind(DUMP).last_job
    assert last
    assert (last.uri, last.created, last.modified) == ("urn:gone", gone.created, gone.created)


def test_a_job_from_the_future_is_not_the_last_one() -> None:
    harness = ReaderHarness()
    harness.store.add(
        job_of(DUMP, Status.SUCCESS, uri="urn:now", created=NOW),
        job_of(DUMP, Status.SUCCESS, uri="urn:future", created=NOW + HOUR),
    )
    last = harness.kind(DUMP).last_job
    assert last
    assert last.uri == "urn:now"


def test_an_unknown_status_is_shown_as_unknown() -> None:
    harness = ReaderHarness()
    known = job_of(DUMP, created=NOW - HOUR)
    harness.store.add(Job(uri="urn:odd", operation=known.operation, status=None, created=NOW))
    report = harness.kind(DUMP)
    assert report.last_job
    assert (report.last_job.uri, report.last_job.status) == ("urn:odd", "unknown")
    assert [job.status for job in report.recent] == ["unknown"]
    assert report.active == ()
    assert report.last_success is None


@pytest.mark.parametrize(
    ("kind", "status"), list(product(JobKind, Status)), ids=lambda value: value.name
)
def test_a_stream_is_synced_after_a_successful_initial_sync_or_healing(
    kind: JobKind, status: Status
) -> None:
    harness = ReaderHarness()
    harness.store.add(job_of(kind, status, created=NOW - HOUR))
    synced = kind in (INITIAL_SYNC, HEALING) and status is Status.SUCCESS
    assert harness.report().streams[0].synced is synced


def test_a_stream_without_operations_has_no_jobs() -> None:
    harness = ReaderHarness((stream_of(unconfigured=[*JobKind]),))
    assert [kind.last_job for kind in harness.report().streams[0].kinds] == [None] * 3
