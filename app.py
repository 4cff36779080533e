"""The composition root: makes the parts from the settings, and runs the service.

`python app.py` is the service. Importing this module starts nothing. `flask …` commands find
`create_app`, which serves the API but starts no schedules, so that a reloader cannot double them.
"""

# ruff: noqa: E402 - signals are handled before the imports that take time

from __future__ import annotations

import gc
import os
import signal

SIGNALS = (signal.SIGTERM, signal.SIGINT)

if __name__ == "__main__":
    gc.disable()  # Imports leave little garbage; looking for it takes a fifteenth of the start
    # Until `serve` replaces these handlers, nothing runs that has to be stopped. Without a handler
    # SIGTERM ends a process with another status than 0, and process 1 of a container ignores it.
    for _number in SIGNALS:
        signal.signal(_number, lambda *_: os._exit(0))

import logging
import sys
import time
from dataclasses import dataclass, replace
from datetime import tzinfo
from threading import Event, Thread
from typing import Final

from flask import Flask

from commands import command_app, for_commands
from commands.context import CallContext, CommandContext, Contexts
from commands.output import or_exit
from config import Settings, load, load_service
from jobs.clock import Clock
from jobs.composition import Domain, compose_domain
from jobs.store import JobStore
from jobs.system_clock import system_clock, utc_now
from jobs.ticks.startup import Startup
from settings import log_format
from settings.fields import Service as ServiceFields
from settings.loaded_files import modified_at, read_text
from settings.local_zone import local_zone
from settings.log_queue import LogQueue
from settings.startup_log import summary
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from web.api import Api
from web.health import NO_SCHEDULES, Health
from web.limits import ConcurrencyLimit
from web.metrics import Metrics
from web.server import MAX_PROBES, MAX_SCRAPES, MAX_VIEWS, MAX_WAITING, Server, create_wsgi
from web.status.reader import StatusReader, status_reader
from web.views import Views

_log = logging.getLogger("service")

SHUTDOWN_SECONDS: Final = 8  # for a write that is under way
STOP_SECONDS: Final = 9.3  # for the whole stop, whatever hangs; docker kills after 10
POLL_SECONDS: Final = 0.2  # between two checks for a signal, and of the clock
EXIT_SECONDS: Final = 0.5  # for what the interpreter does at its exit


def main() -> int:
    """Run the service until SIGTERM or Ctrl-C, and return its exit status."""
    settings = valid_settings()
    log = log_format.configure(settings)
    for warning in settings.warnings:
        _log.warning("%s", warning)
    for line in summary(settings, utc_now()):
        line.log(_log)
    return serve(settings, log)


def create_app() -> Flask:
    """Return the application for `flask …`, with nothing started; `--help` reads no settings."""
    if for_commands():
        return command_app(Contexts(command_context, call_context))
    service = compose(valid_settings())
    service.health.unarmed = NO_SCHEDULES
    _log.warning("%s", NO_SCHEDULES)
    return service.app


def command_context() -> CommandContext:
    """Return what a command works with that reads the whole configuration."""
    settings = valid_settings()
    return CommandContext(settings, call_context_of(settings.service, settings.zone))


def call_context() -> CallContext:
    """Return what a command works with that calls the service."""
    environ = os.environ
    return call_context_of(*or_exit(lambda: load_service(environ, lambda: local_zone(environ))))


def call_context_of(service: ServiceFields, zone: tzinfo) -> CallContext:
    """Return what a command works with that calls the service, with these settings."""
    clock = system_clock(service.mu_sparql_timeout)
    store = SparqlJobStore(sparql_client(service, clock, Metrics()))
    return CallContext(service, zone, store, clock, time.sleep)


def valid_settings() -> Settings:
    """Return the settings, or print every problem and end with exit status 78."""
    return or_exit(load_settings)


def load_settings() -> Settings:
    """Return the settings of this process; raise `ConfigError` with every problem."""
    environ = os.environ
    return load(environ, read_text, lambda: local_zone(environ), modified_at)


@dataclass(frozen=True)
class Service:
    """The domain and the web application on top; `ready` is set when the schedules run."""

    domain: Domain
    status: StatusReader
    health: Health
    metrics: Metrics
    ready: Event
    app: Flask


