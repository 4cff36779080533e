"""The network between one process and the store: requests take time, and fail as planned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from jobs.store import Deadline, StoreError, StoreUnavailable
from tests.simulation.ends import EFFECTS, Ends, Sending, in_outage, usual
from tests.simulation.faults import Faults
from tests.simulation.loop import Loop
from tests.simulation.plan import Entry
from tests.simulation.store import Update, VirtualStore
from tests.simulation.triples import Triples

T = TypeVar("T")
RETRIED = 1.4  # seconds that a read takes that fails, with the client's own two retries


@dataclass(kw_only=True, eq=False)
class Wire:
    """The requests of one process."""

    loop: Loop
    store: VirtualStore
    faults: Faults
    random: Random
    slot: int
    name: str
    settle: float
    layered: bool
    kill: Callable[[], None]
    trace: Callable[[str], None] | None
    count: Callable[[], None]

    def read(self, name: str, deadline: Deadline, evaluate: Callable[[Triples], T]) -> T:
        """Answer a query, with what the store holds at the begin or at the end of the request."""
        limit = self._begin(name, deadline)
        fault = self.faults.take("read", self.slot, self.loop.now)
        seconds = self._latency()
        if fault or self.faults.outage:
            return self._bad_read(name, fault, seconds, limit, evaluate)
        early = self.random.random() < 0.5
        answer = evaluate(self.store.triples) if early else None
        self._pass(min(seconds, limit))
        if seconds >= limit:
            raise StoreUnavailable("the store did not answer in time", sent=True)
        return evaluate(self.store.triples) if answer is None else answer

    def write(self, update: Update, deadline: Deadline, send_by: Deadline | None) -> None:
        """Send an update."""
        if send_by and not send_by.remaining:
            raise StoreUnavailable("what was read is out of date", sent=False)
        limit = self._begin(update.name + " " + update.job, deadline)
        fault = self.faults.take("write", self.slot, self.loop.now)
        ends = self._ends(fault, self._latency(), limit, len(update.operations))
        update.gap, update.beyond = ends.gap, ends.beyond
        for index, after in enumerate(ends.runs):
            if after is not None:
                self.loop.after(after, self.store.run, update, index)
        if fault and fault.what == "dies":
            self.loop.after(ends.answered * fault.amount, self.kill)
        self._pass(ends.answered)
        if self.trace and (fault or ends.error):
            self.trace(f"{update.name} {update.job} ends: {ends.error or 'reported as a success'}")
        if ends.error:
            raise ends.error

    def _begin(self, what: str, deadline: Deadline) -> float:
        """Return for how many seconds a request may take."""
        self.count()
        limit = deadline.remaining
        if limit <= 0:
            raise StoreUnavailable("no time is left", sent=False)
        if self.trace:
            self.trace(f"sends {what}")
        return limit

    def _pass(self, seconds: float) -> None:
        self.loop.sleep(seconds)

    def _latency(self) -> float:
        draw = self.random.random()
        if draw < 0.9:
            return 0.002 + draw * 0.03
        return 0.05 + (draw - 0.9) * 5 if draw < 0.99 else 0.5 + (draw - 0.99) * 40

    def _bad_read(
        self,
        name: str,
        fault: Entry | None,
        seconds: float,
        limit: float,
        evaluate: Callable[[Triples], T],
    ) -> T:
        effect = fault.what if fault else _of_outage(self.faults.outage)
        if self.trace:
            self.trace(f"{name}: {effect}")
        answer = evaluate(self.store.triples)
        match effect:
            case "lags" if fault:
                self._pass(fault.amount * 0.95 * limit)
                return answer
            case "refused" | "cut":
                self._pass(min(seconds, limit))
                raise StoreError(f"the store's answer is {effect}")
            case "hangs":
                self._pass(limit)
                raise StoreUnavailable("the store did not answer in time", sent=True)
            case _:
                self._pass(min(RETRIED, limit))
                raise StoreUnavailable("the store is away", sent=False)

    def _ends(self, fault: Entry | None, seconds: float, limit: float, count: int) -> Ends:
        if fault is None and self.faults.outage:
            return in_outage(self.faults.outage.what, limit, count)
        sending = Sending(
            seconds=seconds,
            limit=limit,
            settle=self.settle,
            amount=fault.amount if fault else 0.0,
            count=count,
            gap=self.random.uniform(0.005, 0.05) if self.layered else 0.0,
        )
        return EFFECTS[fault.what](sending) if fault else usual(sending, self.random.random())


def _of_outage(outage: Entry | None) -> str:
    return outage.what if outage else ""
