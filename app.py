"""The composition root: settings, store, initiator, scheduler and server, put together and run.

`python app.py` is the service. Importing this module starts nothing; `flask …` commands find
`create_app`, which serves the API but arms no schedules, so that a reloader can't double them.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from tzlocal import get_localzone

from commands.registration import register
from commands.tools import Tools
from config import ConfigError, Settings, load
from jobs.initiator import Initiator, Surroundings
from jobs.journal import Journal
from jobs.reporter import Reporter
from jobs.scheduler import Chore, TickScheduler
from jobs.settler import Settler, agendas_of
from jobs.startup import Startup
from jobs.sweeper import Sweeper
from jobs.watchdog import Watchdog
from settings import logs
from settings.summary import summary
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from web.api import Api
from web.board import Board
from web.health import Health
from web.lookup import Streams
from web.metrics import Metrics
from web.places import Places
from web.server import MOST_LOOKING, MOST_WAITING, Server, create_wsgi
from web.views import Views

if TYPE_CHECKING:
    from flask import Flask

    from settings.fields import Service

_log = logging.getLogger("service")

EX_CONFIG: Final = 78  # of sysexits.h: the configuration is at fault, a restart won't help
SHUTDOWN_SECONDS: Final = 8  # for a write in flight; docker kills after 10
WAKE_SECONDS: Final = 0.2  # between two looks for a signal
LEAVE_SECONDS: Final = 0.5  # for what the interpreter does at its exit


def main() -> int:
    """Run the service until SIGTERM or Ctrl-C and return its exit status."""
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EX_CONFIG
    logs.configure(settings)
    for warning in settings.warnings:
        _log.warning("%s", warning)
    for line in summary(settings, utc_now()):
        _log.info("%s", line.text, extra=line.extra)
    return serve(settings)


def create_app() -> Flask:
    """Return the application for `flask …` commands: complete, but with nothing started."""
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(EX_CONFIG) from error
    parts = compose(settings)
    tools = Tools(settings=settings, store=parts.store, world=parts.world, pause=time.sleep)
    register(parts.app, tools)
    return parts.app


def load_settings() -> Settings:
    """Read the settings of this process; raise `ConfigError` with every problem."""
    return load(os.environ, lambda path: Path(path).read_text(encoding="utf-8"), get_localzone)


def utc_now() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What is put together from settings, with nothing started."""

    store: SparqlJobStore
    world: Surroundings
    initiator: Initiator
    settler: Settler
    watchdog: Watchdog
    scheduler: TickScheduler
    ready: Event
    app: Flask


def compose(settings: Settings) -> Parts:
    """Put the parts together."""
    service, streams, ready = settings.service, settings.streams, Event()
    journal, metrics = Journal(), Metrics(streams)
    journal.listen(metrics.note)
    world = surroundings(service, journal)
    client = sparql_client(service, metrics)
    store = SparqlJobStore(client)
    repeat = timedelta(hours=service.error_repeat_hours)
    reporter = Reporter(store, repeat=repeat, deadline=world.deadline)
    initiator = Initiator(streams, store, world)
    start = world.now().replace(microsecond=0)
    agendas = [agendas_of(stream, start, world.policy) for stream in streams]
    settler = Settler(agendas, store, initiator, reporter, world)
    sweeper = Sweeper(streams, store, initiator, reporter, world)
    watchdog = Watchdog(streams, store, initiator, reporter, world)
    scheduler = TickScheduler(
        settler,
        chores=chores(service, sweeper, watchdog),
        flush=reporter.flush,
        now=world.now,
    )
    board = Board(
        streams=streams,
        endpoint=service.mu_sparql_endpoint,
        zone=settings.zone,
        store=SparqlJobStore(replace(client, log_queries=False, retry_waits=())),
        world=world,
        journal=journal,
        watchdog=watchdog,
        health=Health(lambda: scheduler.alive, ready.is_set),
        started=world.now(),
    )
    return Parts(
        store=store,
        world=world,
        initiator=initiator,
        settler=settler,
        watchdog=watchdog,
        scheduler=scheduler,
        ready=ready,
        app=web_app(board, metrics, initiator, settler),
    )


