"""What became of every tick that was due."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from chaos.logs import Entry, Word, seconds

if TYPE_CHECKING:
    from chaos.evidence import Evidence, Job
    from chaos.history import Life, Record
    from chaos.streams import Schedule

SAME = 0.001  # two instants that are written with milliseconds are the same
SOON = 1.0  # a process that said one thing a second ago has had the time to say the next


class Fate(StrEnum):
    """What became of a tick, in the order in which it is looked for."""

    CREATED = "created"
    LATER_JOB = "done by a later job"
    MISSED = "missed, with an error"
    MISSED_SILENTLY = "missed, without an error"
    SUPERSEDED = "superseded"
    CLEANED = "cleaned by request"
    LOST_WITH_PROCESS = "superseded while no process was there to say so"
    NOTHING_TO_CATCH_UP = "came while no process was there, of an operation without jobs"
    UNACCOUNTED = "unaccounted"


@dataclass(frozen=True)
class Tick:
    """A tick that was due, and what became of it."""

    schedule: Schedule
    fire_time: float
    fate: Fate


def account(evidence: Evidence) -> list[Tick]:
    """Return every tick from the first readiness to the horizon of the run."""
    ready = [life.ready for life in evidence.history.lives if life.ready is not None]
    if not ready:
        return []
    return [
        tick
        for schedule in evidence.history.schedules
        for tick in Ledger(evidence, schedule).ticks(min(ready), evidence.history.horizon)
    ]


class Ledger:
    """The ticks of one schedule."""

    def __init__(self, evidence: Evidence, schedule: Schedule) -> None:
        self._evidence = evidence
        self._history = evidence.history
        self._schedule = schedule
        self._jobs: list[Job] = [
            job
            for job in evidence.jobs
            if job.stream == schedule.stream and job.kind is schedule.kind
        ]
        self._created = {job.created for job in self._jobs if job.schedule == schedule}
        self._known = {job.record.uri: job.created for job in self._jobs}
        self._said: dict[Word, list[Entry]] = defaultdict(list)
        for entry in evidence.by_who.get(schedule.who, []):
            self._said[entry.word].append(entry)

    def ticks(self, start: float, horizon: float) -> list[Tick]:
        """Return what became of each tick up to the horizon.

        The latest goes first, and later ones are looked at, too: a lost one needs a newer one.
        """
        found: list[Tick] = []
        newer_settled = False
        for fire_time in reversed(self._schedule.fire_times(start, self._history.end)):
            fate = self._fate(fire_time, newer_settled=newer_settled)
            newer_settled = newer_settled or fate is not Fate.UNACCOUNTED
            if fire_time <= horizon:
                found.append(Tick(self._schedule, fire_time, fate))
        return found

    def _fate(self, tick: float, *, newer_settled: bool) -> Fate:
        checks = {
            Fate.CREATED: self._was_created,
            Fate.LATER_JOB: self._was_done_later,
            Fate.MISSED: self._was_missed,
            Fate.SUPERSEDED: self._was_superseded,
            Fate.CLEANED: self._was_cleaned,
        }
        held = [fate for fate, holds in checks.items() if holds(tick)]
        if Fate.MISSED in held and not self._has_error(tick):
            # A process that was killed before the store took the error: its successor takes the
            # tick up again, and says so.
            held = [fate for fate in held if fate is not Fate.MISSED] or [Fate.MISSED_SILENTLY]
        return held[0] if held else self._without_word(tick, newer_settled=newer_settled)

    def _was_created(self, tick: float) -> bool:
        """Look for a job of its fire time, seen or written and deleted before it could be."""
        return tick in self._created or any(
            entry.tick == tick and entry.uri in self._evidence.attempts_at
            for entry in self._said[Word.CREATED]
        )

    def _was_done_later(self, tick: float) -> bool:
        return any(
            entry.tick == tick and self._known.get(entry.uri or "", 0.0) >= tick - SAME
            for entry in self._said[Word.DONE]
        )

    def _was_missed(self, tick: float) -> bool:
        return any(entry.since <= tick <= entry.tick for entry in self._said[Word.MISSED])

    def _has_error(self, tick: float) -> bool:
        """Look for an error that names the schedule and the instants of a line on this tick.

        One that was young then will do: a cause is stored only once in a while.
        """
        lines = [x for x in self._said[Word.MISSED] if x.since <= tick <= x.tick]
        errors = [x for x in self._evidence.errors if self._schedule.who in x.value("message")]
        return any(
            all(text in error.value("message") for text in line.named) or self._young(error, line)
            for line in lines
            for error in errors
        )

    def _young(self, error: Record, line: Entry) -> bool:
        """Tell whether an error was young when the window of a line's ticks closed."""
        closed, times = line.since + self._history.times.window, self._history.times
        is_missed = ": missed" in error.value("message")
        return is_missed and abs(closed - seconds(error.value("created"))) < times.error_repeat

    def _was_superseded(self, tick: float) -> bool:
        return any(entry.since <= tick < entry.tick for entry in self._said[Word.SUPERSEDES])

    def _was_cleaned(self, tick: float) -> bool:
        """Look for a cleaning: it settles what is open, not what should have been long ago."""
        grace = self._history.times.grace
        return any(x.tick - grace <= tick <= x.tick for x in self._said[Word.CLEANED])

    def _without_word(self, tick: float, *, newer_settled: bool) -> Fate:
        """Judge a tick of which nobody spoke: right where nobody who knew of it lived to speak.

        A process knows the ticks from the newest at its readiness on. It has the tick's window to
        settle it, and when it has settled a newer one it must have said what became of this one.
        """
        knowing = [life for life in self._history.lives if self._knows(life, tick)]
        answerable = [life for life in knowing if not self._could_not_speak(life, tick)]
        if not answerable and newer_settled:
            return Fate.LOST_WITH_PROCESS
        if answerable and all(self._nothing_to_catch_up(life, tick) for life in answerable):
            return Fate.NOTHING_TO_CATCH_UP
        return Fate.UNACCOUNTED

    def _knows(self, life: Life, tick: float) -> bool:
        if life.ready is None or (life.ended is not None and life.ended < tick):
            return False
        return tick > life.ready or not self._schedule.fire_times(tick, life.ready)

    def _could_not_speak(self, life: Life, tick: float) -> bool:
        if life.ended is None:
            return False
        asleep = life.paused(tick, life.ended)
        if life.ended > max(tick, life.ready or 0) + self._history.times.grace + asleep:
            return False
        settling = (Word.CREATED, Word.DONE, Word.MISSED)
        return not any(
            entry.tick > tick
            and self._history.lives[entry.life] is life
            and entry.at < life.ended - SOON
            for word in settling
            for entry in self._said[word]
        )

    def _nothing_to_catch_up(self, life: Life, tick: float) -> bool:
        """Tell whether the operation had no job when a process found the tick at its readiness.

        There never was one, or the last ones had been deleted.
        """
        if life.ready is None or life.ready < tick:
            return False
        ready = life.ready
        firsts = sorted(job.record.first for job in self._jobs if job.record.first <= ready)
        return not firsts or any(
            call.method == "DELETE"
            and call.operation == self._schedule.operation
            and firsts[-1] - SOON <= call.sent <= ready
            for call in self._history.calls
        )
