"""Everything that a run needs, set up and taken down: nothing is left running."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from chaos import streams
from chaos.consumer import Consumer
from chaos.history import History
from chaos.interference import Interference
from chaos.operator_calls import Operator
from chaos.processes import Process
from chaos.recorder import Recorder
from chaos.store import Direct, make_store, outage
from chaos.streams import STREAMS
from chaos.times import Times
from tests.faults import FaultProxy

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a run is like; `service` is the folder of the app.py that is put to the test."""

    seconds: float
    seed: int
    store: str
    processes: int
    slots: bool
    adversarial: bool
    folder: Path
    service: Path
    times: Times = field(default_factory=Times)


class Stage:
    """The store, a proxy and a process for each place, and those who play the others."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.over = Flag()  # set when what is wrong must come to its end
        self.events: Counter[str] = Counter()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._set_up(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.over.set()
        self._stack.close()

    def check(self) -> None:
        """Start processes again that ended by themselves; raise what a worker failed of."""
        for process in self.processes:
            process.look_after()
        for worker in (self.consumer, self._recorder, self.operator):
            worker.check()

    def any_ready(self) -> bool:
        """Tell whether the schedules of a process are armed."""
        return any("ready: " in process.log.read_text() for process in self.processes)

    def outage(self, seconds: float) -> None:
        """Stop the store, and start it again."""
        began = time.time()
        outage(self._store, self._directs, seconds, self.over)
        for way in self.ways:
            way.trouble("outage", began, time.time())

    def finish(self, horizon: float) -> History:
        """Stop the service, look at everything once more, and return the history of the run."""
        self.operator.finish()
        for process in self.processes:
            process.stop()
        for worker in (self.consumer, self._recorder):
            worker.finish()
        self._recorder.look_at_all()
        for process in self.processes:
            process.read_logs()
        return self._history(horizon)

    def _set_up(self, stack: ExitStack) -> None:
        options = self.options
        config = options.folder / "config.json"
        config.write_text(streams.config_file(STREAMS), encoding="utf-8")
        self._store = stack.enter_context(make_store(options.store, options.folder))
        self._directs = [Direct(self._store), Direct(self._store)]
        consumer = Consumer(self._directs[0], STREAMS, options.seed, eager=options.adversarial)
        self.consumer = stack.enter_context(consumer)
        self._recorder = stack.enter_context(Recorder(self._directs[1], STREAMS))
        self.ways: list[Interference] = []
        self.processes: list[Process] = []
        for number in range(options.processes):
            proxy = stack.enter_context(FaultProxy(self._store.endpoint))
            self.ways.append(Interference(number, proxy, options.times, options.seed))
            self.processes.append(self._process(number, proxy))
            stack.callback(self.processes[-1].stop)
        self.operator = stack.enter_context(Operator(self.processes))

    def _process(self, number: int, proxy: FaultProxy) -> Process:
        options = self.options
        environ = {
            **options.times.environ,
            **streams.environ(STREAMS),
            "CONFIG_FILE": str(options.folder / "config.json"),
            "MU_SPARQL_ENDPOINT": proxy.url + urlsplit(self._store.endpoint).path,
            "MU_SPARQL_UPDATEPOINT": proxy.url + urlsplit(self._store.update_endpoint).path,
        }
        slot = number if options.slots else 0
        return Process(number, slot, environ, options.folder, options.service)

    def _history(self, horizon: float) -> History:
        return History(
            streams=STREAMS,
            times=self.options.times,
            adversarial=self.options.adversarial,
            horizon=horizon,
            end=time.time(),
            lives=[life for process in self.processes for life in process.lives],
            records=list(self._recorder.book.records.values()),
            attempts=[attempt for way in self.ways for attempt in way.attempts],
            works=self.consumer.works,
            calls=self.operator.calls,
            troubles=[trouble for way in self.ways for trouble in way.troubles],
            faults=sum((way.met for way in self.ways), Counter()),
            events=self.events,
        )
