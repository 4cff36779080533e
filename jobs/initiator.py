"""Creating a job: read the stream's state, decide, write once, and say what came of it."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jobs import identity
from jobs.journal import Event, Result, about
from jobs.model import Create, JobKind, NewJob, Refuse, Status, Trigger
from jobs.rules import (
    RULES,
    decide,
    from_the_future,
    listed,
    newest_since,
)
from jobs.store import Deadline, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from jobs.agenda import Policy
    from jobs.diagnosis import Patience
    from jobs.model import Decision, Job, Stream, StreamState, Tick
    from jobs.store import JobStore

_log = logging.getLogger(__name__)

# A consumer acts a second after a task was inserted. A write that follows its read within that
# time can't set a task back to scheduled that another process wrote in between.
READ_LASTS = 1.0
FAR_AWAY = datetime(9999, 1, 1, tzinfo=UTC)
LAST_LOOK = 4.0  # seconds for one more read after a person's deadline; they are promised five


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the domain needs of the world besides the store.

    `now` gives aware instants and `monotonic` seconds that never jump; `new_id` an id that nobody
    had before, `chance` a number from 0 to 1. `seconds` bounds one piece of work with all its
    requests, `policy` says how long ticks stay due, `patience` how long jobs may take. `note` is
    told what becomes of ticks and calls.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    new_id: Callable[[], str]
    chance: Callable[[], float]
    seconds: float
    policy: Policy
    patience: Patience
    note: Callable[[Event], None]

    def deadline(self) -> Deadline:
        """Return the deadline of a piece of work that begins now."""
        return Deadline.after(self.seconds, self.monotonic)


@dataclass(frozen=True)
class Outcome:
    """What was decided and which job was sent, if any; `doubt` tells of a lost answer."""

    decision: Decision
    job: NewJob | None = None
    doubt: StoreError | None = None


class Initiator:
    """Creates jobs, one piece of work per stream at a time."""

    def __init__(
        self,
        streams: Iterable[Stream],
        store: JobStore,
        world: Surroundings,
    ) -> None:
        self._store = store
        self._world = world
        self._turns = {stream.name: threading.RLock() for stream in streams}
        self._sync_ids: dict[str, str] = {}
        self._told_healed: set[str | None] = set()
        self._closed = threading.Event()

    @contextmanager
    def turn(self, stream: Stream, deadline: Deadline) -> Iterator[None]:
        """Wait for the stream's turn: two pieces of work that read and then write never mix."""
        turn = self._turns[stream.name]
        if not turn.acquire(timeout=deadline.remaining):
            raise StoreUnavailable(f"{stream}: still busy with an earlier call", sent=False)
        try:
            if self._closed.is_set():
                raise StoreUnavailable("the service is stopping", sent=False)
            yield
        finally:
            turn.release()

    def request(self, stream: Stream, kind: JobKind) -> Outcome:
        """Create a job because a person asks; raise `StoreError` where it isn't known to be there.

        It is never sent twice: after a lost answer one read tells whether it was written.
        """
        text = "%s of %s: trying to create a job by request"
        _log.info(text, kind.value, stream, extra=about(stream, kind))
        try:
            outcome = self._request(stream, kind)
        except StoreError as error:
            self._note(stream, kind, Result.FAILED, str(error))
            raise
        if outcome.job:
            text, uri = "%s of %s: created job %s by request", outcome.job.uri
            _log.info(text, kind.value, stream, uri, extra=about(stream, kind, job=uri))
            self._note(stream, kind, Result.CREATED, job=uri)
        elif isinstance(outcome.decision, Refuse):
            reason = outcome.decision.reason
            _log.info("refused: %s", reason, extra=about(stream, kind))
            self._note(stream, kind, Result.REFUSED, reason)
        return outcome

    def _request(self, stream: Stream, kind: JobKind) -> Outcome:
        deadline = self._world.deadline()
        with self.turn(stream, deadline):
            decision, send_by = self._decide(stream, kind, Trigger.REQUEST, None, deadline)
            if not isinstance(decision, Create):
                return Outcome(decision)
            job = self._job(stream, kind, self._world.new_id(), self._world.now())
            doubt = self._send(job, send_by, deadline)
        self._make_sure(job, kind, doubt)
        return Outcome(decision, job)

    def _note(
        self,
        stream: Stream,
        kind: JobKind,
        result: Result,
        reason: str = "",
        job: str | None = None,
    ) -> None:
        """Note what became of a person's call."""
        event = Event(
            stream=stream,
            kind=kind,
            result=result,
            trigger=Trigger.REQUEST,
            at=self._world.now(),
            reason=reason,
            job=job,
        )
        self._world.note(event)

    def take(self, tick: Tick, since: datetime) -> Outcome:
        """Create the job of a tick if the rules allow it; `since` is its oldest unsettled fellow.

        Raise `StoreError` where nothing was written for certain. What was sent is provisional: a
        read has to confirm it. To be called in the stream's turn.
        """
        stream, kind = tick.stream, tick.kind
        deadline = self._world.deadline()
        trigger = RULES[kind].started_by
        job_id = self._tick_id(tick, deadline)  # before the state: a twin's job counts in one only
        decision, send_by = self._decide(stream, kind, trigger, (tick, since), deadline)
        if not isinstance(decision, Create):
            return Outcome(decision)
        job = self._job(stream, kind, job_id, tick.fire_time)
        return Outcome(decision, job, self._send(job, send_by, deadline))

    @property
    def closed(self) -> bool:
        """Whether no work may begin any more."""
        return self._closed.is_set()

    def close(self, seconds: float) -> bool:
        """Let no work begin any more; return whether what was under way ended within `seconds`.

        Work that waits for its turn finds the service stopping when it comes.
        """
        self._closed.set()
        deadline = Deadline.after(seconds, self._world.monotonic)
        for turn in self._turns.values():
            if not turn.acquire(timeout=deadline.remaining):
                return False
            turn.release()
        return True

    def _decide(
        self,
        stream: Stream,
        kind: JobKind,
        trigger: Trigger,
        due: tuple[Tick, datetime] | None,
        deadline: Deadline,
    ) -> tuple[Decision, Deadline]:
        """Read the state and decide; the decision holds good for a write that begins in time."""
        state = self._store.state(stream, due[1] if due else None, deadline)
        good_until = Deadline.after(READ_LASTS, self._world.monotonic)
        for job in from_the_future(state, self._world.now()):
            text, extra = "job %s is dated %s, in the future: ignored", about(stream, job=job)
            _log.warning(text, job, job.created, extra=extra)
        done = None
        if due:
            operation = stream.plan(kind).job_operation
            done = newest_since(operation, due[0].fire_time, state, self._world.now())
        if kind is JobKind.HEALING:
            self._tell_healed(stream, state)
        return decide(kind, stream, state, trigger, done), good_until

    def _tell_healed(self, stream: Stream, state: StreamState) -> None:
        """Say once that a healing stands in for an initial sync that is gone."""
        if state.healed and not state.synced and stream.name not in self._told_healed:
            self._told_healed.add(stream.name)
            text = (
                "%s counts as synced: it has no successful initial sync, but healing %s succeeded"
            )
            _log.info(text, stream, state.healed[0], extra=about(stream, JobKind.HEALING))

    def _send(self, job: NewJob, send_by: Deadline, deadline: Deadline) -> StoreError | None:
        """Send a job once; return the error after which it may be there, raise any other."""
        try:
            self._store.create(job, send_by, deadline)
        except StoreError as error:
            if not error.in_doubt:
                raise
            return error
        return None

    def _make_sure(self, job: NewJob, kind: JobKind, doubt: StoreError | None) -> None:
        """Read whether a job is there: an answer may be lost, and a 200 may be a lie."""
        try:
            found = self._store.find([job.uri], Deadline.after(LAST_LOOK, self._world.monotonic))
        except StoreError as error:
            if doubt is None:
                return
            _log.warning("could not look for job %s: %s", job.uri, error)
            found = ()
        if found and found[0].tasks:
            return
        reason = doubt or "the store said it was written, but it is not there"
        message = f"{reason}; the {kind.value} job {job.uri} may appear all the same"
        raise StoreUnavailable(message, sent=True) from doubt

    def _tick_id(self, tick: Tick, deadline: Deadline) -> str:
        """Return the id of a tick's job; that of a start is settled at the first try."""
        operation = tick.stream.plan(tick.kind).job_operation or ""
        if RULES[tick.kind].started_by is not Trigger.STARTUP:
            return identity.tick_job(operation, tick.fire_time)
        if operation not in self._sync_ids:
            # Whatever it is dated: a wrong clock must not bring the same id twice.
            earlier = self._store.newest([operation], FAR_AWAY, deadline)
            previous = earlier[-1].uri if earlier else None
            self._sync_ids[operation] = identity.startup_job(operation, previous)
            _tell_earlier(tick, earlier)
        return self._sync_ids[operation]

    def _job(self, stream: Stream, kind: JobKind, job_id: str, created: datetime) -> NewJob:
        return NewJob(
            job_id=job_id,
            task_id=identity.first_task(job_id),
            graph=stream.jobs_graph,
            job_operation=stream.operation(kind),
            task_operation=stream.plan(kind).task_operation,
            created=created,
        )


def _tell_earlier(tick: Tick, earlier: Sequence[Job]) -> None:
    """Say why a start makes a new initial sync although there was one."""
    if earlier and not any(job.status is Status.SUCCESS or job.active for job in earlier):
        text = "%s of %s: none succeeded yet, the last one is %s: a new one is due"
        facts = about(tick.stream, tick.kind, tick=tick)
        _log.info(text, tick.kind.value, tick.stream, listed(earlier[-1:]), extra=facts)
