"""Replicas: which of them writes when, and which writes do nothing if the job exists."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.events import Result
from jobs.model import NewJob, Status
from jobs.ticks.policy import TickPolicy
from tests.support.builders import (
    DAY,
    DUMP,
    HEALING,
    HOUR,
    MINUTE,
    SECOND,
    TestClock,
    job_of,
    tick_job_of,
)
from tests.support.configuring import ENVIRONMENT, loaded
from tests.support.domain import Harness
from tests.support.fakes import LOST, REFUSED, FakeJobStore
from tests.support.ticking import (
    DUMP_AT_SIX,
    POLICY,
    SIX,
    SIX_DAILY,
    START,
    OneStream,
    syncing,
    ticking,
)

DELAY = 3 * MINUTE
REPLICATED = replace(POLICY, replicated=True)


class Replicas:
    """Two replicas on one store; `first` can be stopped."""

    def __init__(self, pattern: str = SIX_DAILY, policy: TickPolicy = REPLICATED) -> None:
        self.clock, self.store = TestClock(now=START), FakeJobStore()
        self.running = True
        self.first, self.second = (
            OneStream(ticking(dump=pattern), replica, self.clock, self.store)
            for replica in (policy, replace(policy, standby_delay=DELAY))
        )

    def run(self, until_after_six: timedelta, every: timedelta = 5 * SECOND) -> None:
        """Let both handle again and again what is due, and each job end at once."""
        while self.clock.now < SIX + until_after_six:
            self.clock.move_to(self.clock.now + every)
            for replica in (self.first, self.second) if self.running else (self.second,):
                replica.reconcile(self.clock.now)
                self._finish()

    def _finish(self) -> None:
        mine = {job.uri for job in self.store.created}
        for uri in mine & self.store.jobs.keys():
            self.store.add(replace(self.store.jobs[uri], status=Status.SUCCESS))


@pytest.fixture
def replicas() -> Replicas:
    return Replicas()


def test_a_standby_replica_creates_no_job_while_the_replica_before_it_works() -> None:
    replicas = Replicas("*/10 * * * *")
    replicas.run(3 * HOUR)
    assert replicas.second.recorded
    assert {event.result for event in replicas.second.recorded} <= {Result.WAITS, Result.DONE}
    assert len(replicas.store.created) == 24


def test_a_standby_replica_acts_when_the_replica_before_it_has_stopped(replicas: Replicas) -> None:
    replicas.running = False
    replicas.run(DELAY - 5 * SECOND)
    assert replicas.store.created == []
    replicas.run(DELAY + 5 * SECOND)
    assert replicas.second.sent == [DUMP_AT_SIX]


def test_a_standby_replica_that_starts_late_first_watches_for_its_delay() -> None:
    """Its delay does not begin at the fire time, since another write may be under way."""
    replicas = Replicas()
    replicas.store.add(tick_job_of(DUMP, SIX - DAY))
    replicas.clock.move_to(SIX + HOUR / 2)
    restarted = replicas.second.restarted()
    restarted.reconcile_often(SIX + HOUR / 2 + DELAY + 5 * SECOND)
    assert replicas.store.created == []
    restarted.reconcile_often(SIX + HOUR / 2 + DELAY + 15 * SECOND)
    assert restarted.sent == [DUMP_AT_SIX]


def test_with_all_defaults_a_write_that_lands_late_is_found_by_the_next_replica() -> None:
    """The first one waits 60 s for its answer; the update may arrive in the 60 s after that."""
    replicas = Replicas(policy=loaded(ENVIRONMENT | {"REPLICA": "0"}).service.domain.policy)
    replicas.second = OneStream(
        replicas.second.stream,
        loaded(ENVIRONMENT | {"REPLICA": "1"}).service.domain.policy,
        replicas.clock,
        replicas.store,
    )
    replicas.run(-5 * SECOND)
    replicas.store.failures["create"] = [LOST]
    replicas.first.reconcile(SIX)
    (late,) = _lost(replicas.first)
    replicas.running = False
    replicas.run(120 * SECOND)
    replicas.store.put(late)
    replicas.run(HOUR)
    assert replicas.store.created == []
    assert replicas.second.recorded[-1].result is Result.DONE


def test_a_standby_replica_waits_for_the_initial_sync_of_the_replica_before_it_too() -> None:
    policy = replace(REPLICATED, standby_delay=DELAY)
    sync = OneStream(syncing(), policy)
    sync.reconcile_often(START + DELAY - SECOND)
    assert sync.store.created == []
    sync.reconcile_often(START + DELAY + 5 * SECOND)
    assert len(sync.store.created) == 1


def test_the_delay_of_a_standby_replica_runs_on_the_monotonic_clock(replicas: Replicas) -> None:
    replicas.running = False
    replicas.run(MINUTE)
    replicas.clock.now += HOUR / 2
    replicas.run(HOUR / 2 + DELAY - 10 * SECOND)
    assert replicas.store.created == []
    replicas.run(HOUR / 2 + DELAY + 10 * SECOND)
    assert replicas.second.sent == [DUMP_AT_SIX]


def test_a_block_that_ends_lets_the_first_replica_act_first(replicas: Replicas) -> None:
    """Both waited for longer than the delay of the second one."""
    replicas.store.add(blocking := job_of(HEALING))
    replicas.run(30 * MINUTE)
    replicas.store.add(replace(blocking, status=Status.SUCCESS))
    replicas.second.reconcile(replicas.clock.now + 2 * MINUTE)
    assert replicas.store.created == []
    replicas.first.reconcile(replicas.clock.now)
    assert replicas.store.guarded == replicas.store.created
    replicas.run(40 * MINUTE)
    assert replicas.first.sent == [DUMP_AT_SIX]


def test_a_store_that_comes_back_lets_the_first_replica_act_first(replicas: Replicas) -> None:
    replicas.store.failures["state"] = [REFUSED] * 1000
    replicas.run(30 * MINUTE)
    replicas.store.failures.clear()
    replicas.second.reconcile(replicas.clock.now + MINUTE)
    assert replicas.store.created == []


def test_a_standby_replica_acts_with_a_period_shorter_than_its_delay() -> None:
    replicas = Replicas("* * * * *")
    replicas.running = False
    replicas.run(-HOUR + DELAY + 2 * MINUTE)
    assert len(replicas.store.created) == 1


def test_a_job_that_did_only_earlier_ticks_does_not_count_for_the_newest_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    replicas = Replicas("* * * * *")
    replicas.second.reconcile(SIX - HOUR + MINUTE)
    replicas.store.add(job := job_of(DUMP, Status.SUCCESS, created=SIX - HOUR + MINUTE))
    replicas.second.reconcile(SIX - HOUR + 2 * MINUTE)
    tick = "tick 2024-01-06T05:02:00+00:00"
    assert f"dump of stream public: {tick}: only earlier ones are done by job {job}" in caplog.text
    assert replicas.second.recorded[-1].result is not Result.DONE


def test_a_delete_at_a_standby_replica_discards_and_records_the_newest_tick(
    replicas: Replicas, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    replicas.clock.move_to(SIX + SECOND)
    replicas.second.reconciler.delete(replicas.second.stream, DUMP)
    text = "dump of stream public: ticks up to 2024-01-06T06:00:00+00:00: cleaned by request"
    assert text in caplog.messages
    event = replicas.second.recorded[-1]
    assert (event.result, event.tick) == (Result.CLEANED, SIX)
    replicas.running = False
    replicas.run(HOUR)
    assert replicas.store.created == []


# -- guarded writes -----------------------------------------------------------------------------


def test_the_first_write_of_a_single_process_is_plain() -> None:
    dumps = OneStream(ticking(dump=SIX_DAILY))
    dumps.reconcile(SIX)
    assert dumps.sent == [DUMP_AT_SIX]
    assert dumps.store.guarded == []


def test_the_write_of_a_replica_is_guarded() -> None:
    dumps = OneStream(ticking(dump=SIX_DAILY), REPLICATED)
    dumps.reconcile(SIX)
    assert dumps.store.guarded == dumps.store.created != []


@pytest.mark.parametrize("policy", [POLICY, REPLICATED], ids=["one process", "a replica"])
def test_the_write_of_a_request_is_plain(policy: TickPolicy) -> None:
    harness = Harness((ticking(dump=SIX_DAILY),), policy=policy)
    harness.creator.request(harness.streams[0], DUMP)
    assert harness.store.created
    assert harness.store.guarded == []


def test_a_second_write_after_a_lost_job_is_guarded() -> None:
    dumps = OneStream(ticking(dump=SIX_DAILY))
    dumps.store.failures["create"] = [LOST]
    dumps.reconcile_often(SIX + MINUTE)
    assert dumps.sent == [DUMP_AT_SIX]
    assert dumps.store.guarded == dumps.store.created


def test_the_tick_after_a_lost_job_is_plain_again() -> None:
    """Its job is another one, for which nothing was written."""
    dumps = OneStream(ticking(dump="0 * * * *"))
    dumps.store.failures["create"] = [LOST]
    dumps.reconcile(SIX)
    dumps.reconcile(SIX + HOUR)
    dumps.reconcile(SIX + HOUR + MINUTE)
    assert [job.created for job in dumps.store.created] == [SIX + HOUR]
    assert dumps.store.guarded == []


def test_the_write_of_a_resumed_tick_is_guarded() -> None:
    """An earlier process may have been stopped while it wrote."""
    dumps = OneStream(ticking(dump="30 4 * * *"))
    dumps.store.add(tick_job_of(DUMP, START - DAY - HOUR / 2))
    dumps.reconciler.resume()
    dumps.reconcile(START + 10 * SECOND)
    assert dumps.store.guarded == dumps.store.created != []


def test_a_guarded_write_leaves_a_job_that_arrived_late_as_it_is() -> None:
    """The first write arrives between the read and the second write."""
    dumps = OneStream(ticking(dump=SIX_DAILY))
    dumps.store.failures["create"] = [LOST]
    dumps.reconcile_often(SIX + 9 * SECOND)
    first = _lost(dumps)[0].uri
    create = dumps.store.create

    def arrive_first(*args: object, **options: object) -> None:
        dumps.store.add(done := job_of(DUMP, Status.SUCCESS, uri=first, created=SIX))
        assert done.tasks == ()
        create(*args, **options)  # type: ignore[arg-type]

    dumps.store.create = arrive_first  # type: ignore[method-assign]
    dumps.reconcile(SIX + 10 * SECOND)
    assert dumps.store.jobs[first].status is Status.SUCCESS


def _lost(dumps: OneStream) -> list[NewJob]:
    """Return the jobs that were sent and not confirmed."""
    (group,) = dumps.reconciler.ticks.values()
    return [ticks.unconfirmed.job for ticks in group if ticks.unconfirmed]
