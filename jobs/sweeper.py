"""Repairs what crashes and twins leave behind: jobs without a task, second values."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from jobs import identity
from jobs.journal import about
from jobs.model import Create, NewJob, Status, Trigger
from jobs.reporter import Report
from jobs.rules import decide
from jobs.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from jobs.initiator import Initiator, Surroundings
    from jobs.model import Plan, Stream
    from jobs.reporter import Reporter
    from jobs.store import HalfJob, JobStore

_log = logging.getLogger(__name__)


class Sweeper:
    """Looks at the jobs of all streams every few minutes and mends what is broken."""

    def __init__(
        self,
        streams: Iterable[Stream],
        store: JobStore,
        initiator: Initiator,
        reporter: Reporter,
        world: Surroundings,
    ) -> None:
        self._plans = {
            plan.job_operation: (stream, plan)
            for stream in streams
            for plan in stream.plans
            if plan.job_operation is not None
        }
        self._store = store
        self._initiator = initiator
        self._reporter = reporter
        self._world = world
        self._policy = world.policy
        self._half_since: Mapping[str, datetime] = {}

    def sweep(self) -> None:
        """Look once; what fails is tried at the next look."""
        if self._initiator.closed:
            return
        try:
            self._mend_second_values()
            self._mend_half_jobs()
        except StoreError as error:
            _log.info("the sweep was not finished: %s", error)
        self._reporter.flush()

    def _mend_second_values(self) -> None:
        mended = self._store.mend_second_values(tuple(self._plans), self._world.deadline())
        for subject in mended:
            _log.warning("removed a second value from %s", subject)

    def _mend_half_jobs(self) -> None:
        """Give a task to jobs that had none at two looks, far enough apart.

        In between, an update that was on its way has had the time to arrive.
        """
        now = self._world.now()
        halves = self._store.half_jobs(tuple(self._plans), self._world.deadline())
        before = self._half_since
        self._half_since = {half.job.uri: before.get(half.job.uri, now) for half in halves}
        for half in halves:
            if now - self._half_since[half.job.uri] >= self._policy.settle:
                self._try_to_mend(half, *self._plans[half.job.operation], now)

    def _try_to_mend(self, half: HalfJob, stream: Stream, plan: Plan, now: datetime) -> None:
        try:
            self._mend(half, stream, plan, now)
        except StoreError as error:
            text, facts = "job %s, which has no task, was not mended: %s", _facts(half, stream)
            _log.info(text, half.job, error, extra=facts)

    def _mend(self, half: HalfJob, stream: Stream, plan: Plan, now: datetime) -> None:
        with self._initiator.turn(stream, self._world.deadline()):
            if half.job.created and now - half.job.created > self._policy.window:
                self._give_up(half, stream, now)
            elif self._allowed(half, stream, plan):
                self._add_task(half, stream, plan)

    def _give_up(self, half: HalfJob, stream: Stream, now: datetime) -> None:
        doubt = None
        try:
            self._store.end(half.job, Status.FAILED, now, self._world.deadline())
        except StoreError as error:
            if not error.in_doubt:
                raise
            doubt = error
        report = Report(
            stream=stream,
            kind=stream.kind_of(half.job),
            thing=half.job.uri,
            what="half",
            at=(half.job.created or now) + self._policy.window,
            message=f"{half.job} has no task and is too old to get one: it was set to failed",
            job=half.job,
        )
        self._reporter.report(report)  # also in doubt: nobody sees the job again if it was failed
        if doubt:
            raise doubt

    def _allowed(self, half: HalfJob, stream: Stream, plan: Plan) -> bool:
        """Return whether the rules would create such a job now, were it not there."""
        state = self._store.state(stream, None, self._world.deadline())
        others = tuple(job for job in state.active if job.uri != half.job.uri)
        decision = decide(plan.kind, stream, replace(state, active=others), Trigger.TICK)
        if not isinstance(decision, Create):
            text, facts = "job %s has no task and can't get one now: %s", _facts(half, stream)
            _log.info(text, half.job, decision, extra=facts)
        return isinstance(decision, Create)

    def _add_task(self, half: HalfJob, stream: Stream, plan: Plan) -> None:
        job = NewJob(
            job_id=half.job_id,
            task_id=identity.first_task(half.job_id),
            graph=half.graph,
            job_operation=half.job.operation,
            task_operation=plan.task_operation,
            created=half.job.created or self._world.now(),
        )
        self._store.add_task(job, self._world.deadline())
        text, facts = "job %s had no task: added %s", _facts(half, stream)
        _log.warning(text, half.job, job.task_uri, extra=facts)


def _facts(half: HalfJob, stream: Stream) -> dict[str, object]:
    return about(stream, stream.kind_of(half.job), job=half.job)
