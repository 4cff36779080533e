"""The facts behind page, JSON and metrics: read with few queries, once for all callers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from threading import Event, Thread
from typing import Any

import pytest

from jobs.model import Job, JobKind, Status, Stream
from jobs.store import CurrentJobs, StoreUnavailable
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests.support.builders import (
    DAY,
    DUMP,
    HEALING,
    INITIAL_SYNC,
    NOW,
    TestClock,
    job_of,
    operation,
    stream_of,
    task_of,
)
from tests.support.canned import Canned, answer
from tests.support.fakes import FakeJobStore
from tests.support.patience import PATIENCE
from tests.support.web import WebHarness, stuck_dump
from web.health import INTERNAL_ERROR
from web.status.report import MAX_DETAILED, MAX_LISTED_SHORT, StatusReport
from web.status.store_reader import FRESH_SECONDS, HISTORY_SECONDS, READ_SECONDS

HOUR = timedelta(hours=1)
FIRST_READS = ["current", "newest"]


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
    assert harness.store.calls == FIRST_READS


def test_the_report_of_one_stream_shares_the_read_of_all_streams() -> None:
    one, other = stream_of("one"), stream_of("other")
    harness = ReaderHarness((one, other))
    assert [stream.name for stream in harness.report(other).streams] == ["other"]
    assert [stream.name for stream in harness.report().streams] == ["one", "other"]
    assert harness.store.calls == FIRST_READS


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
    assert harness.store.calls == FIRST_READS


def test_a_failed_read_is_shared_as_well() -> None:
    harness = ReaderHarness()
    harness.store.failures["current"] = [StoreUnavailable("away", sent=False)]
    assert harness.report().store.problem == "away"
    assert harness.report().store.problem == "away"
    assert harness.store.calls == ["current"]
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
    assert left == [bound, bound - 0.5]


@pytest.fixture
def hanging() -> Any:
    """A store that keeps sending an answer which never ends."""
    body = b" " * 10_000
    with Canned(answer(body=body), pause=0.1) as server:
        yield server


def test_a_store_that_hangs_delays_no_report_for_long(hanging: Canned) -> None:
    url, reader = hanging.endpoint, ReaderHarness().reader
    client = SparqlClient(query_url=url, update_url=url, new_id=lambda: "a", retry_pauses=())
    reader.store.store = SparqlJobStore(client)
    reader.store.clock = replace(reader.clock, monotonic=time.monotonic)
    reports: list[StatusReport] = []
    run_together([Thread(target=lambda: reports.append(reader.report())) for _ in range(4)])
    assert len(reports) == 4
    assert hanging.await_hang_up(PATIENCE), "no report waited for the end of the answer"
    assert {report.store.problem for report in reports} == {f"{url} did not answer in time"}
    assert not any(report.store.reachable for report in reports)
    assert len(hanging.requests) == 1, "the others waited for the first one"


def test_concurrent_reports_wait_for_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    harness, go = ReaderHarness(), Event()
    current = harness.store.current

    def hold(*args: Any) -> CurrentJobs:
        go.wait(PATIENCE)
        return current(*args)

    monkeypatch.setattr(harness.store, "current", hold)
    readers = [Thread(target=harness.report) for _ in range(3)]
    run_together([*readers, Thread(target=go.set)])
    assert harness.store.calls == FIRST_READS


@pytest.mark.parametrize("read", FIRST_READS)
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
        job_of(DUMP, Status.FAILED, uri="urn:new", created=NOW - 2 * HOUR, modified=NOW - HOUR),
    )
    report = harness.kind(DUMP)
    assert report.last_job
    assert (report.last_job.uri, report.last_job.status) == ("urn:new", "failed")
    assert report.last_job.modified == NOW - HOUR
    assert report.last_success == NOW - 3 * HOUR
    assert harness.kind(HEALING).last_job is None


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


# what is remembered of older jobs


@dataclass
class HistoryHarness(ReaderHarness):
    """A reader of one stream or of many, whose store holds jobs that are older than a day.

    A `slow` store does not list the newest jobs in time when it is asked first.
    """

    slow: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, status, days in (("a", Status.SUCCESS, 9), ("b", Status.FAILED, 3)):
            self.store.add(job_of(DUMP, status, uri=f"urn:{name}", created=NOW - days * DAY))
        if self.slow:
            self.store.failures["newest"] = [StoreUnavailable("too slow", sent=True)]
        self.first_reads = self.next_reads()

    def next_reads(self, seconds: float = 15) -> list[str]:
        """Let time pass and return the requests of the next report."""
        self.clock.move_to(self.clock.now + timedelta(seconds=seconds))
        self.store.calls.clear()
        self.report()
        return [*self.store.calls]

    @property
    def last(self) -> tuple[str | None, Any]:
        """The last job of the dumps and the date of their last success."""
        kind = self.kind(DUMP)
        return kind.last_job.uri if kind.last_job else None, kind.last_success


@pytest.fixture(params=[1, 2 * MAX_DETAILED], ids=["one stream", "many streams"])
def history(request: pytest.FixtureRequest) -> HistoryHarness:
    names = ["public", *(f"s{number}" for number in range(1, request.param))]
    return HistoryHarness(tuple(stream_of(name) for name in names))


def test_older_jobs_are_read_once(history: HistoryHarness) -> None:
    for _ in range(5):
        assert history.next_reads() == ["current"]
        assert history.last == ("urn:b", NOW - 9 * DAY)


def test_older_jobs_are_read_again_after_some_minutes(history: HistoryHarness) -> None:
    history.store.jobs.pop("urn:b")
    assert history.next_reads(HISTORY_SECONDS - 20) == ["current"]
    assert history.last[0] == "urn:b"
    assert history.next_reads(21) == FIRST_READS
    assert history.last[0] == "urn:a"


def test_the_history_of_an_operation_with_a_current_success_is_not_searched(
    history: HistoryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search takes the longer the more jobs the operation has."""
    store, searched = history.store, list[str]()

    def newest(operations: Sequence[str], until: datetime) -> tuple[Job, ...]:
        searched.extend(operations)
        return FakeJobStore.newest(store, operations, until)

    monkeypatch.setattr(store, "newest", newest)
    now = history.clock.now
    store.add(
        job_of(DUMP, Status.SUCCESS, uri="urn:new", created=now),
        job_of(HEALING, Status.FAILED, created=now),
        job_of(INITIAL_SYNC, Status.SUCCESS, created=now + DAY),
    )
    history.next_reads(2 * HISTORY_SECONDS)
    all_operations = {uri for one in history.streams for uri in one.operations}
    assert {*searched} == all_operations - {operation(DUMP)}
    assert history.last == ("urn:new", now)


