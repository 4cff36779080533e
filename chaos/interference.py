"""What the requests of one process meet on their way to the store, and what came of its writes."""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from dataclasses import replace
from random import Random
from threading import Lock
from typing import TYPE_CHECKING

from chaos.history import Attempt, Trouble
from chaos.plan import delay
from tests.faults import Fault, FaultProxy, first_operation

if TYPE_CHECKING:
    from chaos.events import Hit, Phase
    from chaos.times import Times
    from tests.faults import Answer, Request

CUT = (Fault.FIRST_OPERATION, Fault.FIRST_OPERATION_THEN_500)
# A job or task that a statement makes: the subject of a type.
MADE = re.compile(
    r"<(http://redpencil\.data\.gift/id/(?:job|task)/[^<>]+)>\s+"
    r"(?:a|rdf:type|<http://www\.w3\.org/1999/02/22-rdf-syntax-ns#type>)\s"
)


class Interference:
    """Stands at the proxy of one process, and deals out what the plan has for it."""

    def __init__(self, process: int, proxy: FaultProxy, times: Times, seed: int) -> None:
        self.attempts: list[Attempt] = []
        self.troubles: list[Trouble] = []
        self.met: Counter[str] = Counter()
        self._process = process
        self._proxy = proxy
        self._times = times
        self._random = Random(f"{seed} requests of {process}")
        self._hits: deque[Hit] = deque()
        self._phase: Phase | None = None
        self._refused_since: float | None = None
        self._lock = Lock()
        proxy.choose, proxy.answered, proxy.remember = self._choose, self._answered, False

    def hit(self, hit: Hit) -> None:
        """Let the next request of its kind meet a fault."""
        with self._lock:
            self._hits.append(hit)

    def begin(self, phase: Phase) -> None:
        """Begin a phase, and end the one before."""
        self.calm()
        if phase.fault is Fault.REFUSE:
            self._refused_since = time.time()
            self._proxy.always(Fault.REFUSE)
        else:
            self._phase = phase

    def calm(self) -> None:
        """End whatever is wrong; what is under way is not called back."""
        self._phase = None
        if self._refused_since is not None:
            self._proxy.always(Fault.PASS)
            self.trouble("REFUSE, for a while", self._refused_since, time.time())
            self.met["REFUSE, for a while"] += 1
            self._refused_since = None

    def forget(self) -> None:
        """Drop the hits that nothing has met yet."""
        with self._lock:
            self._hits.clear()

    def trouble(self, what: str, start: float, end: float) -> None:
        """Note that the way to the store was not clear."""
        self.troubles.append(Trouble(process=self._process, what=what, start=start, end=end))

    def _choose(self, request: Request) -> Request:
        fault, seconds = self._fault(request)
        if fault is Fault.PASS:
            return request
        what = name(fault, seconds, self._times, updates=request.is_update)
        self.met[what] += 1
        self.trouble(what, request.came, request.came + seconds)
        return replace(request, fault=fault, delay=seconds)

    def _fault(self, request: Request) -> tuple[Fault, float]:
        with self._lock:
            for hit in self._hits:
                if hit.updates == request.is_update and fits(hit.fault, request):
                    self._hits.remove(hit)
                    return hit.fault, hit.delay if hit.fault is Fault.DELAY else 0.0
        phase = self._phase
        if phase is None or phase.updates != request.is_update or not fits(phase.fault, request):
            return Fault.PASS, 0.0
        if self._random.random() > phase.share:
            return Fault.PASS, 0.0
        slow = phase.fault is Fault.DELAY
        return phase.fault, delay(self._random, self._times) if slow else 0.0

    def _answered(self, request: Request, answer: Answer | None) -> None:
        now = time.time()
        if answer is None:
            self.met["store away"] += 1
            self.trouble("store away", request.came, now)
        text = request.sparql
        uris = MADE.findall(first_operation(text) if request.fault in CUT else text)
        if not uris or not request.is_update:
            return
        done = answer is not None and answer.status < 300  # noqa: PLR2004 - HTTP's own line
        self.attempts.append(
            Attempt(
                process=self._process,
                sent=request.came,
                uris=uris,
                fault=request.fault.name,
                applied=now if done else None,
            )
        )


def fits(fault: Fault, request: Request) -> bool:
    """Tell whether a fault would change anything: half of a single operation is all of it."""
    return fault not in CUT or first_operation(request.sparql) != request.sparql


def name(fault: Fault, seconds: float, times: Times, *, updates: bool) -> str:
    """Name a fault for the result table."""
    what = fault.name
    if fault is Fault.DELAY:
        what = "APPLIED LATE" if seconds > times.timeout else "SLOW"
    return f"{what.replace('_', ' ')}, {'update' if updates else 'query'}"
