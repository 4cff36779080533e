"""The verdict on a run. It shares no code with the service, and knows only what was noted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from jobs.events import Result
from jobs.model import SERVICE, JobKind
from tests.simulation import accounting
from tests.simulation.firetimes import seconds
from tests.simulation.interference import Interference
from tests.simulation.ledger import JobFact, Violation
from tests.simulation.process import NEW_ID
from tests.simulation.store import Update
from tests.simulation.triples import Triples
from tests.simulation.world import World

MAX_REQUESTS = 200  # that name one job; a tick of every second asks as often for the last one
MAX_WRITES = 12  # of one job by one process; ever rarer, so that an hour needs no more
SLOW = 0.9  # seconds after which a consumer may have acted on what another process wrote
READ_BEFORE = 1.1  # seconds that the service's reading is before its writing at most
OTHERS = re.compile(
    r"^(.+?): tick (\S+): missed, with (\d+) others? since ([^:]+:[^:]+:[^:]+:\d\d): "
)
MISSED = re.compile(r"^(.+?): tick (\S+?): missed(?:, with \d+ others? since \S+?)?: (.*)$")
BEHIND = re.compile(r"^behind the [a-z ]+, which waits: ")
FAILED = re.compile(r"job (\S+) is failed, and its unfinished tasks with it")


def audit(world: World, interference: Interference) -> list[Violation]:
    """Return everything that is wrong with a finished run."""
    scenario, ledger = world.scenario, world.ledger
    blocked = interference.blocked
    return [
        *ledger.found,
        *_run_twice(world),
        *_two_jobs(world),
        *_left(world, blocked),
        *_errors(world),
        *_unreported(world),
        *_requests(world),
        *accounting.unaccounted(scenario, ledger, blocked),
        *(
            Violation("wrong number of superseded ticks", one)
            for one in accounting.wrong_counts(scenario, ledger)
        ),
    ]


def _run_twice(world: World) -> Iterator[Violation]:
    for task, runs in world.ledger.runs.items():
        if len(runs) > 1:
            job = next(iter(world.triples.values(task, "job")), "")
            why = _remainder(world, job)
            times = ", ".join(f"{at:.1f}" for at in runs)
            detail = f"{task} of {job} at {times}" + (f" ({why})" if why else "")
            yield Violation(f"task run twice{': ' + why if why else ''}", detail, known=bool(why))


def _remainder(world: World, job: str) -> str:
    """Return which known limit explains that a task ran twice; empty if none does."""
    mode, updates = world.scenario.mode, world.ledger.updates.get(job, [])
    if any(update.beyond for update in updates):
        return "applied after the settle time"
    if mode.layered and any(update.gap > SLOW for update in updates):
        return "gap of the authorization layer"
    how = "consumer acts at once" if world.scenario.manners.at_once else "slow write"
    if mode.processes > 1 and not mode.slots and _crossed(updates):
        return f"two processes in one slot, {how}"
    return ""


def _crossed(updates: list[Update]) -> bool:
    """Return whether one process read the state before another one's write was applied."""
    return any(
        first.process != second.process
        and not second.guarded
        and any(second.sent_at - READ_BEFORE <= at for at, _, _ in first.applied)
        for first in updates
        for second in updates
    )


def _two_jobs(world: World) -> Iterator[Violation]:
    by_tick: dict[tuple[str, datetime], list[JobFact]] = {}
    for fact in world.ledger.jobs.values():
        if f"/job/{NEW_ID}-" not in fact.uri:  # not by a person's request
            by_tick.setdefault((fact.operation, fact.created), []).append(fact)
    for facts in by_tick.values():
        if len(facts) > 1:
            yield Violation("two jobs for a tick", ", ".join(fact.uri for fact in facts))
    for plan in world.scenario.streams:
        operation = plan.stream.operation(JobKind.INITIAL_SYNC)
        deleted = any(one == operation for _, one in world.ledger.deletes)
        good = [
            fact.uri
            for fact in world.ledger.jobs.values()
            if fact.operation == operation
            and f"/job/{NEW_ID}-" not in fact.uri
            and {"busy", "success"} & set(world.triples.values(fact.uri, "status"))
        ]
        if len(good) > 1 and not deleted:
            yield Violation("two initial syncs", ", ".join(good))


def _left(world: World, blocked: set[str]) -> Iterator[Violation]:
    """Yield what should have been repaired when nothing went wrong any more."""
    triples, scenario = world.triples, world.scenario
    old = scenario.seconds + 30
    for uri, fact in world.ledger.jobs.items():
        stream = world.streams.by_operation(fact.operation)
        if not triples.active(uri) or fact.applied_at > old or stream.name in blocked:
            continue
        if not triples.tasks.get(uri):
            if not _waits_for_sync(world, fact):
                yield Violation("job without task left", uri)
        elif stream.remedies.job_timeout:
            yield Violation("silent job not failed", uri)
    yield from _left_values(triples)
    yield from _no_initial_sync(world, blocked)