def test_a_new_job_is_the_last_one_at_once(history: HistoryHarness) -> None:
    new = job_of(DUMP, uri="urn:new", created=history.clock.now)
    history.store.add(new)
    assert history.next_reads() == ["current"]
    assert history.last == ("urn:new", NOW - 9 * DAY)
    history.store.add(replace(new, status=Status.SUCCESS))
    assert history.next_reads() == ["current"]
    assert history.last == ("urn:new", new.created)


def test_a_new_job_stays_the_last_one_when_it_is_old(history: HistoryHarness) -> None:
    new = job_of(DUMP, Status.SUCCESS, uri="urn:new", created=history.clock.now)
    history.store.add(new)
    for seconds in (15, 200, 3600, 2 * 86_400):
        history.next_reads(seconds)
        assert history.last == ("urn:new", new.created)


def test_an_old_job_that_ends_is_shown_with_its_end(history: HistoryHarness) -> None:
    old = job_of(DUMP, uri="urn:old", created=NOW - 2 * DAY)
    history.store.add(old)
    history.next_reads(2 * HISTORY_SECONDS)
    assert history.last == ("urn:old", NOW - 9 * DAY)
    history.store.add(replace(old, status=Status.SUCCESS))
    assert history.next_reads() == ["current", "find"]
    assert history.last == ("urn:old", old.created)


def test_the_job_of_a_late_tick_stays_the_last_one_when_it_has_ended(
    history: HistoryHarness,
) -> None:
    """It is dated at its fire time, so it is never among the jobs of the last minutes."""
    late = job_of(DUMP, uri="urn:late", created=NOW - 2 * DAY)
    history.store.add(late, job_of(DUMP, uri="urn:future", created=NOW + DAY))
    assert history.next_reads() == ["current"]
    history.store.add(replace(late, status=Status.SUCCESS))
    for reads in (["current", "find"], ["current"], ["current"]):
        assert history.next_reads() == reads
        assert history.last == ("urn:late", late.created)


def test_a_job_that_another_program_removes_is_forgotten(history: HistoryHarness) -> None:
    history.store.add(job_of(DUMP, Status.SUCCESS, uri="urn:new", created=history.clock.now))
    history.next_reads(2 * HISTORY_SECONDS)
    history.store.jobs.pop("urn:new")
    assert history.next_reads() == ["current", "find", "newest"]
    assert history.last == ("urn:b", NOW - 9 * DAY)


