"""The end of a run: nothing goes wrong any more, and a person ends what hangs."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.model import SERVICE
from tests.simulation.interference import Interference
from tests.simulation.world import World

PATIENCE = 110.0  # seconds that an active job may still take: longer than pick-up and work


@dataclass(eq=False)
class Rest:
    """Brings a world to rest."""

    world: World
    interference: Interference
    before: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """End faults, start every process, correct the clocks, remove what others left."""
        world = self.world
        world.trace("rest begins")
        world.resting = True
        world.faults.stop()
        world.consumers.reliable = True
        for slot in world.offsets:
            world.offsets[slot] = 0.0
            world.start(slot)
        self.interference.tidy()
        self.before = [uri for uri in world.triples.subjects if world.triples.active(uri)]
        world.loop.after(PATIENCE, self._end_hanging)

    def _end_hanging(self) -> None:
        """End the jobs that have hung since the begin, but those that the service has to end."""
        triples = self.world.triples
        for uri in self.before:
            if not (triples.is_job(uri) and triples.active(uri) and triples.tasks.get(uri)):
                continue
            stream = self.world.streams.by_operation(triples.values(uri, "operation")[0])
            if SERVICE in triples.values(uri, "creator") and not stream.remedies.job_timeout:
                for task in list(triples.tasks[uri]):
                    self.world.trace(f"a person ends {uri}")
                    self.world.consumers.end(task)
