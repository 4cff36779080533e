"""What the settings of replicas need of each other."""

from __future__ import annotations

from settings.fields import Service
from settings.problems import Problems
from settings.sources import ENVIRONMENT


def check_replicas(service: Service, problems: Problems) -> None:
    """Report a standby time in which two replicas could write for the same tick.

    A replica stands by until every write of the replica before must have arrived. Its window must
    leave time for that.
    """
    least = service.min_standby_seconds
    if service.standby_seconds is not None and service.standby_seconds < least:
        problem = "shorter than MU_SPARQL_TIMEOUT + UPDATE_SETTLE_SECONDS + RETRY_MAX_SECONDS"
        fix = f"unset it, or set at least {least:g}"
        where = f"{ENVIRONMENT} STANDBY_SECONDS"
        problems.error(where, problem, fix, f"{service.standby_seconds:g}")
    delay = service.standby_delay.total_seconds() / 60
    if service.replica and service.tick_window_minutes <= delay:
        problem = f"over before replica {service.replica} may create a job, after {delay:g} minutes"
        where = f"{ENVIRONMENT} TICK_WINDOW_MINUTES"
        fix = f"set more than {delay:g}, or start fewer replicas"
        problems.error(where, problem, fix, f"{service.tick_window_minutes:g}")
