"""Everything that a run needs: store, proxies, service processes, consumer and operator."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from urllib.parse import urlsplit

from tests.chaos import streams
from tests.chaos.consumer import Consumer
from tests.chaos.fault_injector import FaultInjector
from tests.chaos.history import History
from tests.chaos.operator_calls import Operator
from tests.chaos.processes import ServiceProcess
from tests.chaos.recorder import Recorder
from tests.chaos.store import DirectClient, make_store, outage
from tests.chaos.streams import STREAMS
from tests.chaos.times import Times
from tests.support.contexts import Resource
from tests.support.fault_proxy import FaultProxy


@dataclass(frozen=True, kw_only=True)
class Options:
    """The parameters of a run; `service` is the folder of the app.py to test."""

    seconds: float
    seed: int
    store: str
    processes: int
    slots: bool
    adversarial: bool
    folder: Path
    service: Path
    times: Times = field(default_factory=Times)


class Testbed(Resource):
    """A store, a proxy for each service process, and the other services of a stack.

    A `with` block sets everything up and leaves nothing running.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.faults_over = Flag()  # set when all faults must end
        self.events: Counter[str] = Counter()
        self.injectors: list[FaultInjector] = []
        self.processes: list[ServiceProcess] = []

    def acquire(self, stack: ExitStack) -> None:
        """Set everything up; only the service processes are started later."""
        options = self.options
        config = options.folder / "config.json"
        config.write_text(streams.config_file(STREAMS), encoding="utf-8")
        self._store = stack.enter_context(make_store(options.store, options.folder))
        self._clients = [DirectClient(self._store), DirectClient(self._store)]
        consumer = Consumer(self._clients[0], STREAMS, options.seed, eager=options.adversarial)
        self.consumer = stack.enter_context(consumer)
        self._recorder = stack.enter_context(Recorder(self._clients[1], STREAMS))
        for number in range(options.processes):
            proxy = stack.enter_context(FaultProxy(self._store.endpoint))
            self.injectors.append(FaultInjector(number, proxy, options.times, options.seed))
            self.processes.append(self._process(number, proxy))
            stack.callback(self.processes[-1].stop)
        self.operator = stack.enter_context(Operator(self.processes))
        stack.callback(self.faults_over.set)

    def check(self) -> None:
        """Restart crashed processes, and raise the error of a worker that failed."""
        for process in self.processes:
            process.restart_if_crashed()
        for worker in (self.consumer, self._recorder, self.operator):
            worker.check()

    def any_ready(self) -> bool:
        """Return whether the schedules of a process are armed."""
        return any("ready: " in process.log.read_text() for process in self.processes)

    def stop_store(self, seconds: float) -> None:
        """Stop the store, and start it again after some seconds."""
        started = time.time()
        outage(self._store, self._clients, seconds, self.faults_over)
        for injector in self.injectors:
            injector.record_disruption("outage", started, time.time())

    def finish(self, horizon: float) -> History:
        """Stop the service, read the whole store once more, and return the history of the run."""
        self.operator.finish()
        for process in self.processes:
            process.stop()
        for worker in (self.consumer, self._recorder):
            worker.finish()
        self._recorder.read_everything()
        for process in self.processes:
            process.read_logs()
        return self._history(horizon)

    def _process(self, number: int, proxy: FaultProxy) -> ServiceProcess:
        options = self.options
        environ = {
            **options.times.environ,
            **streams.environ(STREAMS),
            "CONFIG_FILE": str(options.folder / "config.json"),
            "MU_SPARQL_ENDPOINT": proxy.url + urlsplit(self._store.endpoint).path,
            "MU_SPARQL_UPDATEPOINT": proxy.url + urlsplit(self._store.update_endpoint).path,
        }
        slot = number if options.slots else None
        return ServiceProcess(number, slot, environ, options.folder, options.service)

    def _history(self, horizon: float) -> History:
        return History(
            streams=STREAMS,
            times=self.options.times,
            adversarial=self.options.adversarial,
            horizon=horizon,
            end=time.time(),
            process_runs=[run for process in self.processes for run in process.runs],
            records=list(self._recorder.records.by_uri.values()),
            attempts=[attempt for injector in self.injectors for attempt in injector.attempts],
            task_runs=self.consumer.task_runs,
            calls=self.operator.calls,
            disruptions=[found for injector in self.injectors for found in injector.disruptions],
            faults=sum((injector.injected for injector in self.injectors), Counter()),
            events=self.events,
        )
