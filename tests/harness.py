"""The domain put together on a store in memory, with a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from jobs.initiator import Initiator
from jobs.reporter import Reporter
from jobs.settler import Settler, agendas_of
from jobs.sweeper import Sweeper
from jobs.watchdog import Watchdog
from tests.builders import World
from tests.fakes import FakeJobStore
from web.api import Api
from web.board import Board
from web.health import Health
from web.lookup import Streams
from web.metrics import Metrics
from web.places import Places
from web.server import create_wsgi
from web.views import Views

if TYPE_CHECKING:
    from flask import Flask

    from jobs.model import ErrorResource, Stream


@dataclass
class Harness:
    """Everything between the store and the outside, for these streams."""

    streams: tuple[Stream, ...]
    world: World = field(default_factory=World)
    store: FakeJobStore = field(default_factory=FakeJobStore)
    repeat: timedelta = timedelta(hours=24)
    alive: bool = True

    def __post_init__(self) -> None:
        about = self.world.surroundings()
        self.about = about
        self.reporter = Reporter(self.store, repeat=self.repeat, deadline=about.deadline)
        self.initiator = Initiator(self.streams, self.store, about)
        agendas = [agendas_of(stream, self.world.now, about.policy) for stream in self.streams]
        self.settler = Settler(agendas, self.store, self.initiator, self.reporter, about)
        self.sweeper = Sweeper(self.streams, self.store, self.initiator, self.reporter, about)
        self.watchdog = Watchdog(self.streams, self.store, self.initiator, self.reporter, about)

    def reported(self) -> list[ErrorResource]:
        """Return the errors in the store, after those that wait were given to it."""
        self.reporter.flush()
        return self.store.errors

    def app(self, *, ready: bool = True, most_at_once: int = 4) -> Flask:
        """Return the application on top."""
        named, metrics = Streams(self.streams), Metrics(self.streams)
        health = Health(lambda: self.alive, lambda: ready)
        board = Board(
            streams=self.streams,
            endpoint="http://database:8890/sparql",
            zone=ZoneInfo("Europe/Brussels"),
            store=self.store,
            world=self.about,
            journal=self.world.journal,
            watchdog=self.watchdog,
            health=health,
            started=self.world.now,
        )
        self.world.journal.listen(metrics.note)
        metrics.watch(board.report)
        api = Api(
            streams=named,
            create_job=self.initiator.request,
            clean_jobs=self.settler.clean,
            health=health,
            places=Places(most_at_once),
        )
        views = Views(board=board, metrics=metrics, streams=named, places=Places(most_at_once))
        return create_wsgi(api, views)
