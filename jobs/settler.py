"""Settling ticks: takes up what is due, and finds out what became of what was sent."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jobs.agenda import Agenda, Once
from jobs.cleaning import clean
from jobs.journal import Result, about
from jobs.model import AlreadyDone, Create, JobKind, Obstacle, Tick, Trigger, Wait
from jobs.rules import CLOCK_TOLERANCE, RULES, newest_since
from jobs.store import Deadline, StoreError
from jobs.teller import Teller

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from jobs.agenda import Backlog, Policy, Sent
    from jobs.initiator import Initiator, Outcome, Surroundings
    from jobs.model import Job, Stream
    from jobs.reporter import Reporter
    from jobs.store import JobStore

_log = logging.getLogger(__name__)

LONG_AGO = datetime.min.replace(tzinfo=UTC)


def agendas_of(stream: Stream, start: datetime, policy: Policy) -> tuple[Agenda, ...]:
    """Return the agendas of a stream's enabled kinds, in the order in which they are taken up.

    What is due at a start goes the way of a tick, the only one of its schedule.
    """
    found = []
    for plan in stream.plans:
        if plan.enabled and RULES[plan.kind].started_by is Trigger.STARTUP:
            found.append(Agenda(stream, plan.kind, Once(start), LONG_AGO, policy))
        elif plan.schedule:
            found.append(
                Agenda(stream, plan.kind, plan.schedule, plan.schedule.latest(start), policy)
            )
    return tuple(found)


class Settler:
    """Works off the agendas of all streams, each stream's in its turn."""

    def __init__(
        self,
        agendas: Iterable[tuple[Agenda, ...]],
        store: JobStore,
        initiator: Initiator,
        reporter: Reporter,
        world: Surroundings,
    ) -> None:
        self._agendas = {group[0].stream.name: group for group in agendas if group}
        self._store = store
        self._initiator = initiator
        self._teller = Teller(reporter, world)
        self._world = world

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that have anything to be taken up."""
        return tuple(group[0].stream for group in self._agendas.values())

    def inherit(self) -> None:
        """Take up what a predecessor left; raise `StoreError` where the store fails."""
        scheduled = [agenda for agenda in self._all() if agenda.recurs]
        operations = [agenda.operation for agenda in scheduled]
        until = self._world.now() + CLOCK_TOLERANCE
        newest = self._store.newest(operations, until, self._world.deadline())
        last = {job.operation: job.created for job in newest if job.created}  # oldest first
        for agenda in scheduled:
            last_job = last.get(agenda.operation)
            self._teller.superseded(agenda, agenda.inherit(self._world.now(), last_job))
            if last_job and last_job >= agenda.before:
                self._tell_done_before(agenda)

    def next_arrival(self, stream: Stream, instant: datetime) -> datetime:
        """Return when the stream's next tick is to be taken up."""
        return min(agenda.next_arrival(instant) for agenda in self._agendas[stream.name])

    def next_look(self, stream: Stream) -> datetime | None:
        """Return when a tick of the stream is to be tried again."""
        looks = [a.next_look() for a in self._agendas[stream.name] if a.sent is None]
        return min(filter(None, looks), default=None)

    def next_confirmation(self) -> datetime | None:
        """Return when to look for what was sent."""
        return min((agenda.sent.look_at for agenda in self._all() if agenda.sent), default=None)

    def look(self, stream: Stream) -> None:
        """Take up the stream's ticks that are due; whatever fails is tried again later."""
        try:
            with self._initiator.turn(stream, self._world.deadline()):
                group = self._agendas[stream.name]
                for agenda in group:
                    self._teller.superseded(agenda, agenda.arrive(self._world.now()))
                if any(agenda.backlog for agenda in group):
                    self._confirm([agenda for agenda in group if agenda.sent])
                for agenda in group:
                    self._look(agenda)
        except StoreError as error:
            _log.info("%s: %s", stream, error, extra=about(stream))

    def confirm(self) -> None:
        """Look for everything that was sent and is not confirmed, in one query."""
        now = self._world.now()
        self._confirm([a for a in self._all() if a.sent and a.sent.look_at <= now])

    def _confirm(self, agendas: Sequence[Agenda]) -> None:
        now = self._world.now()
        waiting = [(agenda, agenda.sent) for agenda in agendas if agenda.sent]
        uris = [sent.job.uri for _, sent in waiting]
        found: dict[str, Job] | None = None
        try:
            if uris:
                jobs = self._store.find(uris, self._world.deadline())
                found = {job.uri: job for job in jobs}
        except StoreError as error:
            _log.info("could not look for %s jobs that were sent: %s", len(uris), error)
        for agenda, sent in waiting:
            self._tell_found(agenda, sent, found, now)

    def clean(self, stream: Stream, kind: JobKind) -> tuple[Job, ...]:
        """Remove the jobs of a kind and settle its ticks; see `jobs.cleaning`."""
        deadline = self._world.deadline()
        with self._initiator.turn(stream, deadline):
            jobs = clean(self._store, stream, kind, deadline)
            until = self._clean_ticks(stream, kind)
        self._teller.cleaned(stream, kind, until, len(jobs))
        return jobs

    def _clean_ticks(self, stream: Stream, kind: JobKind) -> datetime | None:
        """Settle the ticks of a kind; return the newest that was waiting."""
        for agenda in self._agendas.get(stream.name, ()):
            if agenda.kind is kind and (until := agenda.clean(self._world.now())):
                text = "%s: ticks up to %s: cleaned by request"
                _log.info(text, agenda, until.isoformat(), extra=about(stream, kind))
                return until
        return None

    def _all(self) -> Iterator[Agenda]:
        for group in self._agendas.values():
            yield from group

    def _look(self, agenda: Agenda) -> None:
        backlog = agenda.due(self._world.now())
        if backlog:
            self._try(agenda, backlog)
        if missed := agenda.missed(self._world.now()):
            self._teller.missed(agenda, missed)

    def _try(self, agenda: Agenda, backlog: Backlog) -> None:
        tick = backlog.newest
        held_up = self._held_up(agenda)
        if held_up:
            self._put_off(agenda, held_up)
            return
        self._teller.line(agenda, tick, "trying to create a job")
        try:
            outcome = self._initiator.take(tick, backlog.oldest)
        except StoreError as error:
            self._put_off(agenda, Wait(str(error), obstacle=Obstacle.STORE))
        except Exception as error:  # noqa: BLE001 - no failure may take later ticks with it
            text, facts = (
                "%s: tick %s failed in an unforeseen way",
                about(agenda.stream, agenda.kind, tick=tick),
            )
            _log.exception(text, agenda, tick, extra=facts)
            why = f"an error in the service itself: {error}"
            self._put_off(agenda, Wait(why, obstacle=Obstacle.SERVICE))
        else:
            self._take_in(agenda, tick, outcome)

    def _held_up(self, agenda: Agenda) -> Wait | None:
        """Return what in its own stream a tick has to wait for before anything is read."""
        group = self._agendas[agenda.stream.name]
        for other in group:
            if other.sent:
                reason = f"job {other.sent.job.uri} was sent and is not confirmed yet"
                return Wait(reason, obstacle=Obstacle.STORE)
        for other in group[: group.index(agenda)]:
            why = other.backlog.why if other.backlog else None
            if other.kind is JobKind.HEALING and why and why.blocking:
                return replace(why, reason="behind the healing, which waits")
        return None

    def _take_in(self, agenda: Agenda, tick: Tick, outcome: Outcome) -> None:
        match outcome.decision:
            case Create() if outcome.job:
                agenda.wrote(outcome.job, self._world.now())
                text = f"sent job {outcome.job.uri}, but {outcome.doubt}"
                text = text if outcome.doubt else f"created job {outcome.job.uri}"
                self._teller.line(agenda, tick, text, outcome.job.uri)
            case AlreadyDone(reason, job):
                agenda.settled(max(tick.fire_time, job.created or tick.fire_time))
                self._teller.outcome(agenda, tick, Result.DONE, reason, job.uri)
            case Wait() as why:
                self._put_off(agenda, why)
            case decision:
                self._teller.outcome(agenda, tick, Result.REFUSED, str(decision))
                agenda.settled(tick.fire_time)

    def _put_off(self, agenda: Agenda, why: Wait) -> None:
        backlog = agenda.backlog
        agenda.waits(self._world.now(), why, self._world.chance())
        if backlog:
            self._teller.waits(agenda, backlog, why)

    def _tell_done_before(self, agenda: Agenda) -> None:
        """Name the job that did the newest tick before this process."""
        since, now = agenda.before, self._world.now()
        state = self._store.state(agenda.stream, since, self._world.deadline())
        job = newest_since(agenda.operation, since, state, now)
        tick, uri = Tick(agenda.stream, agenda.kind, since), job.uri if job else None
        self._teller.outcome(agenda, tick, Result.DONE, f"done by job {job}", uri)

    def _tell_found(
        self, agenda: Agenda, sent: Sent, found: dict[str, Job] | None, now: datetime
    ) -> None:
        """Tell an agenda what was found at `now`; None means that nobody knows."""
        try:
            with self._initiator.turn(agenda.stream, Deadline.after(0, self._world.monotonic)):
                if agenda.sent is sent:
                    self._weigh(agenda, sent, found, now)
        except StoreError:
            return  # it is at work on another tick: the next look tells

    def _weigh(
        self, agenda: Agenda, sent: Sent, found: dict[str, Job] | None, now: datetime
    ) -> None:
        job, tick = (found or {}).get(sent.job.uri), sent.backlog.newest
        overdue = agenda.overdue(now)
        if job and (job.tasks or overdue):
            agenda.settled(tick.fire_time)
            half = "" if job.tasks else ", whose task is still to be added"
            text, late = f"done by job {job}{half}", sent.at - tick.fire_time
            self._teller.outcome(agenda, tick, Result.CREATED, text, job.uri, lateness=late)
        elif found is None or not overdue:
            agenda.look_later(now)
        else:
            text, level = f"job {sent.job.uri} was never stored", logging.WARNING
            self._teller.line(agenda, tick, text, sent.job.uri, level=level)
            self._teller.superseded(agenda, agenda.lost(now))
