"""The ids of the jobs of a start: one for each operation, the same at every try."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from jobs import ids
from jobs.clock import LATEST
from jobs.model import Job, Status, Tick
from jobs.rules import listed
from jobs.store import BoundStore
from jobs.stream_log import log_about

_log = logging.getLogger(__name__)


@dataclass
class StartupIds:
    """Chooses the id of a start's job at the first try, from the newest job before it."""

    _chosen: dict[str, str] = field(default_factory=dict, init=False)

    def id_of(self, tick: Tick, store: BoundStore) -> str:
        """Return the id of the job of a start; raise `StoreError` if it cannot be chosen."""
        operation = tick.stream.operation(tick.kind)
        if operation not in self._chosen:
            # From jobs of every date: after a wrong clock the same id must not come again.
            earlier = store.newest([operation], LATEST)
            previous = earlier[-1].uri if earlier else None
            self._chosen[operation] = ids.startup_job(operation, previous)
            _report_earlier(tick, earlier)
        return self._chosen[operation]


def _report_earlier(tick: Tick, earlier: Sequence[Job]) -> None:
    """Log why a start creates a new initial sync although there was one before."""
    if earlier and not any(job.status is Status.SUCCESS or job.active for job in earlier):
        log = log_about(_log, tick.stream, tick.kind, tick=tick)
        text = "none succeeded yet, and the last one is %s: a new one is due"
        log.info(text, listed(earlier[-1:]))
