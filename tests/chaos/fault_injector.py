"""Faults for the requests of one process, and a record of its inserts as the proxy saw them."""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from dataclasses import replace
from http import HTTPStatus
from random import Random
from threading import Lock

from tests.chaos.events import FaultPhase, SingleFault
from tests.chaos.history import Disruption, InsertAttempt
from tests.chaos.scenario import delay
from tests.chaos.times import Times
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Answer, Fault, Request
from tests.support.sparql_text import first_operation, operations

PARTIAL_UPDATES = (Fault.FIRST_OPERATION, Fault.FIRST_OPERATION_THEN_500)
REFUSED = "REFUSE, for a while"
# A job or task that a statement inserts: the subject of a type.
INSERTED = re.compile(
    r"<(http://redpencil\.data\.gift/id/(?:job|task)/[^<>]+)>\s+"
    r"(?:a|rdf:type|<http://www\.w3\.org/1999/02/22-rdf-syntax-ns#type>)\s"
)


class FaultInjector:
    """Injects the faults of a scenario at the proxy of one process."""

    def __init__(self, process: int, proxy: FaultProxy, times: Times, seed: int) -> None:
        self.attempts: list[InsertAttempt] = []
        self.disruptions: list[Disruption] = []
        self.injected: Counter[str] = Counter()
        self._process = process
        self._proxy = proxy
        self._times = times
        self._random = Random(f"{seed} requests of {process}")
        self._pending: deque[SingleFault] = deque()
        self._phase: FaultPhase | None = None
        self._refused_since: float | None = None
        self._lock = Lock()
        proxy.choose, proxy.answered, proxy.remember = self._choose, self._answered, False

    def inject_once(self, fault: SingleFault) -> None:
        """Inject a fault into the next request to which it applies."""
        with self._lock:
            self._pending.append(fault)

    def begin_phase(self, phase: FaultPhase) -> None:
        """Begin a phase, and end the one before."""
        self.end_phase()
        if phase.fault is Fault.REFUSE:
            self._refused_since = time.time()
            self._proxy.always(Fault.REFUSE)
        else:
            self._phase = phase

    def end_phase(self) -> None:
        """End the phase, if any; requests that already have a fault keep it."""
        self._phase = None
        if self._refused_since is not None:
            self._proxy.always(Fault.PASS)
            self.record_disruption(REFUSED, self._refused_since, time.time())
            self.injected[REFUSED] += 1
            self._refused_since = None

    def drop_pending(self) -> None:
        """Drop the single faults that no request has got yet."""
        with self._lock:
            self._pending.clear()

    def record_disruption(self, description: str, start: float, end: float) -> None:
        """Record a time in which requests of the process to the store were disturbed."""
        self.disruptions.append(
            Disruption(process=self._process, description=description, start=start, end=end)
        )

    def _choose(self, request: Request) -> Request:
        fault, seconds = self._fault(request)
        if fault is Fault.PASS:
            return request
        description = describe(fault, seconds, self._times, updates=request.is_update)
        self.injected[description] += 1
        self.record_disruption(description, request.received, request.received + seconds)
        return replace(request, fault=fault, delay=seconds)

    def _fault(self, request: Request) -> tuple[Fault, float]:
        with self._lock:
            for single in self._pending:
                if single.updates == request.is_update and has_effect(single.fault, request):
                    self._pending.remove(single)
                    return single.fault, single.delay if single.fault is Fault.DELAY else 0.0
        phase = self._phase
        if phase is None or phase.updates != request.is_update:
            return Fault.PASS, 0.0
        if not has_effect(phase.fault, request) or self._random.random() > phase.share:
            return Fault.PASS, 0.0
        slow = phase.fault is Fault.DELAY
        return phase.fault, delay(self._random, self._times) if slow else 0.0

    def _answered(self, request: Request, answer: Answer | None) -> None:
        now = time.time()
        if answer is None:
            self.injected["store away"] += 1
            self.record_disruption("store away", request.received, now)
        text = request.sparql
        partial = request.fault in PARTIAL_UPDATES
        uris = inserted(first_operation(text) if partial else text)
        if not uris or not request.is_update:
            return
        done = answer is not None and answer.status < HTTPStatus.MULTIPLE_CHOICES
        self.attempts.append(
            InsertAttempt(
                process=self._process,
                sent=request.received,
                uris=uris,
                fault=request.fault.name,
                applied=now if done else None,
            )
        )


def has_effect(fault: Fault, request: Request) -> bool:
    """Return whether a fault changes the result; the first of one operation is all of it."""
    return fault not in PARTIAL_UPDATES or first_operation(request.sparql) != request.sparql


def inserted(text: str) -> list[str]:
    """Return the jobs and tasks that an update inserts, and not those that its conditions name."""
    return [uri for one in operations(text) for uri in INSERTED.findall(one.partition("WHERE")[0])]


def describe(fault: Fault, seconds: float, times: Times, *, updates: bool) -> str:
    """Return a name of a fault for the result table."""
    name = fault.name
    if fault is Fault.DELAY:
        name = "APPLIED LATE" if seconds > times.timeout else "SLOW"
    return f"{name.replace('_', ' ')}, {'update' if updates else 'query'}"
