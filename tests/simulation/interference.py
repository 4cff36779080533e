"""What a plan does to a world beside its faults: kills, outages, clocks, people, other services."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from jobs.creation import JobRefused
from jobs.model import JOB_BASE, JobKind, NoOperationError, Stream
from jobs.store import StoreError
from tests.simulation.plan import Entry
from tests.simulation.process import NEW_ID
from tests.simulation.scenario import GRAPH
from tests.simulation.triples import Change
from tests.simulation.world import World

KINDS = {kind.slug: kind for kind in JobKind}


@dataclass(eq=False)
class Interference:
    """Plays the entries of a plan."""

    world: World
    planted: dict[str, str | None] = field(default_factory=dict)  # URI and stream
    blocked: set[str] = field(default_factory=set)  # streams with a job that nobody can change
    _before: dict[int, float] = field(default_factory=dict, init=False)  # what clocks go back to

    def arrange(self) -> None:
        """Put everything but the faults of requests into the queue."""
        for entry in self.world.scenario.plan:
            if entry.kind not in ("read", "write"):
                self.world.loop.at(entry.at, self._play, entry)

    def _play(self, entry: Entry) -> None:
        if self.world.resting:
            return
        self.world.faults.count(f"{entry.kind} {entry.what}")
        self.world.trace(f"plan: {entry}")
        getattr(self, f"_{entry.kind}")(entry)

    def _outage(self, entry: Entry) -> None:
        faults = self.world.faults
        faults.outage = entry
        seconds = 1 + entry.amount**2 * 180
        self.world.loop.after(seconds, self._end_outage, entry)

    def _end_outage(self, entry: Entry) -> None:
        if self.world.faults.outage is entry:
            self.world.faults.outage = None
            self.world.trace("the outage ends")

    def _kill(self, entry: Entry) -> None:
        self.world.kill(entry.target)
        seconds = 1 + entry.amount**3 * 120
        self.world.loop.after(seconds, self.world.start, entry.target)

    def _pause(self, entry: Entry) -> None:
        process = self.world.slots.get(entry.target)
        if process and not process.dead:
            process.pause(1 + entry.amount**2 * 120)

    def _clock(self, entry: Entry) -> None:
        offsets, slot = self.world.offsets, entry.target
        match entry.what:
            case "step":
                offsets[slot] = (entry.amount - 0.5) * 150
            case "slip":
                offsets[slot] += (entry.amount - 0.5) * 4
            case "astray":
                before = self._before.setdefault(slot, offsets[slot])
                offsets[slot] += 3600 * (1 if entry.amount > 0.5 else -1)
                self.world.loop.after(5 + 60 * entry.amount, self._correct, slot, before)
            case _:
                raise ValueError(entry.what)

    def _correct(self, slot: int, offset: float) -> None:
        self.world.trace(f"the clock of slot {slot} is corrected")
        self._before.pop(slot, None)
        self.world.offsets[slot] = offset

    def _post(self, entry: Entry) -> None:
        stream, kind = self._stream(entry), KINDS[entry.what]
        for process in self.world.alive()[:1]:
            process.work(self._request, process.domain.creator.request, stream, kind)

    def _delete(self, entry: Entry) -> None:
        stream, kind = self._stream(entry), KINDS[entry.what]
        for process in self.world.alive()[-1:]:
            self.world.ledger.deletes.append((self.world.loop.now, stream.operation(kind)))
            process.work(self._removal, process.domain.reconciler.delete, stream, kind)

    def _request(self, call: object, stream: Stream, kind: JobKind) -> None:
        try:
            call(stream, kind)  # type: ignore[operator]
        except (JobRefused, NoOperationError, StoreError) as error:
            self.world.trace(f"POST {kind.slug} of {stream} fails: {error}")

    def _removal(self, call: object, stream: Stream, kind: JobKind) -> None:
        try:
            call(stream, kind)  # type: ignore[operator]
        except (NoOperationError, StoreError) as error:
            self.world.trace(f"DELETE {kind.slug} of {stream} fails: {error}")
        self.world.ledger.deletes.append((self.world.loop.now, stream.operation(kind)))

    def _retention(self, entry: Entry) -> None:
        """Remove the finished jobs of a stream that are older than some minutes."""
        triples, stream = self.world.triples, self._stream(entry)
        limit = self.world.true_time() - timedelta(seconds=60 + 600 * entry.amount)
        for operation in stream.operations:
            dated = triples.by_date.get(operation, [])
            old = [uri for date, uri in dated if date < limit and not triples.active(uri)]
            for uri in old:
                self._remove(uri)

    def _remove(self, uri: str) -> None:
        triples = self.world.triples
        gone = [*triples.tasks.get(uri, ()), *triples.errors.get(uri, ()), uri]
        changes = [change for one in gone for change in triples.everything_of(one)]
        for change in changes:
            self.world.ledger.removed(change, self.world.loop.now)
        self.world.change(changes)

    def tidy(self) -> None:
        """Remove what other services wrote, but what no update can name: it stays for ever."""
        for uri, name in self.planted.items():
            if not self.world.triples.values(uri, "type"):
                continue
            if uri.startswith("http"):
                self._remove(uri)
            elif name:
                self.blocked.add(name)

    def _foreign(self, entry: Entry) -> None:
        """Let another service write a job with odd data; a person removes most of them later."""
        stream = self._stream(entry)
        number = len(self.planted)
        uri = f"http://example.org/jobs/{number}"
        if entry.what in ("blank", "relative"):
            uri = f"_:b{number}" if entry.what == "blank" else f"jobs/{number}"
        kind = KINDS["dump" if int(entry.amount * 100) % 2 else "healing"]
        if entry.what == "own-two-dates":
            self._second_date(stream.operation(kind))
            return
        self.world.change(self._odd(uri, stream, kind, entry.what))
        self.planted[uri] = stream.name
        if uri.startswith("http") or entry.amount < 0.5:
            self.world.loop.after(10 + 300 * entry.amount, self._remove, uri)

    def _second_date(self, operation: str) -> None:
        """Give the newest job of a tick a second date, as a late update does."""
        triples = self.world.triples
        for created, uri in reversed(triples.by_date.get(operation, [])):
            if uri.startswith(JOB_BASE) and not uri.startswith(JOB_BASE + NEW_ID):
                late = Change(
                    add=True, uri=uri, name="created", value=created + timedelta(seconds=1)
                )
                self.world.change([late])
                return

    def _odd(self, uri: str, stream: Stream, kind: JobKind, what: str) -> list[Change]:
        now = self.world.true_time()
        statuses, created = ["busy"], [now]
        match what:
            case "no-status":
                statuses = []
            case "two-statuses":
                statuses = ["success", "busy"]
            case "unknown-status":
                statuses = ["on hold"]
            case "no-date":
                created = []
            case "year-9999":
                created = [now.replace(year=9999)]
            case "future":
                created, statuses = [now + timedelta(hours=1)], ["success"]
            case _:
                pass  # only its URI is odd
        pairs = [
            ("type", "Job"),
            ("graph", GRAPH),
            ("uuid", uri),
            ("creator", "another service"),
            ("operation", stream.operation(kind)),
            *(("status", one) for one in statuses),
            *(("created", one) for one in created),
        ]
        return [Change(add=True, uri=uri, name=name, value=value) for name, value in pairs]

    def _stream(self, entry: Entry) -> Stream:
        return self.world.scenario.streams[entry.target % len(self.world.scenario.streams)].stream