def compose(
    settings: Settings,
    *,
    clock: Clock | None = None,
    store: JobStore | None = None,
    max_calls: int = MAX_WAITING,
    max_views: int = MAX_VIEWS,
) -> Service:
    """Make the whole service; tests pass their own clock, store and limits."""
    clock = clock or system_clock(settings.service.mu_sparql_timeout)
    metrics = Metrics()
    client = sparql_client(settings.service, clock, metrics)
    domain = compose_domain(
        settings.streams,
        store or SparqlJobStore(client),
        clock,
        settings.domain,
        metrics.note,
    )
    ready = Event()
    health = Health(lambda: domain.scheduler.alive, ready.is_set, domain.monitor.overdue)
    # It is read often, and a person waits for it: without log lines and retries.
    quiet = store or SparqlJobStore(replace(client, log_queries=False, retry_pauses=()))
    status = status_reader(settings, domain, quiet, health)
    metrics.watch(status.report, settings.streams)
    create, delete = domain.creator.request, domain.reconciler.delete
    api = Api(settings.streams, create, delete, health, ConcurrencyLimit(max_calls))
    limits = map(ConcurrencyLimit, (max_views, MAX_PROBES, MAX_SCRAPES))
    app = create_wsgi(api, Views(status, metrics, settings.streams, *limits))
    return Service(domain, status, health, metrics, ready, app)


def sparql_client(service: ServiceFields, clock: Clock, metrics: Metrics) -> SparqlClient:
    """Return the client of the store."""
    return SparqlClient(
        query_url=service.mu_sparql_endpoint,
        update_url=service.update_url,
        new_id=clock.new_id,
        log_queries=service.logs_queries,
        log_updates=service.logs_updates,
        observe=metrics.observe,
    )


def serve(settings: Settings, log: LogQueue) -> int:
    """Answer at once, start up in the background, stop at a signal; return the exit status."""
    signals = record_signals()
    service, stop, fields = compose(settings), Event(), settings.service
    service.metrics.log_lines_dropped = lambda: log.dropped
    gc.freeze()  # No collection goes through what lives as long as the process
    gc.enable()
    try:
        server = Server(service.app, fields.host, fields.port)
    except (OSError, ValueError) as error:
        _log.critical("can't listen on %s, port %s: %s", fields.host, fields.port, error)
        return 1
    server.start()
    _log.info("listening on %s, port %s", fields.host, fields.port)
    if not signals:
        start_up(fields.ping_db_interval, service, stop)
    # Python handles signals between two steps. One that comes just before an endless wait would
    # not be handled, and a handler that sets an event could block on the event's own lock.
    while not (signals or stop.wait(POLL_SECONDS)):
        service.domain.scheduler.check_clock()
    stop.set()
    status = 0 if signals else 1
    exit_after(STOP_SECONDS, status)
    end(service, server)
    exit_after(EXIT_SECONDS, status)
    return status


def end(service: Service, server: Server) -> None:
    """Begin nothing new, and wait a bounded time for work and answers that are under way."""
    _log.info("stopping")
    service.domain.scheduler.stop()
    server.stop_accepting()
    ended = service.domain.locks.close(service.domain.clock.deadline(SHUTDOWN_SECONDS))
    server.finish()
    _log.info("stopped" if ended else "stopped, while the store still owed an answer")


def record_signals() -> list[int]:
    """Return the list to which each signal that stops the service is added from now on."""
    signals: list[int] = []
    for number in SIGNALS:
        signal.signal(number, lambda number, _frame: signals.append(number))
    return signals


def start_up(ping_seconds: float, service: Service, stop: Event) -> None:
    """Begin the start in the background; `stop` ends it, and is set if it fails."""
    domain = service.domain
    Startup(
        store=domain.store,
        reconciler=domain.reconciler,
        start_schedules=domain.scheduler.start,
        clock=domain.clock,
        ping_seconds=ping_seconds,
        ready=service.ready,
        stop=stop,
    ).begin()


def exit_after(seconds: float, status: int) -> None:
    """End the process after some seconds, if it has not ended by then.

    The interpreter's own exit waits for the scheduler's workers, and so for a store that hangs.
    """

    def run() -> None:
        time.sleep(seconds)
        logging.shutdown()
        os._exit(status)

    Thread(target=run, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