def surroundings(service: Service, journal: Journal) -> Surroundings:
    """Return the real clock, chance and limits."""
    return Surroundings(
        now=utc_now,
        monotonic=time.monotonic,
        new_id=new_id,
        chance=random.random,
        seconds=service.mu_sparql_timeout,
        policy=service.policy,
        patience=service.patience,
        note=journal.note,
    )


def sparql_client(service: Service, metrics: Metrics) -> SparqlClient:
    """Return the client of the store."""
    return SparqlClient(
        query_url=service.mu_sparql_endpoint,
        update_url=service.update_url,
        new_call_id=new_id,
        log_queries=service.logs_queries,
        log_updates=service.logs_updates,
        observe=metrics.observe,
    )


def chores(service: Service, sweeper: Sweeper, watchdog: Watchdog) -> list[Chore]:
    """Return what is done again and again beside the ticks."""
    found = [Chore("sweep", sweeper.sweep, timedelta(seconds=service.sweep_seconds))]
    if service.watchdog_minutes:
        every = timedelta(minutes=service.watchdog_minutes)
        found.append(Chore("watchdog", watchdog.look, every))
    return found


def web_app(board: Board, metrics: Metrics, initiator: Initiator, settler: Settler) -> Flask:
    """Return the application with its calls and views."""
    metrics.watch(board.report)
    named = Streams(board.streams)
    api = Api(
        streams=named,
        create_job=initiator.request,
        clean_jobs=settler.clean,
        health=board.health,
        places=Places(MOST_WAITING),
    )
    views = Views(board=board, metrics=metrics, streams=named, places=Places(MOST_LOOKING))
    return create_wsgi(api, views)


def serve(settings: Settings) -> int:
    """Answer at once, start up beside that, stop at a signal; return the exit status."""
    parts, stop, service = compose(settings), Event(), settings.service
    try:
        server = Server(parts.app, service.host, service.port)
    except (OSError, ValueError) as error:
        _log.critical("can't listen on %s, port %s: %s", service.host, service.port, error)
        return 1
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: signals.append(number))
    server.start()
    _log.info("listening on %s, port %s", service.host, service.port)
    start_up(settings, parts, stop)
    # Python looks for signals between two steps: one that comes just as a wait without end begins
    # would never be seen, and a handler that sets an event can meet the event's own lock.
    while not (signals or stop.wait(WAKE_SECONDS)):
        pass
    stop.set()
    _log.info("stopping")
    parts.scheduler.stop()
    server.stop_accepting()
    ended = parts.initiator.close(SHUTDOWN_SECONDS)
    server.finish()
    _log.info("stopped" if ended else "stopped, while the store still owed an answer")
    return leave(0 if signals else 1)


def start_up(settings: Settings, parts: Parts, stop: Event) -> None:
    """Begin the way into service in the background."""
    startup = Startup(
        store=parts.store,
        settler=parts.settler,
        arm=parts.scheduler.start,
        world=parts.world,
        ping_seconds=settings.service.ping_db_interval,
        ready=parts.ready,
        stop=stop,
    )

    def run() -> None:
        try:
            startup.run()
        except Exception:  # noqa: BLE001 - whatever it is, a live server without schedules is worse
            _log.critical("the start failed in an unforeseen way", exc_info=True)
            stop.set()

    Thread(target=run, name="startup", daemon=True).start()


def leave(status: int) -> int:
    """Return `status`, and see to it that the process ends soon.

    The interpreter's own exit waits for the scheduler's workers, and so for a store that hangs.
    """
    Thread(target=end_after, args=[LEAVE_SECONDS, status], daemon=True).start()
    return status


def end_after(seconds: float, status: int) -> None:
    """End the process at once, if it is still there by then."""
    time.sleep(seconds)
    logging.shutdown()
    os._exit(status)


def new_id() -> str:
    """Return an id that nobody had before."""
    return str(uuid4())


if __name__ == "__main__":
    sys.exit(main())
