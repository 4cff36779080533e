"""Two pieces of work for one stream never overlap, and none begins after the service stops."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread

import pytest

from jobs.attempt import Attempt, SentJob
from jobs.locks import StreamLocks
from jobs.model import Stream, Tick
from jobs.rules import AlreadyDone
from jobs.store import Deadline, StoreUnavailable
from tests.support.builders import DUMP, NOW, stream_of
from tests.support.domain import Harness
from tests.support.patience import PATIENCE
from tests.support.service import eventually

PUBLIC, POSTS = stream_of("public"), stream_of("posts")


@pytest.fixture
def locks() -> StreamLocks:
    return StreamLocks([PUBLIC, POSTS])


def within(seconds: float) -> Deadline:
    return Deadline.after(seconds, time.monotonic)


@contextmanager
def held_by_another_thread(locks: StreamLocks, stream: Stream) -> Iterator[None]:
    held, release = Event(), Event()

    def hold() -> None:
        with locks.hold(stream, within(PATIENCE)):
            held.set()
            release.wait(PATIENCE)

    thread = Thread(target=hold)
    thread.start()
    assert held.wait(PATIENCE)
    try:
        yield
    finally:
        release.set()
        thread.join(PATIENCE)


def test_a_lock_that_is_not_free_in_time_is_reported(locks: StreamLocks) -> None:
    with (
        held_by_another_thread(locks, PUBLIC),
        pytest.raises(StoreUnavailable, match="stream public: an earlier call still runs") as busy,
        locks.hold(PUBLIC, within(0)),
    ):
        pass
    assert not busy.value.in_doubt


def is_refused(take: Callable[[Stream, Deadline], AbstractContextManager[None]]) -> bool:
    """Return whether the lock of a stream cannot be held, or shared, at once."""
    try:
        with take(PUBLIC, within(0)):
            return False
    except StoreUnavailable:
        return True


def test_work_that_reads_nothing_shares_a_lock(locks: StreamLocks) -> None:
    with locks.share(PUBLIC, within(0)):
        assert not is_refused(locks.share)
        assert is_refused(locks.hold)
    assert not is_refused(locks.hold)


def test_a_lock_that_is_held_is_not_shared(locks: StreamLocks) -> None:
    with held_by_another_thread(locks, PUBLIC):
        assert is_refused(locks.share)
    assert not is_refused(locks.share)


def test_work_that_wants_a_lock_alone_goes_before_work_that_shares_it(locks: StreamLocks) -> None:
    held = Event()

    def hold() -> None:
        with locks.hold(PUBLIC, within(PATIENCE)):
            held.set()

    with locks.share(PUBLIC, within(0)):
        thread = Thread(target=hold)
        thread.start()
        eventually(lambda: is_refused(locks.share), "a thread that waits to hold the lock")
        assert not held.is_set()
    assert held.wait(PATIENCE)
    thread.join(PATIENCE)


def test_closing_waits_for_work_that_shares_a_lock(locks: StreamLocks) -> None:
    with locks.share(PUBLIC, within(0)):
        assert not locks.close(within(0))
    assert locks.close(within(0))
    with pytest.raises(StoreUnavailable, match="stopping"), locks.share(PUBLIC, within(0)):
        pass


def test_streams_do_not_wait_for_each_other(locks: StreamLocks) -> None:
    with held_by_another_thread(locks, PUBLIC), locks.hold(POSTS, within(0)):
        pass


def test_a_lock_is_free_again_after_work_that_failed(locks: StreamLocks) -> None:
    with pytest.raises(ZeroDivisionError), locks.hold(PUBLIC, within(0)):
        raise ZeroDivisionError
    with held_by_another_thread(locks, PUBLIC):
        pass


def test_no_work_begins_after_closing() -> None:
    harness = Harness((PUBLIC,))
    assert harness.domain.locks.close(within(0))
    assert harness.domain.locks.closed
    with pytest.raises(StoreUnavailable, match="stopping"):
        harness.creator.request(PUBLIC, DUMP)
    assert not harness.store.calls


def test_work_that_waits_for_a_lock_is_refused_after_closing(locks: StreamLocks) -> None:
    refusals: list[str] = []

    def work() -> None:
        with pytest.raises(StoreUnavailable) as refusal, locks.hold(PUBLIC, within(PATIENCE)):
            pass
        refusals.append(str(refusal.value))

    waiting = Thread(target=work)
    with held_by_another_thread(locks, PUBLIC):
        waiting.start()
        assert not locks.close(within(0)), "work still runs"
    waiting.join(PATIENCE)
    assert refusals == ["the service is stopping"]


def test_closing_waits_for_running_work(locks: StreamLocks) -> None:
    ended: list[bool] = []
    closing = Thread(target=lambda: ended.append(locks.close(within(PATIENCE))))
    with held_by_another_thread(locks, POSTS):
        closing.start()
        while not locks.closed:
            time.sleep(0.001)
        assert not ended
    closing.join(PATIENCE)
    assert ended == [True]


def test_of_several_tries_of_one_tick_at_once_only_one_sends_a_job() -> None:
    harness = Harness((PUBLIC,))
    outcomes: list[type] = []

    def run() -> None:
        with harness.domain.locks.hold(PUBLIC, within(PATIENCE)):
            attempt = Attempt(since=NOW, write=True, guarded=False, alone=True, fresh_until=None)
            outcome = harness.creator.create_for_tick(Tick(PUBLIC, DUMP, NOW), attempt)
            outcomes.append(type(outcome))

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [SentJob, *[AlreadyDone] * 7]
