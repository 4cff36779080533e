"""Creating a job: read the stream's state, decide, write once, and say what came of it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, assert_never

from jobs.model import AlreadyDone, Create, ErrorResource, NewJob, Refuse, Trigger, Wait
from jobs.rules import decide, timed_out
from jobs.store import Deadline, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, timedelta

    from jobs.model import Decision, Job, JobKind, Stream, StreamState, Tick
    from jobs.store import JobStore

_log = logging.getLogger(__name__)

# Virtuoso stores literals of more than 4,096 characters aside, as files: stay below.
MESSAGE_LIMIT = 4000


@dataclass(frozen=True)
class Outcome:
    """What was decided and, where a job was created, its URI."""

    decision: Decision
    job_uri: str | None = None


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the initiator needs of the world besides the store.

    `now` gives aware instants and `monotonic` seconds that never jump; `new_id` an id that nobody
    had before. `seconds` bounds one piece of work with all its requests. `job_timeout` is how
    long an active job may be silent before it is failed; None lets it be silent for ever.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    new_id: Callable[[], str]
    seconds: float
    job_timeout: timedelta | None = None

    def deadline(self) -> Deadline:
        """Return the deadline of a piece of work that begins now."""
        return Deadline.after(self.seconds, self.monotonic)


class Initiator:
    """Creates and cleans jobs, one piece of work per stream at a time."""

    def __init__(self, streams: Iterable[Stream], store: JobStore, world: Surroundings) -> None:
        self._store = store
        self._world = world
        self._turns = {stream.name: Lock() for stream in streams}
        self._seen: dict[str | None, dict[str, datetime]] = {}

    def initiate(self, stream: Stream, kind: JobKind, trigger: Trigger) -> Outcome:
        """Create a job of `kind` if the rules allow it; raise `StoreError` where the store fails.

        What a tick or a startup has to wait for is logged and stored as an error resource; a
        person is told in the answer.
        """
        _log.info("%s of %s: trying to create a job (%s)", kind.value, stream, trigger.value)
        deadline = self._world.deadline()
        with self._turn(stream, deadline):
            decision = decide(kind, stream, self._state(stream, deadline), trigger)
            match decision:
                case Create():
                    return Outcome(decision, self._create(stream, kind, deadline))
                case Wait():
                    self._report(stream, decision.reason, decision.blocking, deadline)
                case AlreadyDone() | Refuse():
                    _log.info("%s of %s: no job: %s", kind.value, stream, decision.reason)
                case _:
                    assert_never(decision)
        return Outcome(decision)

    def settle(self, tick: Tick) -> None:
        """Take up a tick; what goes wrong is logged and, where possible, stored as an error."""
        stream, kind = tick.stream, tick.kind
        _log.info("%s of %s: tick of %s", kind.value, stream, tick.fire_time.isoformat())
        try:
            self.initiate(stream, kind, Trigger.TICK)
        except Exception as error:  # noqa: BLE001 - no failure may take later ticks with it
            if not isinstance(error, StoreError):
                _log.exception("a tick failed in an unforeseen way")
            self.failed(stream, kind, error)

    def failed(self, stream: Stream, kind: JobKind, error: Exception) -> None:
        """Log that a job nobody waits for could not be created, and store that as an error."""
        message = f"{kind.value} of {stream}: no job could be created: {error}"
        self._report(stream, message, (), self._world.deadline())

    def clean(self, stream: Stream, kind: JobKind) -> tuple[str, ...]:
        """Remove all jobs of a kind and their tasks, running ones too, and return the jobs' URIs.

        Raise `LookupError` where no operation is configured for the kind, `StoreError` where the
        store fails.
        """
        operation = stream.plan(kind).job_operation
        if operation is None:
            raise LookupError(f"{stream} has no {kind.value} job operation, so no such jobs")
        deadline = self._world.deadline()
        with self._turn(stream, deadline):
            jobs = self._store.jobs_of(operation, deadline)
            self._store.delete(jobs, deadline)
        _log.info("%s of %s: cleaned %s jobs by request", kind.value, stream, len(jobs))
        return jobs

    def close(self, seconds: float) -> bool:
        """Let no work begin any more; return whether what was under way ended within `seconds`."""
        deadline = Deadline.after(seconds, self._world.monotonic)
        return all(turn.acquire(timeout=deadline.remaining) for turn in self._turns.values())

    def _create(self, stream: Stream, kind: JobKind, deadline: Deadline) -> str:
        plan = stream.plan(kind)
        if plan.job_operation is None:
            raise LookupError(f"{kind.value} of {stream} is enabled without a job operation")
        job = NewJob(
            job_id=self._world.new_id(),
            task_id=self._world.new_id(),
            graph=stream.jobs_graph,
            job_operation=plan.job_operation,
            task_operation=plan.task_operation,
            created=self._world.now(),
        )
        try:
            self._store.create(job, deadline)
        except StoreUnavailable as error:
            if not error.sent:
                raise
            doubt = f"{error}; the {kind.value} job {job.uri} may have been created all the same"
            raise StoreUnavailable(doubt, sent=True) from error
        _log.info("%s of %s: created job %s", kind.value, stream, job.uri)
        return job.uri

    def _state(self, stream: Stream, deadline: Deadline) -> StreamState:
        """Read the stream's state, after failing the jobs that were silent for too long."""
        state = self._store.state(stream, deadline)
        timeout = self._world.job_timeout
        if timeout is None:
            return state
        now = self._world.now()
        before = self._seen.get(stream.name, {})
        seen = {job.uri: before.get(job.uri, now) for job in state.active}
        self._seen[stream.name] = seen
        silent = timed_out(state.active, seen, timeout, now)
        for job in silent:
            self._fail(stream, job, timeout, deadline)
        return replace(state, active=tuple(job for job in state.active if job not in silent))

    def _fail(self, stream: Stream, job: Job, timeout: timedelta, deadline: Deadline) -> None:
        self._store.fail(job, self._world.now(), deadline)
        minutes = int(timeout.total_seconds() // 60)
        message = (
            f"{job} gave no sign of life for {minutes} minutes (JOB_TIMEOUT_MINUTES): "
            "it and its unfinished tasks were set to failed"
        )
        self._report(stream, message, (job,), deadline)

    def _report(
        self, stream: Stream, message: str, jobs: tuple[Job, ...], deadline: Deadline
    ) -> None:
        """Log `message` and store it as an error that references the first of `jobs`.

        A store that doesn't take the error is logged too, and no reason to stop.
        """
        _log.warning("%s", message)
        error = ErrorResource(
            error_id=self._world.new_id(),
            graph=stream.jobs_graph,
            creator=stream.error_creator,
            message=message[:MESSAGE_LIMIT],
            created=self._world.now(),
            job=jobs[0].uri if jobs else None,
        )
        try:
            self._store.record(error, deadline)
        except StoreError as failure:
            _log.error("the store did not take this as an error resource: %s", failure)

    @contextmanager
    def _turn(self, stream: Stream, deadline: Deadline) -> Iterator[None]:
        """Wait for the stream's turn: two pieces of work that read and then write never mix."""
        turn = self._turns[stream.name]
        if not turn.acquire(timeout=deadline.remaining):
            raise StoreUnavailable(f"{stream}: still busy with an earlier call", sent=False)
        try:
            yield
        finally:
            turn.release()
