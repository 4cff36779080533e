"""Threads that ask at the same time share one read; each gets its own answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from jobs.store import Deadline, StoreError, StoreUnavailable
from sparql.shared_reads import MAX_SHARED, SharedReads
from tests.support.patience import PATIENCE
from tests.support.sparql_store import soon

Reads = SharedReads[int, str]


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
        if self.error and len(self.batches) == 2:
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


def test_an_error_reaches_only_those_that_shared_the_read() -> None:
    reads, reader = Reads(), Reader()
    reader.error = StoreError("no")
    first, *others = asked_together(reads, reader, 3)
    assert first.result() == "0"
    assert [str(one.exception()) for one in others] == ["no"] * 3
    assert reads.ask(9, reader, soon()) == "9"


def test_a_question_whose_deadline_passes_is_given_up_and_the_others_go_on() -> None:
    reads, reader = Reads(), Reader()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(reads.ask, 0, reader, soon())
        assert reader.began.wait(PATIENCE)
        with pytest.raises(StoreUnavailable):
            reads.ask(1, reader, Deadline.after(0, time.monotonic))
        reader.released.set()
        assert first.result() == "0"
    assert reads.ask(2, reader, soon()) == "2"
    assert reader.batches == [[0], [2]]


def test_a_thread_whose_time_is_over_fails_alone() -> None:
    """The one that waited first reads for both, within its own time."""
    reads, reader, elapsed = Reads(), Reader(), [0.0]

    def read_too_long(_questions: Sequence[int]) -> list[str]:
        elapsed[0] = PATIENCE
        raise StoreUnavailable("its time is over", sent=True)

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(reads.ask, 0, reader, soon())
        assert reader.began.wait(PATIENCE)
        deadline = Deadline.after(PATIENCE, lambda: elapsed[0])
        hasty = pool.submit(reads.ask, 1, read_too_long, deadline)
        wait_until(lambda: len(reads._waiting) == 1)  # noqa: SLF001
        other = pool.submit(reads.ask, 2, reader, soon())
        wait_until(lambda: len(reads._waiting) == 2)  # noqa: SLF001
        reader.released.set()
    assert [first.result(), other.result()] == ["0", "2"]
    assert hasty.exception() or hasty.result() == "1"
