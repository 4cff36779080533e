"""The service's times, scaled down so that thousands of ticks pass in minutes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Times:
    """What the service is set to, in seconds, and what follows from it for those who judge it."""

    timeout: float = 2.0
    settle: float = 4.0
    sweep: float = 3.0
    longest_pause: float = 2.0
    window: float = 30.0
    error_repeat: float = 3.6  # as short as can be set: that hides no tick's error behind another
    standby: float = 5.0
    ping: float = 0.2

    @property
    def environ(self) -> dict[str, str]:
        """The variables that set a service to these times."""
        return {
            "MU_SPARQL_TIMEOUT": f"{self.timeout:g}",
            "UPDATE_SETTLE_SECONDS": f"{self.settle:g}",
            "SWEEP_SECONDS": f"{self.sweep:g}",
            "RETRY_MAX_SECONDS": f"{self.longest_pause:g}",
            "TICK_WINDOW_MINUTES": f"{self.window / 60:g}",
            "ERROR_REPEAT_HOURS": f"{self.error_repeat / 3600:g}",
            "STANDBY_SECONDS": f"{self.standby:g}",
            "PING_DB_INTERVAL": f"{self.ping:g}",
        }

    @property
    def grace(self) -> float:
        """How long after a fire time a live process may take to say what became of the tick.

        The window, a try that began at its very end, what that try left open, and a standby.
        """
        return self.window + self.timeout + self.longest_pause + self.settle + 2 * self.standby

    @property
    def repair(self) -> float:
        """How long half a job may stay one: seen twice by the sweep, then settled like any write.

        The faults that made it half can hit its repair too, so this is as long as the window.
        """
        return self.window + 2 * self.sweep + self.settle + self.timeout

    @property
    def drain(self) -> float:
        """How long a run goes on without faults, so that whatever is open comes to its end."""
        return max(self.grace, self.repair) + 5