def test_jobs_that_a_person_removes_are_forgotten_however_old(history: HistoryHarness) -> None:
    assert history.client.delete("/public/dump-publication-graph-jobs").status_code == 200
    assert history.next_reads() == FIRST_READS
    assert history.last == (None, None)
    assert history.next_reads() == ["current"]


def test_a_clock_that_is_set_back_changes_nothing(history: HistoryHarness) -> None:
    history.clock.now -= 3 * DAY
    assert history.next_reads(0) == []
    history.clock.elapsed += 2 * FRESH_SECONDS
    assert history.next_reads(0) == ["current"]
    history.clock.elapsed += 2 * HISTORY_SECONDS
    assert history.next_reads(0) == FIRST_READS


def test_older_jobs_that_the_store_does_not_list_in_time_are_not_known(
    history: HistoryHarness,
) -> None:
    """A long history must not hide what is active now, and is not read again at once."""
    slow = HistoryHarness(history.streams, slow=True)
    assert slow.first_reads == FIRST_READS
    slow.store.add(job_of(DUMP, uri="urn:active", created=NOW - 2 * DAY))
    for _ in range(3):
        assert slow.next_reads() == ["current"]
        report = slow.report()
        assert (report.store.reachable, report.store.history_problem) == (True, "too slow")
        assert report.streams[0].synced is None
        assert slow.last == ("urn:active", None)
    assert slow.next_reads(HISTORY_SECONDS) == FIRST_READS
    assert slow.report().store.history_problem is None
    assert slow.last == ("urn:active", NOW - 9 * DAY)


# many streams


def harness_of(number: int) -> ReaderHarness:
    return ReaderHarness(tuple(stream_of(f"s{index}") for index in range(number)))


@pytest.mark.parametrize(
    ("number", "detailed"), [(MAX_DETAILED, True), (MAX_DETAILED + 1, False)], ids=["few", "many"]
)
def test_the_report_of_many_streams_lists_no_jobs_and_fire_times_of_a_day(
    number: int, *, detailed: bool
) -> None:
    harness = harness_of(number)
    harness.store.add(job_of(DUMP, Status.SUCCESS, "s1", created=NOW))
    report = harness.report()
    assert report.detailed is detailed
    kinds = [kind for stream in report.streams for kind in stream.kinds]
    for name in ("recent", "passed", "coming"):
        assert any(getattr(kind, name) for kind in kinds) is detailed
    dump = report.streams[1].kinds[2]
    assert dump.last_job
    assert dump.next_fire_time


def test_the_report_of_one_of_many_streams_is_detailed_and_takes_one_more_request() -> None:
    harness = harness_of(MAX_DETAILED + 1)
    harness.store.add(job_of(DUMP, Status.SUCCESS, "s3", created=NOW - 5 * HOUR))
    harness.report()
    harness.store.calls.clear()
    for _ in range(2):
        report = harness.report(harness.streams[3])
        (stream,) = report.streams
        assert report.detailed
        assert [job.created for job in stream.kinds[2].recent] == [NOW - 5 * HOUR]
        assert stream.kinds[1].passed
    assert harness.store.calls == ["current"]


def test_a_store_that_does_not_answer_is_not_asked_for_each_stream() -> None:
    harness = harness_of(MAX_DETAILED + 1)
    harness.store.failures["current"] = [StoreUnavailable("away", sent=False)]
    for stream in harness.streams:
        assert harness.report(stream).store.problem == "away"
    assert harness.store.calls == ["current"]


def test_a_short_report_counts_active_jobs_and_lists_stuck_ones() -> None:
    harness = harness_of(MAX_DETAILED + 1)
    works = (task_of("b", Status.BUSY, modified=NOW),)
    then = NOW - 3 * HOUR
    harness.store.add(
        *(job_of(DUMP, stream="s1", uri=f"urn:{n}", created=then, tasks=works) for n in range(9)),
        replace(stuck_dump(), operation=job_of(DUMP, stream="s1").operation),
    )
    harness.scan_twice()
    dump = harness.report().streams[1].kinds[2]
    assert (dump.active_count, len(dump.active)) == (10, MAX_LISTED_SHORT)
    assert [job.uri for job in dump.active if job.trouble] == ["urn:stuck"]
    dump = harness.report(harness.streams[1]).streams[0].kinds[2]
    assert (dump.active_count, len(dump.active)) == (10, 10)
