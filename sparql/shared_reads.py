"""One read for several pieces of work that ask the same kind of question at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition
from typing import Generic, TypeVar

from jobs.store import Deadline, StoreError

Q = TypeVar("Q")
A = TypeVar("A")
MAX_SHARED = 50  # questions of one read
MAX_WAIT = 0.5  # seconds for the read of another thread


@dataclass(eq=False)
class _Asked(Generic[Q, A]):
    """A question; when it is done, `answers` has its answer, or nothing if the read failed."""

    question: Q
    answers: list[A] = field(default_factory=list)
    done: bool = False


@dataclass(eq=False)
class SharedReads(Generic[Q, A]):
    """Lets threads that ask at the same time share one read.

    The first one reads at once and alone. Those that ask meanwhile wait, and then one of them reads
    for all. A read always begins after the questions that it answers, so that no answer is older
    than its question. A thread that waits too long, or whose shared read fails, reads alone. So no
    thread loses its answer by the deadline or the question of another.
    """

    _changed: Condition = field(default_factory=Condition)
    _waiting: list[_Asked[Q, A]] = field(default_factory=list)
    _busy: bool = False

    def ask(self, question: Q, read: Callable[[Sequence[Q]], Sequence[A]], deadline: Deadline) -> A:
        """Return the answer to a question; `read` returns one answer to each of several.

        Raise what `read` raised in this thread.
        """
        asked = _Asked[Q, A](question)
        batch = self._batch(asked, min(MAX_WAIT, deadline.remaining / 2))
        try:
            if batch:
                self._read(batch, read)
        except StoreError:
            if len(batch) == 1:
                raise
        (answer,) = asked.answers or read([question])
        return answer

    def _batch(self, asked: _Asked[Q, A], seconds: float) -> list[_Asked[Q, A]]:
        """Wait for the answer, or for the turn to read; return what to read for, or nothing."""
        with self._changed:
            self._waiting.append(asked)
            self._changed.wait_for(lambda: asked.done or not self._busy, seconds)
            if asked in self._waiting:
                self._waiting.remove(asked)
            if asked.done or self._busy:
                return []
            self._busy = True
            others, self._waiting = self._waiting[: MAX_SHARED - 1], self._waiting[MAX_SHARED - 1 :]
            return [asked, *others]

    def _read(
        self, batch: Sequence[_Asked[Q, A]], read: Callable[[Sequence[Q]], Sequence[A]]
    ) -> None:
        """Read for several threads, and let them go on."""
        try:
            answers = read([one.question for one in batch])
            for one, answer in zip(batch, answers, strict=True):
                one.answers = [answer]
        finally:
            with self._changed:
                self._busy = False
                for one in batch:
                    one.done = True
                self._changed.notify_all()
