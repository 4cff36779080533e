"""Every tick ends as one job or as a recorded reason why not, whatever the store does."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from jobs.agenda import Policy
from jobs.model import Status, Stream
from jobs.store import StoreError, StoreUnavailable
from tests.builders import DUMP, HEALING, INITIAL_SYNC, World, at, job_of, operation, stream_of
from tests.harness import Harness

START = at("2024-01-06T05:00:00")
SIX = at("2024-01-06T06:00:00")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
REFUSED = StoreUnavailable("refused", sent=False)
LOST = StoreUnavailable("no answer", sent=True)
POLICY = Policy(window=HOUR, settle=10 * SECOND, longest_pause=MINUTE)


class OneStream(Harness):
    """The settler of one stream."""

    def __init__(self, stream: Stream, policy: Policy = POLICY) -> None:
        super().__init__((stream,), World(now=START, policy=policy))
        self.stream = stream

    def look(self, now: datetime) -> None:
        """Let the time come and the settler do what is due."""
        self.world.now = now
        self.settler.confirm()
        self.settler.look(self.stream)

    @property
    def made(self) -> list[str]:
        return [f"{job.job_operation} {job.created:%H:%M:%S}" for job in self.store.created]

    def finish(self) -> None:
        """Do the work of every job there is."""
        done = [replace(job, status=Status.SUCCESS) for job in self.store.jobs.values()]
        self.store.add(*done)


def daily(**patterns: str) -> Stream:
    names = {"healing": HEALING, "dump": DUMP}
    return stream_of(
        patterns={names[name]: text for name, text in patterns.items()},
        disabled=[INITIAL_SYNC],
        healing_waits=False,
    )


def dump(text: str) -> str:
    return f"{operation(DUMP)} {text}"


def healing(text: str) -> str:
    return f"{operation(HEALING)} {text}"


@pytest.fixture
def dumps() -> OneStream:
    return OneStream(daily(dump="0 6 * * *"))


def test_a_tick_makes_a_job(dumps: OneStream) -> None:
    dumps.look(SIX - SECOND)
    assert dumps.made == []
    dumps.look(SIX)
    assert dumps.made == [dump("06:00:00")]
    dumps.look(SIX + SECOND)
    dumps.look(SIX + HOUR)
    assert dumps.made == [dump("06:00:00")]


def test_a_tick_that_meets_a_store_that_is_away_is_tried_again(dumps: OneStream) -> None:
    dumps.store.failures["state"] = [REFUSED, REFUSED]
    dumps.look(SIX)
    dumps.look(SIX + SECOND)
    dumps.look(SIX + 3 * SECOND)
    assert dumps.made == [dump("06:00:00")]
    assert dumps.reported() == []


def test_a_tick_that_is_blocked_gets_its_job_when_the_block_ends(dumps: OneStream) -> None:
    dumps.store.add(job_of(HEALING, uri="http://example.org/healing"))
    dumps.look(SIX)
    assert dumps.made == []
    del dumps.store.jobs["http://example.org/healing"]
    dumps.look(SIX + 30 * MINUTE)
    assert dumps.made == [dump("06:00:00")]


def test_a_tick_whose_window_closes_leaves_one_error_with_the_reason(dumps: OneStream) -> None:
    blocking = job_of(HEALING)
    dumps.store.add(blocking)
    for minutes in range(0, 130, 10):
        dumps.look(SIX + minutes * MINUTE)
    (error,) = dumps.reported()
    assert error.job == blocking.uri
    assert "tick 2024-01-06T06:00:00+00:00: missed, with 0 others" in error.message
    assert blocking.uri in error.message
    assert dumps.made == []


def test_an_hourly_error_tells_the_reason_and_the_job_in_the_way() -> None:
    """A tick comes at the very instant at which the window of the first one closes."""
    dumps = OneStream(daily(dump="0 * * * *"), replace(POLICY, window=6 * HOUR))
    dumps.store.add(blocking := job_of(HEALING))
    for minutes in range(7 * 60):
        dumps.look(SIX + minutes * MINUTE)
    (error,) = dumps.reported()
    assert error.job == blocking.uri
    assert f"with 6 others since 2024-01-06T06:00:00+00:00: active: {blocking.uri}" in error.message


def test_a_young_tick_is_tried_even_where_an_old_one_closes_the_window() -> None:
    """The machine slept for days."""
    dumps = OneStream(daily(dump="0 6 * * *"))
    dumps.look(SIX + 48 * HOUR + 10 * MINUTE)
    assert [job.created for job in dumps.store.created] == [SIX + 48 * HOUR]


def test_an_error_waits_for_the_store_too(dumps: OneStream) -> None:
    dumps.store.failures["state"] = [REFUSED] * 5
    dumps.store.failures["recorded"] = [REFUSED]
    dumps.look(SIX)
    dumps.look(SIX + HOUR)
    assert dumps.reported() == []
    dumps.store.add(job_of(DUMP))
    dumps.look(SIX + 25 * HOUR)
    dumps.look(SIX + 26 * HOUR)
    assert "refused" in dumps.reported()[0].message


def test_a_lost_answer_is_left_alone_until_it_is_known(dumps: OneStream) -> None:
    dumps.store.failures["create"] = [LOST]
    dumps.look(SIX)
    for seconds in range(1, 10):
        dumps.look(SIX + seconds * SECOND)
    assert dumps.store.calls.count("create") == 1
    dumps.look(SIX + 10 * SECOND)
    assert dumps.made == [dump("06:00:00")]


def test_a_lost_answer_whose_update_arrives_late_is_not_repeated(dumps: OneStream) -> None:
    twin = OneStream(daily(dump="0 6 * * *"))
    twin.look(SIX)
    dumps.store.failures["create"] = [LOST]
    dumps.look(SIX)
    dumps.store.add(*twin.store.jobs.values())
    dumps.look(SIX + 2 * SECOND)
    dumps.look(SIX + 10 * SECOND)
    assert dumps.made == []


def test_a_lie_of_the_store_is_found_out(
    dumps: OneStream, caplog: pytest.LogCaptureFixture
) -> None:
    twin = OneStream(daily(dump="0 6 * * *"))
    twin.look(SIX)
    (uri,) = twin.store.jobs
    dumps.store.swallows.add(uri)
    dumps.look(SIX)
    dumps.look(SIX + 5 * SECOND)
    assert len(dumps.made) == 1
    dumps.store.swallows.clear()
    dumps.look(SIX + 10 * SECOND)
    assert dumps.made == [dump("06:00:00")] * 2
    assert f"job {uri} was never stored" in caplog.text


def test_an_unreadable_answer_means_unknown_and_never_absent(dumps: OneStream) -> None:
    dumps.store.failures["create"] = [LOST]
    dumps.look(SIX)
    dumps.store.failures["find"] = [StoreError("HTML")] * 2
    dumps.look(SIX + 30 * SECOND)
    assert dumps.store.calls.count("create") == 1
    assert dumps.store.calls.count("find") > 0


@pytest.mark.parametrize(
    "patterns",
    [
        {"healing": "0 0 6 * * *", "dump": "2 0 6 * * *"},
        {"dump": "0 0 6 * * *", "healing": "2 0 6 * * *"},
    ],
    ids=["healing first", "dump first"],
)
def test_nothing_of_the_stream_is_written_while_a_write_is_in_doubt(
    patterns: dict[str, str],
) -> None:
    both = OneStream(daily(**patterns))
    both.store.failures["create"] = [LOST]
    both.look(SIX)
    for seconds in range(1, 10):
        both.look(SIX + seconds * SECOND)
    assert both.store.calls.count("create") == 1


def test_of_two_ticks_at_one_instant_the_healing_goes_first() -> None:
    both = OneStream(daily(dump="0 6 * * *", healing="0 6 * * *"))
    both.look(SIX)
    assert both.made == [healing("06:00:00")]
    both.look(SIX + 2 * SECOND)
    both.finish()
    both.look(SIX + MINUTE)
    assert both.made == [healing("06:00:00"), dump("06:00:00")]


def test_dumps_wait_behind_a_healing_that_waits_for_a_job() -> None:
    both = OneStream(daily(dump="* * * * *", healing="0 6 * * *"))
    both.store.add(job_of(INITIAL_SYNC, uri="http://example.org/sync"))
    both.look(SIX)
    both.store.jobs.clear()
    both.world.now = SIX + 30 * SECOND
    both.settler.look(both.stream)
    assert both.made == [healing("06:00:00")]


def test_dumps_do_not_wait_behind_a_healing_that_lacks_an_initial_sync() -> None:
    stream = stream_of(patterns={HEALING: "0 6 * * *", DUMP: "0 6 * * *"}, disabled=[INITIAL_SYNC])
    both = OneStream(stream)
    both.look(SIX)
    assert both.made == [dump("06:00:00")]


def test_a_job_that_a_person_made_settles_a_waiting_tick(dumps: OneStream) -> None:
    dumps.store.failures["state"] = [REFUSED]
    dumps.look(SIX)
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=SIX + SECOND))
    dumps.look(SIX + MINUTE)
    assert dumps.made == []
    dumps.look(SIX + 2 * HOUR)
    assert dumps.reported() == []


def test_cleaning_settles_waiting_ticks(dumps: OneStream) -> None:
    dumps.store.failures["state"] = [REFUSED]
    dumps.look(SIX)
    dumps.settler.clean(dumps.stream, DUMP)
    dumps.look(SIX + MINUTE)
    assert dumps.made == []


def test_cleaning_leaves_the_ticks_of_other_kinds() -> None:
    both = OneStream(daily(dump="0 6 * * *", healing="0 6 * * *"))
    both.store.failures["state"] = [REFUSED, REFUSED]
    both.look(SIX)
    both.settler.clean(both.stream, HEALING)
    both.look(SIX + MINUTE)
    assert both.made == [dump("06:00:00")]


def test_a_sync_is_made_once_at_a_start() -> None:
    harness = OneStream(stream_of(patterns={}))
    harness.look(START)
    assert [job.job_operation for job in harness.store.created] == [operation(INITIAL_SYNC)]
    harness.look(START + 2 * SECOND)
    harness.finish()
    harness.look(START + HOUR)
    assert len(harness.made) == 1


def test_a_sync_that_is_blocked_is_made_when_the_block_ends() -> None:
    harness = OneStream(stream_of(patterns={}))
    harness.store.add(job_of(DUMP))
    harness.look(START)
    assert harness.made == []
    harness.store.jobs.clear()
    harness.look(START + MINUTE)
    assert len(harness.made) == 1


def test_what_a_predecessor_left_is_taken_up_when_its_writes_have_settled() -> None:
    dumps = OneStream(daily(dump="30 4 * * *"))
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=START - 24 * HOUR))
    dumps.settler.inherit()
    dumps.look(START + 9 * SECOND)
    assert dumps.made == []
    dumps.look(START + 10 * SECOND)
    assert dumps.made == [dump("04:30:00")]


@pytest.mark.parametrize("delay", [timedelta(0), 2 * HOUR], ids=["slot 0", "another slot"])
def test_a_first_start_catches_nothing_up(delay: timedelta) -> None:
    dumps = OneStream(daily(dump="30 4 * * *"), replace(POLICY, delay=delay))
    dumps.settler.inherit()
    for minutes in range(1, 180, 10):
        dumps.look(START + minutes * MINUTE)
    assert dumps.made == []


def test_a_start_names_the_job_that_did_the_newest_tick(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    dumps = OneStream(daily(dump="30 4 * * *"))
    later = START - 10 * MINUTE
    dumps.store.add(made := job_of(DUMP, Status.SUCCESS, created=later))
    dumps.settler.inherit()
    assert f"tick 2024-01-06T04:30:00+00:00: done by job {made}" in caplog.text
    dumps.look(START + HOUR / 2)
    assert dumps.made == []


def test_what_is_too_old_at_a_start_is_missed() -> None:
    dumps = OneStream(daily(dump="0 3 * * *"))
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=START - 24 * HOUR))
    dumps.settler.inherit()
    dumps.look(START)
    (error,) = dumps.reported()
    assert "not running, or the pattern changed" in error.message


def test_ticks_of_a_time_without_the_service_are_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    dumps = OneStream(daily(dump="*/10 * * * *"))
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=START - HOUR))
    dumps.settler.inherit()
    text = "tick 2024-01-06T05:00:00+00:00 supersedes 5 earlier ones since 2024-01-06T04:10:00"
    assert text in caplog.text


def test_an_unforeseen_error_costs_no_tick(
    dumps: OneStream, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(dumps.store, "state", lambda *_: 1 / 0)
        dumps.look(SIX)
    assert "ZeroDivisionError" in caplog.text
    dumps.look(SIX + MINUTE)
    assert dumps.made == [dump("06:00:00")]


def test_it_says_when_it_wants_to_look_again(dumps: OneStream) -> None:
    assert dumps.settler.next_look(dumps.stream) is None
    assert dumps.settler.next_confirmation() is None
    dumps.store.failures["state"] = [REFUSED]
    dumps.look(SIX)
    assert dumps.settler.next_look(dumps.stream) == SIX + SECOND
    dumps.look(SIX + SECOND)
    assert dumps.settler.next_look(dumps.stream) is None
    assert dumps.settler.next_confirmation() == SIX + 2 * SECOND
    dumps.look(SIX + 2 * SECOND)
    assert dumps.settler.next_confirmation() is None
