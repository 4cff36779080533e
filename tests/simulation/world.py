"""One world: the processes, the store, the consumers, and what goes wrong, until all is at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from jobs.composition import compose_domain
from jobs.events import Event
from jobs.model import JobKind, Stream
from jobs.streams import Streams
from tests.simulation.connection import Connection
from tests.simulation.consumers import Consumers
from tests.simulation.faults import Faults
from tests.simulation.firetimes import BASE
from tests.simulation.ledger import Ledger, Life, Recorded, Violation
from tests.simulation.locks import CooperativeLocks
from tests.simulation.loop import Loop
from tests.simulation.process import Process
from tests.simulation.scenario import GRAPH, Scenario
from tests.simulation.service import REAL, Service
from tests.simulation.store import Update, VirtualStore
from tests.simulation.triples import Change, Triples
from tests.simulation.wire import Wire

SYNCED = "http://redpencil.data.gift/id/job/synced-before-"
CHECK_SECONDS = 10.0  # between two times that the operator ends what hangs, at rest


@dataclass(eq=False)
class World:
    """A scenario that is being played; `lines` is its trace if one is wanted."""

    scenario: Scenario
    service: Service = REAL
    lines: list[str] | None = None
    loop: Loop = field(default_factory=Loop)
    ledger: Ledger = field(default_factory=Ledger)
    slots: dict[int, Process] = field(default_factory=dict)
    lives: dict[str, Life] = field(default_factory=dict)
    resting: bool = False
    requests: int = 0
    _shown: tuple[float, datetime] = (0.0, BASE)

    def __post_init__(self) -> None:
        scenario, random = self.scenario, Random(f"clocks {self.scenario.seed}")
        self.store = VirtualStore(self.loop, self._changed)
        self.faults = Faults(scenario.plan)
        self.streams = Streams(one.stream for one in scenario.streams)
        self.consumers = Consumers(
            self.loop,
            self.store,
            f"{scenario.mode.name} {scenario.seed}",
            scenario.manners,
            self.true_time,
            self._ran,
        )
        error = scenario.mode.clock_error
        self.offsets = {
            slot: random.uniform(-error, error) for slot in range(scenario.mode.processes)
        }

    @property
    def triples(self) -> Triples:
        return self.store.triples

    def true_time(self) -> datetime:
        return BASE + timedelta(seconds=self.loop.now)

    def wall(self, slot: int) -> datetime:
        """Return the time that the machine of a slot shows; it is asked for very often."""
        shown = self.loop.now + self.offsets[slot]
        if shown != self._shown[0]:
            self._shown = (shown, BASE + timedelta(seconds=shown))
        return self._shown[1]

    def trace(self, text: str) -> None:
        if self.lines is not None:
            self.lines.append(f"{self.loop.now:10.3f} {text}")

    def begin(self) -> None:
        """Put there what was there before, and start the processes."""
        for plan in self.scenario.streams:
            if plan.synced:
                self.plant(SYNCED + str(plan.stream.name), plan.stream, JobKind.INITIAL_SYNC)
        for slot in range(self.scenario.mode.processes):
            self.loop.after(0.5 * slot, self.start, slot)

    def plant(
        self, uri: str, stream: Stream, kind: JobKind, status: Sequence[str] = ("success",)
    ) -> None:
        """Put a job there that this run did not create."""
        pairs: list[tuple[str, object]] = [
            ("type", "Job"),
            ("graph", GRAPH),
            ("uuid", uri),
            ("creator", "another service"),
            ("operation", stream.operation(kind)),
            ("created", self.true_time() - timedelta(days=1)),
            *(("status", one) for one in status),
        ]
        self.change([Change(add=True, uri=uri, name=name, value=value) for name, value in pairs])

    def change(self, changes: Sequence[Change]) -> None:
        """Change triples as another service does."""
        update = Update(name="other", operations=(), process="other", sent_at=self.loop.now)
        self.store.apply(update, 0, changes)

    def start(self, slot: int) -> None:
        """Start a process in a slot, unless one runs there."""
        if slot in self.slots and not self.slots[slot].dead:
            return
        number = sum(life.slot == slot for life in self.lives.values())
        name = f"p{slot}.{number}"
        random = Random(f"{self.scenario.mode.name} {self.scenario.seed} {name}")
        life = Life(name, slot, self.loop.now)
        process = Process(
            name=name,
            slot=slot,
            loop=self.loop,
            random=random,
            on_failure=lambda text: self.ledger.found.append(
                Violation("exception in the service", text)
            ),
            on_ready=lambda: self._ready(life),
        )
        self.lives[name] = life
        self.ledger.lives.append(life)
        self.slots[slot] = process
        self.trace(f"{name} starts")
        self._compose(process, random)

    def kill(self, slot: int) -> None:
        """Kill the process of a slot."""
        process = self.slots.get(slot)
        if process and not process.dead:
            self.trace(f"{process.name} is killed")
            self.lives[process.name].ended = self.loop.now
            process.kill()

    def alive(self) -> list[Process]:
        return [process for process in self.slots.values() if not process.dead]

    def _compose(self, process: Process, random: Random) -> None:
        times, mode, slot = self.scenario.times, self.scenario.mode, process.slot
        wire = Wire(
            loop=self.loop,
            store=self.store,
            faults=self.faults,
            random=random,
            slot=slot,
            name=process.name,
            settle=times.settle,
            layered=mode.layered,
            kill=lambda: self.crash(process),
            trace=(lambda text: self.trace(f"{process.name} {text}"))
            if self.lines is not None
            else None,
            count=self._count,
        )
        domain = compose_domain(
            self.streams,
            self.service.store(Connection(wire, self.ledger)),
            process.clock(lambda: self.wall(slot), times.timeout),
            times.settings(slot if mode.slots else 0, replicated=mode.slots),
            lambda event: self._recorded(process.name, event),
            locks=CooperativeLocks(self.streams, self.loop),  # type: ignore[arg-type]
        )
        self.service.prepare(domain)
        process.start(domain, lambda: self.wall(slot))

    def crash(self, process: Process) -> None:
        """Kill a process while its request is under way; it starts again soon."""
        if self.slots[process.slot] is process and not process.dead and not self.resting:
            self.kill(process.slot)
            self.loop.after(1.5, self.start, process.slot)

    def _count(self) -> None:
        self.requests += 1

    def _ready(self, life: Life) -> None:
        life.ready = self.loop.now

    def _recorded(self, name: str, event: Event) -> None:
        self.ledger.events.append(Recorded(self.loop.now, name, event))
        if event.result.value == "missed":
            self._check_missed(event)

    def _check_missed(self, event: Event) -> None:
        """Note an error that says that a tick was missed although its job is there for long."""
        operation = event.stream.operation(event.kind)
        for fact in self.ledger.jobs.values():
            there = fact.removed_at is None and fact.operation == operation
            old = fact.applied_at < self.loop.now - 2 * self.scenario.times.timeout
            past = fact.created < event.at + timedelta(minutes=5)  # a later date proves nothing
            if there and old and past and event.tick and fact.created >= event.tick:
                text = f"{event.kind.value} of {event.stream}: tick {event.tick} has {fact.uri}"
                self.ledger.found.append(Violation("false error: missed", text))

    def _ran(self, task: str) -> None:
        self.trace(f"a consumer runs {task}")
        self.ledger.runs.setdefault(task, []).append(self.loop.now)

    def _changed(self, update: Update, changes: Sequence[Change]) -> None:
        """Hear of every change of the store."""
        self.ledger.applied(update, changes, self.loop.now)
        if update.job and self.lines is not None:
            what = f"{len(changes)} changes" if changes else "nothing to do"
            self.trace(f"the store applies {update.name} {update.job} of {update.process}: {what}")
        for change in changes:
            if change.name == "status" and change.add and change.value == "scheduled":
                self.consumers.inserted(change.uri)
            if change.name == "operation" and change.add and "/healing/" in change.value:
                self._healing(update, change.value)
            if (change.name == "operation" and not change.add) or change.value == "success":
                self._note_synced()

    def _note_synced(self) -> None:
        """Note until when each stream has been synced."""
        for one in self.scenario.streams:
            operations = [
                one.stream.operation(kind) for kind in (JobKind.INITIAL_SYNC, JobKind.HEALING)
            ]
            synced = any(self.triples.by_status.get((op, "success")) for op in operations)
            known = self.ledger.synced_until
            if synced:
                known[operations[1]] = float("inf")
            elif known.get(operations[1]) == float("inf"):
                known[operations[1]] = self.loop.now

    def _healing(self, update: Update, operation: str) -> None:
        """Note a healing that is created although its stream was not synced."""
        if update.name != "create" or not operation.startswith(
            "http://redpencil.data.gift/id/jobs/concept/JobOp"
        ):
            return
        stream = self.streams.by_operation(operation)
        until = self.ledger.synced_until.get(operation, float("-inf"))
        if stream.healing_waits and until < update.sent_at - 2 * self.scenario.times.timeout:
            self.ledger.found.append(Violation("healing before a successful sync", update.job))
