"""Creating one job: read the stream's state, decide, write once, confirm."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from jobs import ids
from jobs.attempt import Attempt, SentJob, TickOutcome
from jobs.clock import Clock
from jobs.events import Event, EventLog, Result
from jobs.locks import StreamLocks
from jobs.model import JOB_BASE, JobKind, NewJob, Stream, StreamState, Tick, Trigger
from jobs.rules import (
    RULES,
    Create,
    Decision,
    decide,
    from_the_future,
    needs_state,
)
from jobs.startup_ids import StartupIds
from jobs.store import (
    BoundStore,
    Deadline,
    JobStore,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from jobs.stream_log import log_about
from jobs.stream_state import state_for
from jobs.task_operations import TaskOperations

_log = logging.getLogger(__name__)

# Seconds for which a read of the state allows a write. A consumer acts about 1.2 s after a task was
# inserted (measured): a later write could set its task back to scheduled.
STATE_VALID_SECONDS = 1.0
# Seconds for the read that confirms a person's job; it may begin at the person's deadline, and the
# answer is promised within five seconds of that.
CONFIRM_SECONDS = 4.0


class JobRefused(Exception):
    """A person's request that the rules refuse; the text names what would change that."""


@dataclass
class JobCreator:
    """Creates jobs, for persons and for ticks."""

    store: JobStore
    clock: Clock
    locks: StreamLocks
    events: EventLog
    task_operations: TaskOperations
    _startup_ids: StartupIds = field(default_factory=StartupIds, init=False)
    _reported_healed: set[str | None] = field(default_factory=set, init=False)

    def request(self, stream: Stream, kind: JobKind) -> NewJob:
        """Create a job because a person asks, and return it.

        The job is sent once: after a lost answer, a read tells whether it was written. Raise
        `JobRefused` if the rules refuse it, and `StoreError` if the job is not known to exist.
        """
        log = log_about(_log, stream, kind)
        log.info("trying to create a job by request")
        try:
            job = self._create_for_request(stream, kind)
        except JobRefused as refusal:
            log.info("refused: %s", refusal)
            self._record(stream, kind, Result.REFUSED, str(refusal))
            raise
        except StoreError as error:
            self._record(stream, kind, Result.FAILED, str(error))
            raise
        log_about(_log, stream, kind, job=job.uri).info("created job %s by request", job.uri)
        self._record(stream, kind, Result.CREATED, job=job.uri)
        return job

    def choose_startup_ids(self, starts: Sequence[tuple[Stream, JobKind]]) -> None:
        """Choose the ids of the jobs of a start with one read; raise `StoreError` if it fails."""
        self._startup_ids.choose(starts, self.store.within(self.clock.deadline()))

    @property
    def startup_jobs(self) -> list[str]:
        """The URIs of the jobs of this start, whether they exist or not."""
        return self._startup_ids.jobs

    def create_for_tick(self, tick: Tick, attempt: Attempt) -> TickOutcome:
        """Send the job of a tick if the rules allow it.

        A job of a start is always guarded, because an earlier process may have been stopped while
        it wrote. The caller holds the stream's lock. Raise `StoreError` if certainly nothing was
        written.
        """
        stream, kind = tick.stream, tick.kind
        trigger = RULES[kind].started_by
        store = self.store.within(self.clock.deadline())
        # Before the state is read: a job of a second process then counts in one of the two reads.
        job_id = self._tick_job_id(tick, store)
        known = [JOB_BASE + job_id]
        state = state_for(kind, stream, store, known)
        send_by = self.clock.deadline(STATE_VALID_SECONDS)
        if not attempt.is_fresh(self.clock.now()):
            # After the active jobs: one that finishes meanwhile is in this read.
            recent = store.recent([stream.operation(kind)], attempt.since)
            if not send_by.remaining:
                state = state_for(kind, stream, store, known)
                send_by = self.clock.deadline(STATE_VALID_SECONDS)
            state = replace(state, recent=state.recent + recent)
        done_since = tick.fire_time if attempt.alone else attempt.since
        decision = self._decide(stream, kind, trigger, state, done_since)
        if not isinstance(decision, Create) or not attempt.write:
            return decision
        job = self._new_job(stream, kind, job_id, tick.fire_time)
        guarded = attempt.guarded or trigger is Trigger.STARTUP
        return self._send(job, store, send_by, guarded=guarded)

    def _create_for_request(self, stream: Stream, kind: JobKind) -> NewJob:
        send_by = deadline = self.clock.deadline()
        store = self.store.within(deadline)
        decides = needs_state(stream, kind, Trigger.REQUEST)
        with (self.locks.hold if decides else self.locks.share)(stream, deadline):
            state = StreamState()
            if decides:
                state = state_for(kind, stream, store)
                send_by = self.clock.deadline(STATE_VALID_SECONDS)
            decision = self._decide(stream, kind, Trigger.REQUEST, state)
            if not isinstance(decision, Create):
                raise JobRefused(decision.reason)
            job = self._new_job(stream, kind, self.clock.new_id(), self.clock.now())
            sent = self._send(job, store, send_by)
        self._confirm(sent, kind)
        return job

    def _decide(
        self,
        stream: Stream,
        kind: JobKind,
        trigger: Trigger,
        state: StreamState,
        fire_time: datetime | None = None,
    ) -> Decision:
        """Decide, and log what an operator should know of the state."""
        now = self.clock.now()
        for job in from_the_future(state, now):
            log = log_about(_log, stream, job=job)
            log.warning("job %s is dated %s, in the future: ignored", job, job.created)
        if kind is JobKind.HEALING:
            self._report_healed(stream, state)
        return decide(stream, kind, trigger, state, now, fire_time=fire_time)

    def _report_healed(self, stream: Stream, state: StreamState) -> None:
        """Log once that a healing counts as the initial sync, which is gone."""
        if state.healed and not state.synced and stream.name not in self._reported_healed:
            self._reported_healed.add(stream.name)
            text = "counts as synced: no initial sync job is left, but healing %s succeeded"
            log_about(_log, stream, JobKind.HEALING).info(text, state.healed[0])

    def _send(
        self, job: NewJob, store: BoundStore, send_by: Deadline, *, guarded: bool = False
    ) -> SentJob:
        """Send a job once; raise an error only if certainly nothing was written."""
        try:
            store.create(job, send_by, guarded=guarded)
        except StoreError as error:
            if not error.in_doubt:
                raise
            return SentJob(job, error)
        return SentJob(job)

    def _confirm(self, sent: SentJob, kind: JobKind) -> None:
        """Read whether a sent job exists: an answer may be lost, and a 200 may be untrue.

        Without an answer to the read, a reported success counts. With an unusable answer it does
        not: the store may answer anything with 200.
        """
        uri, doubt = sent.job.uri, sent.doubt
        try:
            found = self.store.within(self.clock.deadline(CONFIRM_SECONDS)).find([uri])
        except StoreError as error:
            if doubt is None and isinstance(error, StoreUnavailable):
                return
            _log.warning("could not read whether job %s exists: %s", uri, error)
            found, doubt = (), doubt or error
        if found and found[0].tasks:
            return
        reason = doubt or "the store reported success, but the job is not there"
        message = f"{reason}; the {kind.value} job {uri} may still appear"
        if doubt and not isinstance(doubt, StoreUnavailable):
            raise StoreRefused(message) from doubt
        raise StoreUnavailable(message, sent=True) from doubt

    def _tick_job_id(self, tick: Tick, store: BoundStore) -> str:
        """Return the id of a tick's job."""
        operation = tick.stream.operation(tick.kind)
        if RULES[tick.kind].started_by is Trigger.STARTUP:
            return self._startup_ids.id_of(tick.stream, tick.kind, store)
        return ids.tick_job(operation, tick.fire_time)

    def _new_job(self, stream: Stream, kind: JobKind, job_id: str, created: datetime) -> NewJob:
        return NewJob(
            job_id=job_id,
            task_id=ids.first_task(job_id),
            graph=stream.jobs_graph,
            job_operation=stream.operation(kind),
            task_operation=self.task_operations.of(stream, kind),
            created=created,
        )

    def _record(
        self,
        stream: Stream,
        kind: JobKind,
        result: Result,
        reason: str = "",
        job: str | None = None,
    ) -> None:
        """Record what became of a person's request."""
        event = Event(
            stream=stream,
            kind=kind,
            result=result,
            trigger=Trigger.REQUEST,
            at=self.clock.now(),
            reason=reason,
            job=job,
        )
        self.events.record(event)
