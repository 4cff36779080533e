"""The independent auditor, which finds the violations of a run in its history.

It shares no code with the service. A log line alone does not prove that a job was created: the job
must have been seen in the store.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median

from tests.chaos import concurrency, consistency
from tests.chaos.evidence import Evidence
from tests.chaos.history import History
from tests.chaos.liveness import not_created
from tests.chaos.logs import LineKind
from tests.chaos.outcomes import Outcome, Tick, ticks_of

TOLERANCE = 0.5  # seconds
LAST_LINES = 3  # of the log of a process that crashed


@dataclass(kw_only=True)
class AuditResult:
    """The findings by name. Violations must not occur; known limits are only counted."""

    violations: dict[str, list[str]] = field(default_factory=dict)
    known_limits: dict[str, list[str]] = field(default_factory=dict)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    lateness: list[float] = field(default_factory=list)  # seconds from a tick to its stored job

    @property
    def clean(self) -> bool:
        """Whether there is no violation."""
        return not any(self.violations.values())

    @property
    def median_lateness(self) -> float:
        """The median lateness in seconds."""
        return median(self.lateness) if self.lateness else 0.0


def audit(history: History) -> AuditResult:
    """Audit a run."""
    evidence = Evidence(history)
    ticks = ticks_of(evidence)
    reruns = consistency.Reruns(evidence)
    duplicates = list(consistency.duplicate_values(evidence))
    raced = reruns.raced_subjects
    violations = {
        "unaccounted": _ticks(ticks, Outcome.UNACCOUNTED),
        "missed without an error": _ticks(ticks, Outcome.MISSED_WITHOUT_ERROR),
        "missed too early": missed_early(evidence),
        "duplicated": [
            *consistency.duplicated(evidence),
            *concurrency.repeated_syncs(evidence),
        ],
        "jobs without a tick or a call": list(consistency.unexplained(evidence)),
        "jobs without a task": list(consistency.incomplete(evidence)),
        "duplicate values": [text for uri, text in duplicates if uri not in raced],
        "run twice": reruns.bugs,
        "healing before the initial sync": list(concurrency.too_early(evidence)),
        "two active jobs of a stream": list(concurrency.two_active(evidence)),
        "created too early by a standby replica": list(concurrency.standby_too_early(evidence)),
        "crashes and failed stops": crashes(history),
    }
    known_limits = {
        "run twice, by a race on a slow store": reruns.races,
        "duplicate values, by a race on a slow store": [
            text for uri, text in duplicates if uri in raced
        ],
        "run again after a call deleted it": reruns.deleted,
        "two active jobs, by a race": list(concurrency.two_active_by_race(evidence)),
        "not created though nothing prevented it": not_created(evidence, ticks),
    }
    return AuditResult(
        violations=violations,
        known_limits=known_limits,
        outcomes=Counter(tick.outcome for tick in ticks),
        jobs=_jobs(evidence),
        lateness=_lateness(evidence),
    )


def _ticks(ticks: list[Tick], outcome: Outcome) -> list[str]:
    return [f"{x.schedule.label}: tick {x.fire_time:.0f}" for x in ticks if x.outcome is outcome]


def _jobs(evidence: Evidence) -> Counter[str]:
    found: Counter[str] = Counter()
    for job in evidence.jobs:
        checks = {
            "by a tick": job.schedule is not None,
            "by a call": job.requested,
            "by a start": job.by_startup,
            "unexplained": True,
        }
        origin = next(origin for origin, holds in checks.items() if holds)
        found[f"{job.kind}, {origin}"] += 1
    return found


def _lateness(evidence: Evidence) -> list[float]:
    return [
        (job.attempt.applied if job.attempt and job.attempt.applied else job.record.first_seen)
        - job.created
        for job in evidence.jobs
        if job.schedule is not None
    ]


def missed_early(evidence: Evidence) -> list[str]:
    """Return the ticks that expired before their window ended.

    A line may also cover ticks since the last error of the same cause, one ERROR_REPEAT_HOURS ago.
    """
    times = evidence.history.times
    shortest = min(times.window, times.error_repeat) - TOLERANCE
    return [
        f"{line.label}: tick {line.tick:.0f} missed {line.at - line.since:.1f} s after the first"
        for line in evidence.tick_lines
        if line.kind is LineKind.MISSED and line.at - line.since < shortest
    ]


def crashes(history: History) -> list[str]:
    """Return the process runs that crashed, or failed when they were stopped, with the reason."""
    return [
        f"process {run.process} ended with status {run.exit_status} after "
        f"{run.ended - run.started:.1f} s, its log ends with: "
        + " / ".join(line.text for line in run.lines[-LAST_LINES:])
        for run in history.process_runs
        if run.ended is not None and not run.killed and run.exit_status != 0
    ]
