"""Threads that ask at the same time share one read; each gets its own answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from threading import Event

import pytest

from jobs.store import Deadline, StoreError, StoreUnavailable
from sparql import shared_reads
from sparql.shared_reads import MAX_SHARED, SharedReads
from tests.support.patience import PATIENCE
from tests.support.sparql_store import soon

Reads = SharedReads[int, str]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine, many threads take longer than half a second to ask."""
    monkeypatch.setattr(shared_reads, "MAX_WAIT", PATIENCE)


class Reader:
    """Answers each question with its text, once it is released; the batches are noted."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.began, self.released = Event(), Event()
        self.error: Exception | None = None

    def __call__(self, questions: Sequence[int]) -> list[str]:
        self.batches.append(list(questions))
        self.began.set()
        assert self.released.wait(PATIENCE)
        if self.error and len(questions) > 1:
            raise self.error
        return [str(question) for question in questions]


def asked_together(reads: Reads, reader: Reader, number: int) -> list[Future[str]]:
    """Ask one question, and others while it is read; return all answers, which are there."""
    with ThreadPoolExecutor(number + 1) as pool:
        first = pool.submit(reads.ask, 0, reader, soon())
        assert reader.began.wait(PATIENCE)
        others = [pool.submit(reads.ask, one, reader, soon()) for one in range(1, number + 1)]
        wait_until(lambda: len(reads._waiting) == number)  # noqa: SLF001
        reader.released.set()
        return [first, *others]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_single_question_is_read_at_once() -> None:
    reader = Reader()
    reader.released.set()
    assert Reads().ask(7, reader, soon()) == "7"
    assert reader.batches == [[7]]


def test_questions_that_come_during_a_read_share_the_next_one() -> None:
    reader = Reader()
    answers = asked_together(Reads(), reader, 20)
    assert [one.result() for one in answers] == [str(number) for number in range(21)]
    assert [sorted(batch) for batch in reader.batches] == [[0], list(range(1, 21))]


def test_very_many_questions_are_read_in_several_batches() -> None:
    reader = Reader()
    answers = asked_together(Reads(), reader, MAX_SHARED + 5)
    assert len({one.result() for one in answers}) == MAX_SHARED + 6
    assert [len(batch) for batch in reader.batches] == [1, MAX_SHARED, 5]


def test_threads_whose_shared_read_fails_read_alone() -> None:
    """Its deadline, or the question of another thread, may be why it failed."""
    reads, reader = Reads(), Reader()
    reader.error = StoreError("no")
    first, *others = asked_together(reads, reader, 3)
    assert first.result() == "0"
    assert sorted(map(len, reader.batches)) == [1, 1, 1, 1, 3]
    assert [one.result() for one in others] == ["1", "2", "3"]


def test_a_thread_that_waits_too_long_reads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read may hang for a minute, and another thread have seconds."""
    monkeypatch.setattr(shared_reads, "MAX_WAIT", 0.0)
    reads, reader = Reads(), Reader()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(reads.ask, 0, reader, soon())
        assert reader.began.wait(PATIENCE)
        assert reads.ask(1, lambda one: [f"alone {one}"], soon()) == "alone [1]"
        assert reads._waiting == []  # noqa: SLF001
        reader.released.set()
        assert first.result() == "0"
    assert reader.batches == [[0]]


def test_a_thread_whose_shared_read_takes_too_long_reads_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_reads, "MAX_WAIT", 0.5)
    reads, reader, released = Reads(), Reader(), Event()

    def read(questions: Sequence[int]) -> list[str]:
        if len(questions) > 1:
            assert released.wait(PATIENCE)
        return [f"{one} of {len(questions)}" for one in questions]

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(reads.ask, 0, reader, soon())
        assert reader.began.wait(PATIENCE)
        others = [pool.submit(reads.ask, one, read, soon()) for one in (1, 2)]
        reader.released.set()
        hasty = next(as_completed(others, PATIENCE))
        assert hasty.result() in ("1 of 1", "2 of 1")
        released.set()
        assert first.result() == "0"
    assert [one.result()[0] for one in others] == ["1", "2"]


def test_a_thread_without_time_is_told_so_by_its_own_read() -> None:
    def read(_questions: Sequence[int]) -> list[str]:
        raise StoreUnavailable("no time was left", sent=False)

    with pytest.raises(StoreUnavailable, match="no time was left"):
        Reads().ask(1, read, Deadline.after(0, time.monotonic))
