"""The facts behind page, JSON and metrics: read in few queries, once for all who look."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from jobs import cron
from jobs.initiator import Surroundings
from jobs.journal import Journal
from jobs.model import Job, JobKind, Status, Stream
from jobs.store import StoreUnavailable
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests.builders import DUMP, HEALING, INITIAL_SYNC, NOW, World, at, job_of, stream_of, task_of
from tests.canned import Canned, answer
from tests.fakes import FakeJobStore
from tests.harness import Harness
from web.assembly import DAY, FireTimes
from web.board import FRESH_SECONDS, READ_SECONDS, Board
from web.health import Health
from web.report import MOST_LISTED

if TYPE_CHECKING:
    from jobs.store import Deadline, JobStore
    from web.report import KindReport, StatusReport

HOUR = timedelta(hours=1)
READS = ["active", "recent", "newest", "find"]


@dataclass
class Looker:
    """A board on a store in memory, with a clock that the test moves."""

    streams: tuple[Stream, ...] = (stream_of(),)
    store: FakeJobStore = field(default_factory=FakeJobStore)
    seconds: float = 60

    def __post_init__(self) -> None:
        self.world = World(seconds=self.seconds)
        self.harness = Harness(self.streams, world=self.world, store=self.store)
        self.board = board_of(self.store, self.harness.about, self.streams, self.harness)

    def report(self, only: Stream | None = None) -> StatusReport:
        return self.board.report(only)

    def kind(self, kind: JobKind) -> KindReport:
        (stream,) = self.report().streams
        return next(report for report in stream.kinds if report.kind == kind.slug)


def board_of(
    store: JobStore, world: Surroundings, streams: tuple[Stream, ...], harness: Harness
) -> Board:
    return Board(
        streams=streams,
        endpoint="http://database:8890/sparql",
        zone=ZoneInfo("Europe/Brussels"),
        store=store,
        world=world,
        journal=Journal(),
        watchdog=harness.watchdog,
        health=Health(lambda: True, lambda: True),
        started=NOW,
    )


def jobs_of_every_kind(*names: str) -> list[Job]:
    return [
        job_of(kind, status, name, uri=f"urn:{name}:{kind.name}:{status.name}", created=NOW)
        for name in names
        for kind in JobKind
        for status in Status
    ]


@pytest.mark.parametrize("count", [1, 50])
def test_it_reads_the_store_as_often_whatever_the_number_of_streams_and_jobs(count: int) -> None:
    names = [f"s{number}" for number in range(count)]
    looker = Looker(tuple(stream_of(name) for name in names))
    looker.store.add(*jobs_of_every_kind(*names))
    assert len(looker.report().streams) == count
    assert looker.store.calls == READS


def test_one_stream_is_read_like_all_of_them() -> None:
    one, other = stream_of("one"), stream_of("other")
    looker = Looker((one, other))
    assert [stream.name for stream in looker.report(other).streams] == ["other"]
    assert [stream.name for stream in looker.report().streams] == ["one", "other"]
    assert looker.store.calls == READS[:3], "no job, so nothing to look for"


def test_a_reading_serves_everybody_for_a_second() -> None:
    looker = Looker()
    looker.report()
    looker.store.add(job_of(DUMP))
    looker.world.clock += FRESH_SECONDS
    assert not looker.kind(DUMP).active
    looker.world.clock += 0.01
    assert looker.kind(DUMP).active


def test_the_process_itself_is_never_shown_as_it_was_a_second_ago() -> None:
    looker = Looker()
    first = looker.report()
    looker.world.now += HOUR
    second = looker.report()
    assert (first.now, second.now) == (NOW, NOW + HOUR)
    assert (first.uptime_seconds, second.uptime_seconds) == (0, 3600)
    assert looker.store.calls == READS[:3]


def test_a_store_that_is_away_is_not_asked_by_everybody_either() -> None:
    looker = Looker()
    looker.store.failures["active"] = [StoreUnavailable("away", sent=False)]
    assert looker.report().store.problem == "away"
    assert looker.report().store.problem == "away"
    assert looker.store.calls == ["active"]
    looker.world.clock += 2 * FRESH_SECONDS
    assert looker.report().store.reachable


def test_a_clock_that_has_just_begun_is_no_reading() -> None:
    """A monotonic clock may begin anywhere, near zero in a machine that has just started."""
    looker = Looker()
    looker.store.add(job_of(DUMP))
    looker.world.clock = FRESH_SECONDS / 2
    assert looker.kind(DUMP).active


@pytest.mark.parametrize(("seconds", "bound"), [(60, READ_SECONDS), (2, 2)])
def test_all_reads_of_a_look_share_a_short_time(seconds: float, bound: float) -> None:
    """A call may take a minute; who looks is not made to wait that long."""
    left = list[float]()

    class Slow(FakeJobStore):
        def _called(self, name: str, deadline: Deadline) -> None:
            left.append(deadline.remaining)
            looker.world.clock += 0.5
            super()._called(name, deadline)

    looker = Looker(store=Slow(), seconds=seconds)
    looker.store.add(job_of(DUMP, created=NOW))
    looker.report()
    assert left == [bound, bound - 0.5, bound - 1, bound - 1.5]


@pytest.fixture
def hanging() -> Any:
    """A store that says something all the time and never comes to an end."""
    body = b" " * 1000
    with Canned(answer(body=body), pause=0.1) as server:
        yield server


def test_a_store_that_hangs_holds_no_look_for_longer_than_three_seconds(hanging: Canned) -> None:
    url, harness = hanging.endpoint, Harness((stream_of(),))
    client = SparqlClient(query_url=url, update_url=url, new_call_id=lambda: "a", retry_waits=())
    world = World().surroundings()
    object.__setattr__(world, "monotonic", time.monotonic)
    board = board_of(SparqlJobStore(client), world, harness.streams, harness)
    looks: list[StatusReport] = []
    took: list[float] = []

    def look() -> None:
        began = time.monotonic()
        looks.append(board.report())
        took.append(time.monotonic() - began)

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert max(took) < READ_SECONDS + 0.9
    assert {report.store.reachable for report in looks} == {False}
    assert {report.store.problem for report in looks} == {f"{url} did not answer in time"}
    assert len(hanging.requests) == 1, "the others waited for the one that asked"


def test_who_looks_at_the_same_time_waits_for_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    looker, entered, go = Looker(), Event(), Event()
    active = looker.store.active

    def hold(*args: Any) -> tuple[Job, ...]:
        entered.set()
        go.wait(10)
        return active(*args)

    monkeypatch.setattr(looker.store, "active", hold)
    threads = [Thread(target=looker.report) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert entered.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert looker.store.calls == READS[:3]


def no(*_: object) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize("read", ["active", "recent", "newest"])
def test_what_nobody_foresaw_is_logged_and_the_rest_is_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, read: str
) -> None:
    looker = Looker()
    monkeypatch.setattr(looker.store, read, no)
    report = looker.report()
    assert not report.store.reachable
    assert report.store.problem == "an error in the service itself; its log has more"
    assert report.streams[0].kinds[2].next_fire_time
    assert "ZeroDivisionError" in caplog.text


def test_a_ping_that_fails_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looker = Looker()
    assert looker.board.store_problem() is None
    looker.store.failures["ping"] = [StoreUnavailable("away", sent=False)]
    assert looker.board.store_problem() == "away"
    assert not caplog.records
    monkeypatch.setattr(looker.store, "ping", no)
    assert looker.board.store_problem() == "an error in the service itself; its log has more"
    assert "ZeroDivisionError" in caplog.text


def test_the_last_job_is_the_newest_with_its_last_sign_of_life() -> None:
    looker = Looker()
    looker.store.add(
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
    report = looker.kind(DUMP)
    assert report.last_job
    assert (report.last_job.uri, report.last_job.status) == ("urn:new", "failed")
    assert report.last_job.modified == NOW - HOUR
    assert report.last_success == NOW - 3 * HOUR
    assert looker.kind(HEALING).last_job is None


def test_a_last_job_that_was_removed_in_between_is_shown_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looker = Looker()
    gone = job_of(DUMP, Status.SUCCESS, uri="urn:gone", created=NOW - 2 * HOUR, modified=NOW - HOUR)
    looker.store.add(gone)
    monkeypatch.setattr(looker.store, "find", lambda *_: ())
    last = looker.kind(DUMP).last_job
    assert last
    assert (last.uri, last.created, last.modified) == ("urn:gone", gone.created, gone.created)


def test_a_job_from_the_future_is_not_the_last_one() -> None:
    looker = Looker()
    looker.store.add(
        job_of(DUMP, Status.SUCCESS, uri="urn:now", created=NOW),
        job_of(DUMP, Status.SUCCESS, uri="urn:future", created=NOW + HOUR),
    )
    last = looker.kind(DUMP).last_job
    assert last
    assert last.uri == "urn:now"


def test_a_status_that_nobody_knows_is_told_as_unknown() -> None:
    looker = Looker()
    known = job_of(DUMP, created=NOW - HOUR)
    looker.store.add(Job(uri="urn:odd", operation=known.operation, status=None, created=NOW))
    report = looker.kind(DUMP)
    assert report.last_job
    assert (report.last_job.uri, report.last_job.status) == ("urn:odd", "unknown")
    assert [job.status for job in report.recent] == ["unknown"]
    assert report.active == ()
    assert report.last_success is None


@pytest.mark.parametrize(
    ("kind", "status"), list(product(JobKind, Status)), ids=lambda value: value.name
)
def test_a_stream_is_synced_by_what_healings_take_for_that(kind: JobKind, status: Status) -> None:
    looker = Looker()
    looker.store.add(job_of(kind, status, created=NOW - HOUR))
    synced = kind in (INITIAL_SYNC, HEALING) and status is Status.SUCCESS
    assert looker.report().streams[0].synced is synced


def test_while_the_store_is_away_nobody_knows_whether_a_stream_is_synced() -> None:
    looker = Looker()
    looker.store.failures["newest"] = [StoreUnavailable("away", sent=False)]
    assert looker.report().streams[0].synced is None


def test_a_stream_without_operations_reads_nothing_amiss() -> None:
    looker = Looker((stream_of(unconfigured=[*JobKind]),))
    assert [kind.last_job for kind in looker.report().streams[0].kinds] == [None] * 3


BRUSSELS = ZoneInfo("Europe/Brussels")


@pytest.mark.parametrize(
    "pattern", ["* * * * * *", "*/7 * * * *", "0 * * * *", "30 2 * * *", "0 0 1 1 *"]
)
def test_fire_times_that_are_remembered_are_those_of_the_schedule(pattern: str) -> None:
    """However far the clock goes between two looks, even backwards, and over its changes."""
    schedule, remembered = cron.parse(pattern, BRUSSELS), FireTimes()
    steps = [0, 1, 59, 3600, -7200, 3 * 86_400, 7, -86_400, 90_000, 40 * 86_400]
    now = at("2024-03-30T00:30:00.250")
    for step in steps:
        now += timedelta(seconds=step)
        expected = [schedule.next_after(now)]
        while len(expected) < MOST_LISTED and expected[-1] <= now + DAY:
            expected.append(schedule.next_after(expected[-1]))
        passed, coming = remembered.around(now, schedule)
        assert coming == expected
        assert passed == FireTimes().around(now, schedule)[0]


def test_fire_times_are_not_found_anew_at_each_look(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[datetime] = []
    looker = Looker((stream_of(patterns={DUMP: "*/7 * * * *"}),))
    next_after = cron.Schedule.next_after

    def counted(schedule: cron.Schedule, instant: datetime) -> datetime:
        found.append(instant)
        return next_after(schedule, instant)

    monkeypatch.setattr(cron.Schedule, "next_after", counted)
    first = looker.kind(DUMP)
    assert len(found) == MOST_LISTED
    looker.world.now += timedelta(minutes=7)
    second = looker.kind(DUMP)
    assert len(found) == MOST_LISTED + 1
    assert second.coming[:-1] == first.coming[1:]
    assert second.next_fire_time == first.coming[1]
