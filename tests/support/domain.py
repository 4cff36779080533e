"""The service put together on a store in memory, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from app import Service, compose
from config import Settings
from jobs.composition import compose_domain
from jobs.domain_settings import DomainSettings
from jobs.events import Event
from jobs.maintenance.diagnosis import StuckThresholds
from jobs.model import Stream
from jobs.store import ErrorResource
from jobs.streams import Streams
from jobs.ticks.policy import TickPolicy
from settings.fields import Service as ServiceFields
from tests.support.builders import TestClock
from tests.support.fakes import FakeJobStore


@dataclass
class Harness:
    """Everything between the store and the outside, for these streams."""

    streams: tuple[Stream, ...]
    clock: TestClock = field(default_factory=TestClock)
    store: FakeJobStore = field(default_factory=FakeJobStore)
    policy: TickPolicy = field(default_factory=TickPolicy)
    thresholds: StuckThresholds = field(default_factory=StuckThresholds)
    repeat: timedelta = timedelta(hours=24)
    configured: datetime | None = None
    recorded: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = DomainSettings(
            policy=self.policy,
            thresholds=self.thresholds,
            error_repeat=self.repeat,
            configured=self.configured,
        )
        self.domain = compose_domain(
            Streams(self.streams), self.store, self.clock.clock(), settings, self.recorded.append
        )
        self.reporter, self.creator = self.domain.reporter, self.domain.creator
        self.reconciler, self.events = self.domain.reconciler, self.domain.events
        self.confirmation, self.scheduler = self.domain.confirmation, self.domain.scheduler
        self.sweeper, self.watchdog = self.domain.sweeper, self.domain.watchdog

    def reported(self) -> list[ErrorResource]:
        """Return the errors in the store, after those that wait were written."""
        self.reporter.flush()
        return self.store.errors


def service_of(
    *streams: Stream,
    clock: TestClock | None = None,
    store: FakeJobStore | None = None,
    ready: bool = True,
    environ: Mapping[str, str] | None = None,
    **limits: Any,
) -> Service:
    """Return the service as `app.compose` makes it, with these streams and nothing started."""
    settings = Settings(
        service=ServiceFields.model_validate(environ or {}),
        streams=Streams(streams),
        zone=ZoneInfo("Europe/Brussels"),
        warnings=(),
    )
    real = (clock or TestClock()).clock()
    service = compose(settings, clock=real, store=store or FakeJobStore(), **limits)
    if ready:
        service.ready.set()
    return service


def app_of(*streams: Stream, **options: Any) -> Flask:
    """Return the web application with these streams."""
    return service_of(*streams, **options).app
