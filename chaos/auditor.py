"""The independent judge: from the history of a run alone, what went wrong and what went how.

It shares no code with the service, and takes no log line's word for a job: what was created must
have been seen in the store.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from chaos import concurrency, consistency
from chaos.accounting import Fate, Tick, account
from chaos.evidence import Evidence
from chaos.liveness import neglected

if TYPE_CHECKING:
    from chaos.history import History


@dataclass(kw_only=True)
class Verdict:
    """What the auditor found: lists of `flags` must be empty, `limits` are told, not judged."""

    flags: dict[str, list[str]] = field(default_factory=dict)
    limits: dict[str, list[str]] = field(default_factory=dict)
    fates: Counter[Fate] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    lateness: list[float] = field(default_factory=list)  # seconds from a tick to its stored job

    @property
    def clean(self) -> bool:
        """Whether nothing is flagged."""
        return not any(self.flags.values())

    @property
    def median_lateness(self) -> float:
        """How late half of the jobs were at most."""
        return median(self.lateness) if self.lateness else 0.0


def audit(history: History) -> Verdict:
    """Judge a run."""
    evidence = Evidence(history)
    ticks = account(evidence)
    reruns = consistency.Reruns(evidence)
    doubled = list(consistency.second_values(evidence))
    twins = reruns.twin_subjects
    flags = {
        "unaccounted": _ticks(ticks, Fate.UNACCOUNTED),
        "missed without an error": _ticks(ticks, Fate.MISSED_SILENTLY),
        "missed too early": missed_early(evidence),
        "duplicated": [
            *consistency.duplicated(evidence),
            *concurrency.repeated_syncs(evidence),
        ],
        "jobs of no tick and no call": list(consistency.unexplained(evidence)),
        "half": list(consistency.halves(evidence)),
        "second values": [text for uri, text in doubled if uri not in twins],
        "run twice": reruns.bugs,
        "healing too early": list(concurrency.too_early(evidence)),
        "two active": list(concurrency.two_active(evidence)),
        "wrong ends of processes": wrong_ends(history),
    }
    limits = {
        "run twice, by twins and a slow store": reruns.twins,
        "second values, by twins and a slow store": [text for uri, text in doubled if uri in twins],
        "run again after a call had removed it": reruns.cleaned,
        "two active, neither could know": list(concurrency.two_active_unknowingly(evidence)),
        "free to be created, and was not": neglected(evidence, ticks),
    }
    return Verdict(
        flags=flags,
        limits=limits,
        fates=Counter(tick.fate for tick in ticks),
        jobs=_jobs(evidence),
        lateness=_lateness(evidence),
    )


def _ticks(ticks: list[Tick], fate: Fate) -> list[str]:
    return [f"{x.schedule.who}: tick {x.fire_time:.0f}" for x in ticks if x.fate is fate]


def _jobs(evidence: Evidence) -> Counter[str]:
    found: Counter[str] = Counter()
    for job in evidence.jobs:
        made = {
            "by a tick": job.schedule is not None,
            "by a call": job.requested,
            "at a start": job.started,
            "unasked": True,
        }
        origin = next(origin for origin, holds in made.items() if holds)
        found[f"{job.kind}, {origin}"] += 1
    return found


def _lateness(evidence: Evidence) -> list[float]:
    return [
        (job.attempt.applied if job.attempt and job.attempt.applied else job.record.first)
        - job.created
        for job in evidence.jobs
        if job.schedule is not None
    ]


def missed_early(evidence: Evidence) -> list[str]:
    """Return the ticks that were given up before their window, or the last report, was over."""
    times = evidence.history.times
    shortest = min(times.window, times.error_repeat) - 0.5
    return [
        f"{entry.who}: tick {entry.tick:.0f} missed {entry.at - entry.since:.1f} s after the first"
        for entry in evidence.entries
        if entry.word.name == "MISSED" and entry.at - entry.since < shortest
    ]


def wrong_ends(history: History) -> list[str]:
    """Return the processes that ended by themselves, or badly when they were asked to end."""
    return [
        f"process {life.process} ended with status {life.exit_status} after "
        f"{life.ended - life.began:.1f} s"
        for life in history.lives
        if life.ended is not None and not life.killed and life.exit_status != 0
    ]
