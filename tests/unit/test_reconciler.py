"""Every tick ends as one job or as a recorded reason why not, whatever the store does."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from jobs.events import Result
from jobs.model import Status, Stream
from jobs.rules import Refuse
from jobs.store import StoreError
from jobs.ticks.policy import TickPolicy
from tests.support.builders import (
    DAY,
    DUMP,
    HEALING,
    HOUR,
    INITIAL_SYNC,
    MINUTE,
    SECOND,
    TestClock,
    at,
    job_of,
    operation,
    stream_of,
)
from tests.support.domain import Harness
from tests.support.fakes import LOST, REFUSED

START, SIX = at("2024-01-06T05:00:00"), at("2024-01-06T06:00:00")
SIX_DAILY = "0 6 * * *"
POLICY = TickPolicy(window=HOUR, settle_time=10 * SECOND, max_pause=MINUTE)


class OneStream(Harness):
    """The reconciler of one stream."""

    def __init__(self, stream: Stream, policy: TickPolicy = POLICY) -> None:
        super().__init__((stream,), TestClock(now=START), policy=policy)
        self.stream = stream

    def reconcile(self, now: datetime) -> None:
        """Set the clock, confirm what was sent, and handle what is due."""
        self.clock.now = now
        self.reconciler.confirm()
        self.reconciler.reconcile(self.stream)

    @property
    def sent(self) -> list[str]:
        """The jobs that were sent, as operation and time."""
        return [f"{job.job_operation} {job.created:%H:%M:%S}" for job in self.store.created]

    def finish_jobs(self) -> None:
        """Set every job to success."""
        done = [replace(job, status=Status.SUCCESS) for job in self.store.jobs.values()]
        self.store.add(*done)


def ticking(**patterns: str) -> Stream:
    """Return a stream without an initial sync, with these cron patterns."""
    kinds = {"healing": HEALING, "dump": DUMP}
    return stream_of(
        patterns={kinds[name]: text for name, text in patterns.items()},
        disabled=[INITIAL_SYNC],
        healing_waits=False,
    )


DUMP_AT_SIX = f"{operation(DUMP)} 06:00:00"
HEALING_AT_SIX = f"{operation(HEALING)} 06:00:00"


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
    monkeypatch.setattr(dumps.creator, "create_for_tick", lambda *_: Refuse("dump is disabled"))
    dumps.reconcile(SIX)
    tick = "dump of stream public: tick 2024-01-06T06:00:00+00:00"
    assert caplog.messages[-1] == f"{tick}: refused: dump is disabled"
    (event,) = dumps.recorded
    assert (event.result, event.reason) == (Result.REFUSED, "dump is disabled")
    assert dumps.reconciler.next_retry(dumps.stream) is None


def test_an_initial_sync_is_created_once_at_a_start() -> None:
    sync = OneStream(stream_of(patterns={}))
    sync.reconcile(START)
    assert [job.job_operation for job in sync.store.created] == [operation(INITIAL_SYNC)]
    sync.reconcile(START + 2 * SECOND)
    sync.finish_jobs()
    sync.reconcile(START + HOUR)
    assert len(sync.sent) == 1


def test_a_blocked_initial_sync_is_created_when_the_blocking_job_is_gone() -> None:
    sync = OneStream(stream_of(patterns={}))
    sync.store.add(job_of(DUMP))
    sync.reconcile(START)
    assert sync.sent == []
    sync.store.jobs.clear()
    sync.reconcile(START + MINUTE)
    assert len(sync.sent) == 1


def test_a_tick_of_an_earlier_process_is_resumed_after_the_settle_time() -> None:
    dumps = OneStream(ticking(dump="30 4 * * *"))
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=START - DAY))
    dumps.reconciler.resume()
    dumps.reconcile(START + 9 * SECOND)
    assert dumps.sent == []
    dumps.reconcile(START + 10 * SECOND)
    assert dumps.sent == [f"{operation(DUMP)} 04:30:00"]


@pytest.mark.parametrize("delay", [timedelta(0), 2 * HOUR], ids=["slot 0", "another slot"])
def test_a_first_start_resumes_nothing(delay: timedelta) -> None:
    dumps = OneStream(ticking(dump="30 4 * * *"), replace(POLICY, standby_delay=delay))
    dumps.reconciler.resume()
    for minutes in range(1, 180, 10):
        dumps.reconcile(START + minutes * MINUTE)
    assert dumps.sent == []


def test_a_start_names_the_newest_job_that_did_the_newest_tick(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    dumps = OneStream(ticking(dump="30 4 * * *"))
    older, newest = (
        job_of(DUMP, status, created=START - minutes * MINUTE)
        for status, minutes in ((Status.BUSY, 20), (Status.SUCCESS, 10))
    )
    dumps.store.add(newest, older)
    dumps.reconciler.resume()
    tick = "dump of stream public: tick 2024-01-06T04:30:00+00:00"
    assert caplog.messages == [f"{tick}: done by job {newest}"]
    (event,) = dumps.recorded
    assert (event.result, event.job) == (Result.DONE, newest.uri)
    dumps.reconcile(START + HOUR / 2)
    assert dumps.sent == []


def test_a_tick_whose_window_closed_before_the_start_is_missed() -> None:
    dumps = OneStream(ticking(dump="0 3 * * *"))
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=START - DAY))
    dumps.reconciler.resume()
    dumps.reconcile(START)
    (error,) = dumps.reported()
    assert "not running, or the pattern changed" in error.message


def test_ticks_that_fired_while_the_service_was_down_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    dumps = OneStream(ticking(dump="*/10 * * * *"))
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=START - HOUR))
    dumps.reconciler.resume()
    tick, since = "2024-01-06T05:00:00+00:00", "2024-01-06T04:10:00+00:00"
    text = f"dump of stream public: tick {tick} supersedes 5 earlier ones since {since}"
    assert caplog.messages == [text]


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
    assert dumps.reconciler.next_confirmation() is None
    dumps.store.failures["state"] = [REFUSED]
    dumps.reconcile(SIX)
    assert dumps.reconciler.next_retry(dumps.stream) == SIX + SECOND
    dumps.reconcile(SIX + SECOND)
    assert dumps.reconciler.next_retry(dumps.stream) is None
    assert dumps.reconciler.next_confirmation() == SIX + 2 * SECOND
    dumps.reconcile(SIX + 2 * SECOND)
    assert dumps.reconciler.next_confirmation() is None