def _left_values(triples: Triples) -> Iterator[Violation]:
    for uri in triples.duplicates:
        owners = triples.values(uri, "job") or [uri]
        if any(SERVICE in triples.values(owner, "creator") for owner in owners):
            yield Violation("duplicate values left", uri)
    for job, tasks in triples.tasks.items():
        waiting = [task for task in tasks if "scheduled" in triples.values(task, "status")]
        if waiting and not triples.is_job(job):  # a consumer can be faster than the sweep
            yield Violation("task without job left", ", ".join(waiting))


def _waits_for_sync(world: World, fact: JobFact) -> bool:
    """Return whether a healing may not get its task: the initial sync was removed meanwhile."""
    stream = world.streams.by_operation(fact.operation)
    healing = fact.operation == stream.operation(JobKind.HEALING)
    synced = world.ledger.synced_until.get(fact.operation) == float("inf")
    given_up = seconds(fact.created) + world.scenario.times.window
    return healing and stream.healing_waits and not synced and given_up > world.scenario.seconds


def _no_initial_sync(world: World, blocked: set[str]) -> Iterator[Violation]:
    for plan in world.scenario.streams:
        operation = plan.stream.operation(JobKind.INITIAL_SYNC)
        tried = any(fact.operation == operation for fact in world.ledger.jobs.values())
        tried |= any(one == operation for _, one in world.ledger.deletes)  # a person's decision
        if plan.starts_sync and not tried and plan.stream.name not in blocked:
            yield Violation("initial sync given up", str(plan.stream))


def _errors(world: World) -> Iterator[Violation]:
    """Check the stored errors: each once per period, and true."""
    triples, repeat = world.triples, world.scenario.times.repeat
    dates: dict[tuple[str, ...], list[float]] = {}
    for uri, properties in list(triples.subjects.items()):
        if "Error" in properties.get("type", ()):
            message, created = properties["message"][0], properties["created"][0]
            dates.setdefault(_cause(message), []).append(seconds(created))
            yield from _untrue(world, uri, message)
    for cause, known in dates.items():
        known.sort()
        for first, second in pairwise(known):
            if second - first < repeat - 1:
                text = f"{' '.join(cause)} at {first:.0f} and {second:.0f}"
                yield Violation("error stored twice", text)


def _unreported(world: World) -> Iterator[Violation]:
    """Yield missed ticks of lasting processes that no stored error tells of."""
    rates = world.scenario.mode.rates
    if rates.deletes or rates.retention:
        return  # they remove errors with their jobs
    messages = [
        properties["message"][0]
        for properties in world.triples.subjects.values()
        if "Error" in properties.get("type", ())
    ]
    reported = {_cause(message)[0] for message in messages if MISSED.match(message)}
    lasting = {life.name for life in world.ledger.lives if life.ended is None}
    for noted in world.ledger.events:
        name = f"{noted.event.kind.value} of {noted.event.stream}"
        missed = noted.event.result is Result.MISSED and noted.process in lasting
        if missed and name not in reported and noted.at < world.scenario.end - 60:
            yield Violation("missed without a stored error", name)


def _cause(message: str) -> tuple[str, ...]:
    """Return what an error is about, by its words."""
    missed = MISSED.match(message)
    if not missed:
        schedule, job, cause = (*message.split(": ", 3), "", "")[:3]
        return (schedule, job, cause if job.startswith("job ") else "")
    schedule, _, why = missed.groups()
    why = BEHIND.sub("", why)
    if why.startswith("active:"):
        return (schedule, "missed", "active job")
    if why.startswith("no initial sync"):
        return (schedule, "missed", "no initial sync")
    own = why.startswith(("it was left over", "it could not be tried", "an error in the service"))
    return (schedule, "missed", "service" if own else "store")


def _untrue(world: World, uri: str, message: str) -> Iterator[Violation]:
    failed, others = FAILED.search(message), OTHERS.match(message)
    if failed and world.triples.active(failed.group(1)):
        yield Violation("false error: not failed", message)
    if others:
        schedule, tick, number, since = others.groups()
        rule = next(
            rule
            for plan in world.scenario.streams
            for kind, rule in plan.rules.items()
            if f"{kind.value} of {plan.stream}" == schedule
        )
        begin, end = (seconds(datetime.fromisoformat(one)) for one in (since, tick))
        if int(number) != min(rule.count(begin - 0.5, end), 10_000):
            yield Violation("false error: number of others", message)
    missed = MISSED.match(message)
    if missed and missed.group(3).startswith("it was left over"):
        tick_at = seconds(datetime.fromisoformat(missed.group(2)))
        later = any(tick_at < life.began + 5 for life in world.ledger.lives)
        if not (later or world.scenario.mode.rates.clocks):
            yield Violation("false error: no process could leave it", message)


def _requests(world: World) -> Iterator[Violation]:
    lives = len(world.ledger.lives)
    for (name, job), number in world.ledger.requests.items():
        limit = (MAX_WRITES if name == "create" else MAX_REQUESTS) * lives
        if number > limit:
            yield Violation("too many requests for one job", f"{number} times {name} {job}")
