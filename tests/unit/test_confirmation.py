"""How often the store is read to confirm sent jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from tests.support.builders import SECOND
from tests.support.fakes import LOST
from tests.support.patience import PATIENCE
from tests.support.ticking import SIX, SIX_DAILY, OneStream, ticking

MIN_PAUSE = 0.2  # seconds between two wake-ups, as the scheduler has it


@pytest.fixture
def dumps() -> OneStream:
    """Return a stream with a job that was sent and does not arrive."""
    dumps = OneStream(ticking(dump=SIX_DAILY))
    dumps.store.failures["create"] = [LOST]
    dumps.reconcile(SIX)
    return dumps


def confirm_for(dumps: OneStream, seconds: float) -> int:
    """Confirm whenever the scheduler would for some seconds; return the number of reads."""
    end = dumps.clock.elapsed + seconds
    while (at := dumps.confirmation.next_check()) is not None:
        pause = max(at - dumps.clock.elapsed, MIN_PAUSE)
        if dumps.clock.elapsed + pause > end:
            break
        dumps.clock.move_to(dumps.clock.now + pause * SECOND)
        dumps.confirmation.confirm()
    return dumps.store.calls.count("find")


@contextmanager
def held_lock(dumps: OneStream) -> Iterator[None]:
    """Hold the stream's lock in another thread, as a call does that waits for the store."""
    held, release = Event(), Event()

    def hold() -> None:
        with dumps.domain.locks.hold(dumps.stream, dumps.domain.clock.deadline()):
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


def test_few_reads_are_made_while_the_lock_is_taken(dumps: OneStream) -> None:
    with held_lock(dumps):
        assert 2 <= confirm_for(dumps, 20) <= 6


def test_a_sent_job_is_confirmed_when_the_lock_is_free_again(dumps: OneStream) -> None:
    with held_lock(dumps):
        confirm_for(dumps, 5)
    confirm_for(dumps, 10)
    assert dumps.confirmation.next_check() is None


def test_a_store_that_does_not_answer_is_read_less_and_less_often(dumps: OneStream) -> None:
    dumps.store.failures["find"] = [LOST] * 1000
    assert confirm_for(dumps, 60) <= 10
