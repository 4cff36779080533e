"""What a world is like: streams, settings and consumers, drawn from its mode and seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from jobs.domain_settings import DomainSettings
from jobs.maintenance.diagnosis import StuckThresholds
from jobs.model import JobKind, Plan, Remedies, Stream
from jobs.ticks.policy import TickPolicy
from tests.simulation.consumers import Manners
from tests.simulation.firetimes import Rule, schedule
from tests.simulation.modes import Mode
from tests.simulation.plan import Entry, draw

OPERATIONS = "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/"
TASK_OPERATIONS = "http://redpencil.data.gift/id/jobs/concept/TaskOperation/deltas/"
GRAPH = "http://mu.semte.ch/graphs/system/jobs"
SHORT = (1, 2, 3, 5, 6, 10, 15, 20, 30)
LONG = (60, 120, 180, 300, 600)


@dataclass(frozen=True, kw_only=True)
class StreamPlan:
    """A stream and what the auditor knows of it; `rules` are those of its enabled schedules."""

    stream: Stream
    rules: dict[JobKind, Rule]
    starts_sync: bool
    synced: bool  # whether a successful initial sync is there from the beginning


@dataclass(frozen=True, kw_only=True)
class Times:
    """Settings of the service that the world has to know, in seconds."""

    timeout: float
    settle: float
    pause: float
    standby: float
    window: float
    sweep: float
    watchdog: float
    repeat: float
    pickup: float
    stuck: float
    job_timeout: float

    def settings(self, slot: int, *, replicated: bool) -> DomainSettings:
        """Return the settings of the process in a slot."""
        return DomainSettings(
            policy=TickPolicy(
                window=timedelta(seconds=self.window),
                settle_time=timedelta(seconds=self.settle),
                request_time=timedelta(seconds=self.timeout),
                standby_delay=timedelta(seconds=self.standby * slot),
                replicated=replicated,
                report_every=timedelta(seconds=self.repeat),
                max_pause=timedelta(seconds=self.pause),
            ),
            thresholds=StuckThresholds(
                pickup=timedelta(seconds=self.pickup), stuck=timedelta(seconds=self.stuck)
            ),
            error_repeat=timedelta(seconds=self.repeat),
            sweep_period=timedelta(seconds=self.sweep),
            watchdog_period=timedelta(seconds=self.watchdog),
        )

    def rest(self, slots: int) -> float:
        """Return how long a world needs to come to rest when nothing goes wrong any more."""
        work = self.timeout + self.settle + self.pause + self.standby * (slots - 1)
        return 2 * work + 3 * max(self.sweep, self.watchdog) + self.job_timeout + 150


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything that is drawn before a run."""

    mode: Mode
    seed: str
    streams: Sequence[StreamPlan]
    times: Times
    manners: Manners
    seconds: float
    plan: tuple[Entry, ...]

    @property
    def end(self) -> float:
        """When the run ends, in seconds of virtual time."""
        return self.seconds + self.times.rest(self.mode.processes)


def scenario(mode: Mode, seed: str, plan: tuple[Entry, ...] | None = None) -> Scenario:
    """Draw the scenario of a world; its plan can be given, to repeat a part of a run."""
    random = Random(f"{mode.name} {seed}")
    default = random.random() < mode.default_settings
    times = _default_times() if default else _short_times(random)
    streams = [_stream(random, mode, times, number) for number in range(random.randint(1, 4))]
    fastest = min(rule.period for one in streams for rule in one.rules.values())
    seconds = min(14_400.0, max(600.0 if default else 240.0, 60.0 * fastest))
    if plan is None:
        own = Random(f"plan {mode.name} {seed}")
        plan = draw(own, mode.rates, seconds, mode.processes, len(streams))
    return Scenario(
        mode=mode,
        seed=seed,
        streams=streams,
        times=times,
        manners=_manners(random, mode),
        seconds=seconds,
        plan=plan,
    )


def _default_times() -> Times:
    return Times(
        timeout=60,
        settle=60,
        pause=60,
        standby=200,
        window=21_600,
        sweep=300,
        watchdog=300,
        repeat=86_400,
        pickup=1800,
        stuck=86_400,
        job_timeout=0,
    )


def _short_times(random: Random) -> Times:
    timeout, settle, pause = (random.choice((5.0, 8.0, 12.0)) for _ in range(3))
    standby = timeout + settle + pause + 5
    return Times(
        timeout=timeout,
        settle=settle,
        pause=pause,
        standby=standby,
        window=max(random.choice((60.0, 120.0, 600.0)), 3 * standby),
        sweep=random.choice((15.0, 30.0)),
        watchdog=random.choice((15.0, 30.0)),
        repeat=random.choice((300.0, 3600.0)),
        pickup=60,
        stuck=120,
        job_timeout=random.choice((0.0, 120.0)),
    )


def _stream(random: Random, mode: Mode, times: Times, number: int) -> StreamPlan:
    periods = SHORT if random.random() < mode.short_patterns else LONG
    rules: dict[JobKind, Rule] = {}
    for kind in (JobKind.HEALING, JobKind.DUMP):
        if random.random() < 0.75 or (kind is JobKind.DUMP and not rules):
            period = random.choice(periods)
            rules[kind] = Rule(period, random.choice((0, 0, period // 2, period - 1)))
    starts_sync = random.random() < 0.5
    waits = random.random() < 0.7
    return StreamPlan(
        stream=Stream(
            name=f"s{number}",
            jobs_graph=GRAPH,
            error_creator=f"http://lblod.data.gift/services/initiator/s{number}",
            plans=tuple(_plan(kind, number, rules, starts_sync) for kind in JobKind),
            healing_waits=waits,
            freed_by="healShouldNotWaitForInitialSync",
            remedies=_remedies(random, times),
        ),
        rules=rules,
        starts_sync=starts_sync,
        synced=not starts_sync and random.random() < 0.8,
    )


def _plan(kind: JobKind, number: int, rules: dict[JobKind, Rule], starts_sync: bool) -> Plan:  # noqa: FBT001
    found: Any = schedule(rules[kind].pattern) if kind in rules else None
    return Plan(
        kind=kind,
        enabled=starts_sync if kind is JobKind.INITIAL_SYNC else kind in rules,
        enabled_by=f"enable {kind.value}",
        job_operation=f"{OPERATIONS}{kind.slug}/s{number}",
        task_operation=TASK_OPERATIONS + kind.slug,
        schedule=found,
    )


def _remedies(random: Random, times: Times) -> Remedies:
    close = random.random() < 0.3
    timeout = timedelta(seconds=times.job_timeout) if times.job_timeout else None
    return Remedies(
        job_timeout=timeout, close_finished=close, timed_by="jobTimeout", closed_by="closeFinished"
    )


def _manners(random: Random, mode: Mode) -> Manners:
    trouble = mode.consumer_trouble
    return Manners(
        at_once=random.random() < mode.at_once,
        sync_pickup=(20.0, 45.0) if random.random() < 0.5 else (2.0, 5.0),
        work=(0.3, random.choice((2.0, 10.0, 60.0))),
        fails=random.choice((0.0, 0.1, 0.3)),
        hangs=trouble * random.choice((0.0, 0.02)),
        deaf=trouble * random.choice((0.0, 0.02)),
        not_closed=trouble * random.choice((0.0, 0.02)),
    )
