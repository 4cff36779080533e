"""One read for several pieces of work that ask the same kind of question at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition
from typing import Generic, TypeVar, cast

from jobs.store import Deadline, StoreUnavailable

Q = TypeVar("Q")
A = TypeVar("A")
MAX_SHARED = 50  # questions of one read


@dataclass(eq=False)
class _Asked(Generic[Q, A]):
    question: Q
    answer: A | None = None
    error: Exception | None = None
    done: bool = False

    def result(self) -> A:
        if self.error:
            raise self.error
        return cast("A", self.answer)


@dataclass(eq=False)
class SharedReads(Generic[Q, A]):
    """Lets threads that ask at the same time share one read.

    The first one reads at once and alone. Those that ask meanwhile wait, and then one of them reads
    for all. A read always begins after the questions that it answers, so that no answer is older
    than its question.
    """

    _changed: Condition = field(default_factory=Condition)
    _waiting: list[_Asked[Q, A]] = field(default_factory=list)
    _busy: bool = False

    def ask(self, question: Q, read: Callable[[Sequence[Q]], Sequence[A]], deadline: Deadline) -> A:
        """Return the answer to a question; `read` returns one answer to each of several.

        Raise what `read` raised, or `StoreUnavailable` at the deadline.
        """
        asked = _Asked[Q, A](question)
        with self._changed:
            self._waiting.append(asked)
        while batch := self._next_batch(asked, deadline):
            error = _answer(batch, read)
            late = isinstance(error, StoreUnavailable) and not deadline.remaining
            with self._changed:
                if late:  # the others may have more time
                    left = [*batch, *self._waiting]
                    self._waiting = [one for one in left if one is not asked]
                else:
                    _end(batch, error)
                self._busy = False
                self._changed.notify_all()
            if error and late:
                raise error
        return asked.result()

    def _next_batch(self, asked: _Asked[Q, A], deadline: Deadline) -> list[_Asked[Q, A]]:
        """Wait for the answer, or for the turn to read; return what to read, or nothing."""
        with self._changed:
            free = self._changed.wait_for(lambda: asked.done or not self._busy, deadline.remaining)
            if not free:
                if asked in self._waiting:
                    self._waiting.remove(asked)
                raise StoreUnavailable("the store did not answer in time", sent=False)
            if asked.done:
                return []
            self._busy = True
            batch, self._waiting = self._waiting[:MAX_SHARED], self._waiting[MAX_SHARED:]
            return batch


def _answer(
    batch: Sequence[_Asked[Q, A]], read: Callable[[Sequence[Q]], Sequence[A]]
) -> Exception | None:
    """Read the answers; return why that failed."""
    try:
        answers = read([asked.question for asked in batch])
    except Exception as error:  # noqa: BLE001 - each thread raises it where it asked
        return error
    for asked, answer in zip(batch, answers, strict=True):
        asked.answer = answer
    return None


def _end(batch: Sequence[_Asked[Q, A]], error: Exception | None) -> None:
    """Let the threads go on that asked, with their answers or with the error."""
    for asked in batch:
        asked.error = error
        asked.done = True
