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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from tzlocal import get_localzone

from commands.registration import register
from commands.tools import Tools
from config import ConfigError, Settings, load
from jobs.initiator import Initiator, Surroundings
from jobs.reporter import Reporter
from jobs.scheduler import Chore, TickScheduler
from jobs.settler import Settler, agendas_of
from jobs.startup import Startup
from jobs.sweeper import Sweeper
from jobs.watchdog import Watchdog
from settings.summary import summary
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from web.api import Api
from web.server import MOST_WAITING, Server, create_wsgi

if TYPE_CHECKING:
    from flask import Flask

    from settings.fields import Service

_log = logging.getLogger("service")

EX_CONFIG: Final = 78  # of sysexits.h: the configuration is at fault, a restart won't help
SHUTDOWN_SECONDS: Final = 8  # for a write in flight; docker kills after 10
LEAVE_SECONDS: Final = 0.5  # for what the interpreter does at its exit


def main() -> int:
    """Run the service until SIGTERM or Ctrl-C and return its exit status."""
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EX_CONFIG
    configure_log(settings)
    for line in settings.warnings:
        _log.warning("%s", line)
    for line in summary(settings, utc_now()):
        _log.info("%s", line)
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


def configure_log(settings: Settings) -> None:
    """Log to standard output, one line an event, in the service's time zone."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LogFormatter(settings.zone))
    logging.basicConfig(level=settings.service.log_level, handlers=[handler], force=True)
    for chatty in ("apscheduler", "waitress"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


class LogFormatter(logging.Formatter):
    """Time with zone, level, message."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._zone = zone

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - the base class's
        """Return when the record was made."""
        return datetime.fromtimestamp(record.created, self._zone).isoformat(timespec="milliseconds")


def utc_now() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What is put together from settings, with nothing started."""

    store: SparqlJobStore
    world: Surroundings
    reporter: Reporter
    initiator: Initiator
    settler: Settler
    sweeper: Sweeper
    watchdog: Watchdog
    ready: Event
    app: Flask


def compose(settings: Settings) -> Parts:
    """Put the parts together."""
    service, streams, ready = settings.service, settings.streams, Event()
    world = surroundings(service)
    client = SparqlClient(
        query_url=service.mu_sparql_endpoint,
        update_url=service.update_url,
        new_call_id=new_id,
        log_queries=service.logs_queries,
        log_updates=service.logs_updates,
    )
    store = SparqlJobStore(client)
    repeat = timedelta(hours=service.error_repeat_hours)
    reporter = Reporter(store, repeat=repeat, deadline=world.deadline)
    initiator = Initiator(streams, store, world)
    start = world.now().replace(microsecond=0)
    agendas = [agendas_of(stream, start, world.policy) for stream in streams]
    settler = Settler(agendas, store, initiator, reporter, world)
    api = Api(
        streams,
        create=initiator.request,
        clean=settler.clean,
        is_ready=ready.is_set,
        most_at_once=MOST_WAITING,
    )
    return Parts(
        store=store,
        world=world,
        reporter=reporter,
        initiator=initiator,
        settler=settler,
        sweeper=Sweeper(streams, store, initiator, reporter, world),
        watchdog=Watchdog(streams, store, initiator, reporter, world),
        ready=ready,
        app=create_wsgi(api),
    )


def surroundings(service: Service) -> Surroundings:
    """Return the real clock, chance and limits."""
    return Surroundings(
        now=utc_now,
        monotonic=time.monotonic,
        new_id=new_id,
        chance=random.random,
        seconds=service.mu_sparql_timeout,
        policy=service.policy,
        patience=service.patience,
    )


def serve(settings: Settings) -> int:
    """Answer at once, start up beside that, stop at a signal; return the exit status."""
    parts, stop, service = compose(settings), Event(), settings.service
    try:
        server = Server(parts.app, service.host, service.port)
    except (OSError, ValueError) as error:
        _log.critical("can't listen on %s, port %s: %s", service.host, service.port, error)
        return 1
    signals: list[int] = []

    def ask_to_stop(number: int, _frame: object) -> None:
        signals.append(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    server.start()
    _log.info("listening on %s, port %s", service.host, service.port)
    scheduler = start_up(settings, parts, stop)
    stop.wait()
    _log.info("stopping")
    scheduler.stop()
    server.stop_accepting()
    ended = parts.initiator.close(SHUTDOWN_SECONDS)
    server.finish()
    _log.info("stopped" if ended else "stopped, while the store still owed an answer")
    return leave(0 if signals else 1)


def start_up(settings: Settings, parts: Parts, stop: Event) -> TickScheduler:
    """Begin the way into service in the background; return the scheduler that it will arm."""
    scheduler = TickScheduler(
        parts.settler,
        chores=chores(settings.service, parts),
        flush=parts.reporter.flush,
        now=parts.world.now,
    )
    startup = Startup(
        store=parts.store,
        settler=parts.settler,
        arm=scheduler.start,
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
    return scheduler


def chores(service: Service, parts: Parts) -> list[Chore]:
    """Return what is done again and again beside the ticks."""
    found = [Chore("sweep", parts.sweeper.sweep, timedelta(seconds=service.sweep_seconds))]
    if service.watchdog_minutes:
        every = timedelta(minutes=service.watchdog_minutes)
        found.append(Chore("watchdog", parts.watchdog.look, every))
    return found


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
