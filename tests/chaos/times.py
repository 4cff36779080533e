"""The times of the service, so short that thousands of ticks pass within minutes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Times:
    """The times that a service is set to, and the times that an auditor derives from them.

    All are in seconds.
    """

    timeout: float = 2.0
    settle: float = 4.0
    sweep: float = 3.0
    max_retry_pause: float = 2.0
    window: float = 30.0
    error_repeat: float = 3.6  # the minimum, so that few ticks share one error resource
    standby: float = 8.0  # the minimum: timeout, settle time and longest retry pause together
    ping: float = 0.2

    @property
    def environ(self) -> dict[str, str]:
        """The variables that set a service to these times."""
        return {
            "MU_SPARQL_TIMEOUT": f"{self.timeout:g}",
            "UPDATE_SETTLE_SECONDS": f"{self.settle:g}",
            "SWEEP_SECONDS": f"{self.sweep:g}",
            "RETRY_MAX_SECONDS": f"{self.max_retry_pause:g}",
            "TICK_WINDOW_MINUTES": f"{self.window / 60:g}",
            "ERROR_REPEAT_HOURS": f"{self.error_repeat / 3600:g}",
            "STANDBY_SECONDS": f"{self.standby:g}",
            "PING_DB_INTERVAL": f"{self.ping:g}",
        }

    @property
    def max_replicas(self) -> int:
        """How many replicas can act within the window."""
        return math.ceil(self.window / self.standby)

    @property
    def grace(self) -> float:
        """How long after a fire time a running process may take to log the outcome of the tick.

        This is the window, an attempt that began at its very end, the time until the result of
        that attempt is known, and a standby delay.
        """
        return self.window + self.timeout + self.max_retry_pause + self.settle + 2 * self.standby

    @property
    def repair(self) -> float:
        """How long a job may be without a task until the sweep has repaired it.

        The sweep must find it twice, and the repair must settle like any write. The faults that
        broke the job can also hit its repair, so the window is added.
        """
        return self.window + 2 * self.sweep + self.settle + self.timeout

    @property
    def drain(self) -> float:
        """How long a run continues without faults, so that all pending work ends."""
        return max(self.grace, self.repair) + 5
