"""Every tick ends as one job or as a recorded reason why not, whatever the store does."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from jobs.error_reports import ErrorReport
from jobs.events import Result
from jobs.model import Status, Stream
from jobs.rules import Refuse
from jobs.store import StoreError
from jobs.ticks.policy import MAX_COUNTED
from tests.support.builders import (
    DAY,
    DUMP,
    HEALING,
    HOUR,
    INITIAL_SYNC,
    MINUTE,
    SECOND,
    job_of,
    operation,
    stream_of,
    tick_job_of,
)
from tests.support.fakes import LOST, REFUSED
from tests.support.ticking import (
    DUMP_AT_SIX,
    HEALING_AT_SIX,
    POLICY,
    SIX,
    SIX_DAILY,
    START,
    OneStream,
    syncing,
    ticking,
)


@pytest.fixture
def dumps() -> OneStream:
    return OneStream(ticking(dump=SIX_DAILY))


@pytest.fixture
def both() -> OneStream:
    return OneStream(ticking(dump=SIX_DAILY, healing=SIX_DAILY))


def test_a_tick_creates_one_job_at_its_fire_time(
    dumps: OneStream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    dumps.reconcile(SIX - SECOND)
    assert dumps.sent == []
    for after in (0 * SECOND, SECOND, HOUR):
        dumps.reconcile(SIX + after)
        assert dumps.sent == [DUMP_AT_SIX]
    (uri,) = dumps.store.jobs
    tick = "dump of stream public: tick 2024-01-06T06:00:00+00:00"
    assert caplog.messages == [
        f"{tick}: trying to create a job",
        f"{tick}: created job {uri}",
        f"{tick}: done by job {uri}",
    ]
    about = {"stream": "public", "kind": "dump", "tick": SIX.isoformat(), "job": uri}
    assert caplog.records[-1].__dict__["about"] == about


def test_a_tick_is_tried_again_after_the_store_was_absent(dumps: OneStream) -> None:
    dumps.store.failures["state"] = [REFUSED, REFUSED]
    for seconds in (0, 1, 3):
        dumps.reconcile(SIX + seconds * SECOND)
    assert dumps.sent == [DUMP_AT_SIX]
    assert dumps.reported() == []


def test_a_blocked_tick_gets_its_job_when_the_blocking_job_is_gone(dumps: OneStream) -> None:
    dumps.store.add(job_of(HEALING))
    dumps.reconcile(SIX)
    assert dumps.sent == []
    dumps.store.jobs.clear()
    dumps.reconcile(SIX + 30 * MINUTE)
    assert dumps.sent == [DUMP_AT_SIX]


def test_a_missed_tick_leaves_one_error_with_its_reason(dumps: OneStream) -> None:
    dumps.store.add(blocking := job_of(HEALING))
    for minutes in range(0, 130, 10):
        dumps.reconcile(SIX + minutes * MINUTE)
    (error,) = dumps.reported()
    assert error.job == blocking.uri
    assert error.message == (
        "dump of stream public: tick 2024-01-06T06:00:00+00:00: missed: "
        f"active: {blocking.uri} (busy)"
    )
    assert dumps.sent == []


def test_no_tick_counts_as_missed_while_the_store_is_away(
    dumps: OneStream, caplog: pytest.LogCaptureFixture
) -> None:
    """Only a read that shows no job proves it: another replica may have created the job."""
    dumps.store.failures["state"] = [REFUSED] * 1000
    dumps.reconcile_often(SIX + 3 * HOUR, MINUTE)
    assert "missed" not in caplog.text
    dumps.store.failures.clear()
    dumps.reconcile(SIX + 3 * HOUR + MINUTE)
    (error,) = dumps.reported()
    assert error.message.endswith("missed: refused")
    assert dumps.sent == []


def test_a_tick_whose_job_another_process_created_while_the_store_was_away_is_done(
    dumps: OneStream, caplog: pytest.LogCaptureFixture
) -> None:
    dumps.store.failures["state"] = [REFUSED] * 1000
    dumps.reconcile_often(SIX + 3 * HOUR, MINUTE)
    dumps.store.failures.clear()
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=SIX))
    dumps.reconcile(SIX + 3 * HOUR + MINUTE)
    assert "missed" not in caplog.text
    assert dumps.recorded[-1].result is Result.DONE


def test_a_job_that_arrives_just_before_the_window_closes_is_found(dumps: OneStream) -> None:
    dumps.store.add(blocking := job_of(HEALING))
    dumps.reconcile_often(SIX + HOUR - 2 * SECOND)
    dumps.store.add(replace(blocking, status=Status.SUCCESS))
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=SIX))
    dumps.reconcile(SIX + HOUR)
    assert dumps.recorded[-1].result is Result.DONE
    assert dumps.reported() == []


def test_hourly_missed_ticks_leave_one_error_with_their_number_and_reason() -> None:
    """A tick fires at the instant at which the window of the first one closes."""
    dumps = OneStream(ticking(dump="0 * * * *"), replace(POLICY, window=6 * HOUR))
    dumps.store.add(blocking := job_of(HEALING))
    for minutes in range(7 * 60):
        dumps.reconcile(SIX + minutes * MINUTE)
    (error,) = dumps.reported()
    assert error.job == blocking.uri
    text = f"missed, with 6 others since 2024-01-06T06:00:00+00:00: active: {blocking.uri}"
    assert text in error.message


def test_an_error_of_resumed_ticks_names_the_first_of_them() -> None:
    dumps = OneStream(ticking(dump="0 * * * *"))
    dumps.store.add(tick_job_of(DUMP, START - 9 * HOUR), job_of(HEALING))
    dumps.reconciler.resume()
    dumps.reconcile_often(SIX, MINUTE)
    (error,) = dumps.reported()
    assert "missed, with 9 others since 2024-01-05T21:00:00+00:00: active" in error.message


def test_a_restart_stores_no_second_error_with_a_false_reason(
    dumps: OneStream, caplog: pytest.LogCaptureFixture
) -> None:
    """The successor of a process knows only that it was not running itself."""
    caplog.set_level(logging.INFO)
    dumps.store.add(tick_job_of(DUMP, SIX - DAY), blocking := job_of(HEALING))
    dumps.reconcile_often(SIX + HOUR, MINUTE)
    assert len(dumps.reported()) == 1
    dumps.store.add(replace(blocking, status=Status.SUCCESS))
    successor = dumps.restarted()
    successor.reconcile_often(SIX + 2 * HOUR, MINUTE)
    (error,) = successor.reported()
    assert "active" in error.message
    assert "reported before: tick 2024-01-06T06:00:00+00:00: missed: it was left over" in (
        caplog.text
    )


def test_a_new_tick_is_tried_although_the_window_of_an_old_one_has_closed(
    dumps: OneStream,
) -> None:
    """The machine was suspended for two days."""
    dumps.reconcile(SIX + 2 * DAY + 10 * MINUTE)
    assert [job.created for job in dumps.store.created] == [SIX + 2 * DAY]


def test_an_error_is_stored_when_the_store_is_back(dumps: OneStream) -> None:
    dumps.store.failures = {"state": [REFUSED] * 2, "find_errors": [REFUSED]}
    dumps.reconcile(SIX)
    dumps.reconcile(SIX + HOUR)
    dumps.reconcile(SIX + HOUR + MINUTE)
    assert dumps.reported() == []
    assert "refused" in dumps.reported()[0].message


def test_nothing_is_sent_again_until_a_lost_answer_has_settled(dumps: OneStream) -> None:
    dumps.store.failures["create"] = [LOST]
    for seconds in range(10):
        dumps.reconcile(SIX + seconds * SECOND)
    assert dumps.store.calls.count("create") == 1
    dumps.reconcile(SIX + 10 * SECOND)
    assert dumps.sent == [DUMP_AT_SIX]


def test_an_update_that_arrives_after_its_answer_was_lost_is_not_repeated(
    dumps: OneStream,
) -> None:
    dumps.store.late_failures["create"] = [LOST]
    for seconds in (0, 2, 10):
        dumps.reconcile(SIX + seconds * SECOND)
    assert dumps.sent == [DUMP_AT_SIX]


@pytest.mark.parametrize("window", [HOUR, timedelta(0)], ids=["an hour", "no window"])
def test_a_store_that_lies_gets_fewer_and_fewer_writes_for_one_tick(window: timedelta) -> None:
    """It reports success, but stores nothing."""
    sync = OneStream(syncing(), replace(POLICY, window=window, settle_time=MINUTE))
    sync.reconcile(START)
    (uri,) = sync.store.jobs
    sync.store.swallows.add(uri)
    sync.store.jobs.clear()
    sync.reconcile_often(START + 10 * HOUR, 5 * SECOND)
    writes = len(sync.store.created)
    assert 6 <= writes <= 18, "after 1, 2, 4, 8 … minutes, and then about once an hour"
    assert {job.uri for job in sync.store.created} == {uri}


class Everything(set[str]):
    """Contains each text."""

    def __contains__(self, _: object) -> bool:
        return True


def pauses_between_writes(one: OneStream, until: datetime) -> list[float]:
    """Let time pass with a store that reports success but stores nothing."""
    one.store.swallows = Everything()
    moments: list[float] = []
    while one.clock.now < until:
        before = len(one.store.created)
        one.reconcile(one.clock.now + SECOND)
        moments += [one.clock.elapsed] * (len(one.store.created) - before)
    return [later - earlier for earlier, later in pairwise(moments)]


@pytest.mark.parametrize(
    "stream", [syncing(), ticking(dump=SIX_DAILY)], ids=["an initial sync", "a dump"]
)
def test_each_write_for_one_tick_comes_later_than_the_one_before(stream: Stream) -> None:
    one = OneStream(stream, replace(POLICY, window=12 * HOUR, settle_time=MINUTE))
    pauses = pauses_between_writes(one, SIX + 6 * HOUR)
    assert 60 <= pauses[0] < 65
    assert all(later > 1.9 * earlier for earlier, later in pairwise(pauses[:6]))
    assert min(pauses[6:]) > 3500


def test_ticks_of_every_second_bring_at_most_one_write_per_settle_time() -> None:
    dumps = OneStream(ticking(dump="* * * * * *"), replace(POLICY, settle_time=MINUTE))
    pauses = pauses_between_writes(dumps, START + HOUR / 3)
    assert len(pauses) > 10
    assert min(pauses) >= 60


def test_without_a_window_a_tick_is_written_once_although_the_store_lies() -> None:
    dumps = OneStream(ticking(dump=SIX_DAILY), replace(POLICY, window=timedelta(0)))
    dumps.store.failures["create"] = [LOST]
    dumps.reconcile_often(SIX + HOUR)
    assert dumps.store.calls.count("create") == 1
    (error,) = dumps.reported()
    assert error.message.endswith("missed: the job was sent, but never stored")


def test_without_a_window_no_tick_is_written_while_a_job_of_the_stream_is_in_doubt() -> None:
    policy = replace(POLICY, window=timedelta(0))
    both = OneStream(ticking(dump=SIX_DAILY, healing=SIX_DAILY), policy)
    both.reconcile(SIX)
    assert both.sent == [HEALING_AT_SIX]


def test_a_job_that_was_never_stored_despite_a_reported_success_is_sent_again(
    dumps: OneStream, caplog: pytest.LogCaptureFixture
) -> None:
    other = OneStream(dumps.stream)
    other.reconcile(SIX)
    (uri,) = other.store.jobs
    dumps.store.swallows.add(uri)
    dumps.reconcile(SIX)
    dumps.reconcile(SIX + 5 * SECOND)
    assert dumps.sent == [DUMP_AT_SIX]
    dumps.store.swallows.clear()
    dumps.reconcile(SIX + 10 * SECOND)
    assert dumps.sent == [DUMP_AT_SIX] * 2
    assert f"job {uri} was never stored" in caplog.text


def test_a_job_whose_task_is_missing_is_confirmed_when_the_settle_time_is_over(
    dumps: OneStream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    dumps.reconcile(SIX)
    (job,) = dumps.store.jobs.values()
    dumps.store.add(replace(job, tasks=()))
    dumps.reconcile(SIX + 9 * SECOND)
    assert dumps.recorded == []
    dumps.reconcile(SIX + 10 * SECOND)
    assert caplog.messages[-1].endswith(f"done by job {job}, whose task is still missing")
    assert [event.result for event in dumps.recorded] == [Result.CREATED]


def test_an_unreadable_answer_does_not_mean_that_a_job_is_absent(dumps: OneStream) -> None:
    dumps.store.failures = {"create": [LOST], "find": [StoreError("HTML")] * 2}
    dumps.reconcile(SIX)
    dumps.reconcile(SIX + 30 * SECOND)
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
def test_a_stream_sends_nothing_while_one_of_its_jobs_is_in_doubt(
    patterns: dict[str, str],
) -> None:
    stream = OneStream(ticking(**patterns))
    stream.store.failures["create"] = [LOST]
    for seconds in range(10):
        stream.reconcile(SIX + seconds * SECOND)
    assert stream.store.calls.count("create") == 1


def test_of_two_ticks_at_one_instant_the_healing_goes_first(both: OneStream) -> None:
    both.reconcile(SIX)
    assert both.sent == [HEALING_AT_SIX]
    both.reconcile(SIX + 2 * SECOND)
    both.finish_jobs()
    both.reconcile(SIX + MINUTE)
    assert both.sent == [HEALING_AT_SIX, DUMP_AT_SIX]


def test_a_sent_job_is_confirmed_at_once_if_another_tick_waits(both: OneStream) -> None:
    both.reconcile(SIX)
    both.recorded.clear()
    both.reconciler.reconcile(both.stream)
    assert [(event.kind, event.result) for event in both.recorded] == [(HEALING, Result.CREATED)]


def test_dumps_wait_behind_a_healing_that_waits_for_a_job() -> None:
    both = OneStream(ticking(dump="* * * * *", healing=SIX_DAILY))
    both.store.add(job_of(INITIAL_SYNC))
    both.reconcile(SIX)
    both.store.jobs.clear()
    both.reconcile(SIX + 30 * SECOND)
    assert both.sent == [HEALING_AT_SIX]


def test_dumps_of_a_short_period_do_not_keep_an_initial_sync_waiting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    both = OneStream(stream_of(patterns={DUMP: "* * * * * *"}))
    both.store.add(blocking := job_of(HEALING))
    both.reconcile(START + SECOND)
    both.store.jobs.clear()
    both.reconcile(START + 1.01 * SECOND)
    assert both.sent == []
    reason = f"behind the initial sync, which waits: active: {blocking} (busy)"
    assert f"waits: {reason}" in caplog.text
    both.reconcile(START + 3 * SECOND)
    assert both.sent == [f"{operation(INITIAL_SYNC)} 05:00:00"]


def test_a_delete_forgets_the_errors_that_wait_about_its_jobs(dumps: OneStream) -> None:
    dumps.store.add(job := job_of(DUMP))
    report = ErrorReport(
        stream=dumps.stream, kind=DUMP, subject=job.uri, cause="a", at=SIX, message="b", job=job
    )
    dumps.reporter.report(report)
    dumps.reconciler.delete(dumps.stream, DUMP)
    assert dumps.reported() == []


def test_a_delete_that_leaves_jobs_still_discards_the_pending_ticks(dumps: OneStream) -> None:
    dumps.store.add(job_of(DUMP, uri="b0"))
    dumps.reconcile(SIX)
    with pytest.raises(StoreError, match="1 job cannot be removed"):
        dumps.reconciler.delete(dumps.stream, DUMP)
    dumps.store.jobs.clear()
    dumps.reconcile_often(SIX + 10 * MINUTE, MINUTE)
    assert dumps.sent == []
    assert dumps.recorded[-1].result is Result.CLEANED


def test_dumps_do_not_wait_behind_a_healing_that_lacks_an_initial_sync() -> None:
    patterns = {HEALING: SIX_DAILY, DUMP: SIX_DAILY}
    both = OneStream(stream_of(patterns=patterns, disabled=[INITIAL_SYNC]))
    both.reconcile(SIX)
    assert both.sent == [DUMP_AT_SIX]


def test_a_job_created_by_another_completes_a_waiting_tick(dumps: OneStream) -> None:
    dumps.store.failures["state"] = [REFUSED]
    dumps.reconcile(SIX)
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=SIX + SECOND))
    dumps.reconcile(SIX + MINUTE)
    dumps.reconcile(SIX + 2 * HOUR)
    assert dumps.sent == []
    assert dumps.reported() == []


def test_deleting_jobs_discards_the_waiting_ticks_of_their_kind_only(
    both: OneStream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    both.store.failures["state"] = [REFUSED, REFUSED]
    both.reconcile(SIX)
    both.reconciler.delete(both.stream, DUMP)
    text = "dump of stream public: ticks up to 2024-01-06T06:00:00+00:00: cleaned by request"
    assert text in caplog.messages
    both.reconcile(SIX + MINUTE)
    both.finish_jobs()
    both.reconcile(SIX + 2 * MINUTE)
    assert both.sent == [HEALING_AT_SIX]


def test_a_deletion_that_fails_discards_no_tick_and_is_not_recorded(dumps: OneStream) -> None:
    dumps.store.failures = {"state": [REFUSED], "deletable_jobs": [REFUSED]}
    dumps.reconcile(SIX)
    with pytest.raises(StoreError, match="refused"):
        dumps.reconciler.delete(dumps.stream, DUMP)
    assert Result.CLEANED not in {event.result for event in dumps.recorded}
    dumps.reconcile(SIX + MINUTE)
    assert dumps.sent == [DUMP_AT_SIX]


def test_a_deletion_during_a_confirming_read_discards_the_sent_tick(
    dumps: OneStream, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_nothing_after_a_deletion(_: object) -> tuple[()]:
        dumps.reconciler.delete(dumps.stream, DUMP)
        return ()

    dumps.reconcile(SIX)
    monkeypatch.setattr(dumps.store, "find", find_nothing_after_a_deletion)
    dumps.reconcile(SIX + 10 * SECOND)
    assert dumps.sent == [DUMP_AT_SIX]
    assert "never stored" not in caplog.text


def test_a_tick_that_the_rules_refuse_is_logged_with_the_plain_reason(
    dumps: OneStream, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    refusal = Refuse("dump is disabled")
    monkeypatch.setattr(dumps.creator, "create_for_tick", lambda *_, **__: refusal)
    dumps.reconcile(SIX)
    tick = "dump of stream public: tick 2024-01-06T06:00:00+00:00"
    assert caplog.messages[-1] == f"{tick}: refused: dump is disabled"
    (event,) = dumps.recorded
    assert (event.result, event.reason) == (Result.REFUSED, "dump is disabled")
    assert dumps.reconciler.next_retry(dumps.stream) is None


def test_an_initial_sync_is_created_once_at_a_start() -> None:
    sync = OneStream(syncing())
    sync.reconcile(START)
    assert [job.job_operation for job in sync.store.created] == [operation(INITIAL_SYNC)]
    sync.reconcile(START + 2 * SECOND)
    sync.finish_jobs()
    sync.reconcile(START + HOUR)
    assert len(sync.sent) == 1


def test_a_blocked_initial_sync_is_created_when_the_blocking_job_is_gone() -> None:
    sync = OneStream(syncing())
    sync.store.add(job_of(DUMP))
    sync.reconcile(START)
    assert sync.sent == []
    sync.store.jobs.clear()
    sync.reconcile(START + MINUTE)
    assert len(sync.sent) == 1


@pytest.mark.parametrize("window", [HOUR, timedelta(0)], ids=["an hour", "no window"])
def test_an_initial_sync_is_never_given_up_and_its_error_comes_once_a_day(
    window: timedelta,
) -> None:
    sync = OneStream(syncing(), replace(POLICY, window=window))
    sync.store.add(blocking := job_of(DUMP))
    sync.reconcile_often(START + 60 * HOUR, 10 * MINUTE)
    periods = [error.created for error in sync.reported()]
    assert len(periods) == 3
    assert all(later - earlier >= DAY for earlier, later in pairwise(periods))
    sync.store.add(replace(blocking, status=Status.SUCCESS))
    sync.reconcile(START + 61 * HOUR)
    assert [job.job_operation for job in sync.store.created] == [operation(INITIAL_SYNC)]


def test_an_unexpected_error_loses_no_tick(
    dumps: OneStream, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(dumps.store, "state", lambda *_: 1 / 0)
        dumps.reconcile(SIX)
    assert "ZeroDivisionError" in caplog.text
    dumps.reconcile(SIX + MINUTE)
    assert dumps.sent == [DUMP_AT_SIX]


def test_the_next_retry_and_confirmation_are_known(dumps: OneStream) -> None:
    assert dumps.reconciler.next_retry(dumps.stream) is None
    assert dumps.confirmation.next_check() is None
    dumps.store.failures["state"] = [REFUSED]
    dumps.reconcile(SIX)
    assert dumps.reconciler.next_retry(dumps.stream) == dumps.clock.elapsed + 1
    dumps.reconcile(SIX + SECOND)
    assert dumps.reconciler.next_retry(dumps.stream) is None
    assert dumps.confirmation.next_check() == dumps.clock.elapsed + 1
    dumps.reconcile(SIX + 2 * SECOND)
    assert dumps.confirmation.next_check() is None


def test_ticks_beyond_those_that_are_counted_are_logged_as_or_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    dumps = OneStream(ticking(dump="* * * * * *"))
    dumps.store.add(job_of(DUMP, created=START - DAY))
    dumps.reconcile(START + SECOND)
    dumps.reconcile(START + MAX_COUNTED * SECOND)
    assert f"supersedes {MAX_COUNTED - 1} earlier ones since " in caplog.text
    dumps.reconcile(START + 3 * MAX_COUNTED * SECOND)
    assert f"supersedes {MAX_COUNTED} or more earlier ones since " in caplog.text
    dumps.reconcile(START + 3 * MAX_COUNTED * SECOND + DAY)
    assert re.search(r": missed, with \d+ or more others since ", caplog.text)
