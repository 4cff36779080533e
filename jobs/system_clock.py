"""The real sources of time and chance; tests and simulations have their own."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from uuid import uuid4

from jobs.clock import Clock


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


def system_clock(timeout: float) -> Clock:
    """Return the machine's clock; `timeout` is in seconds, see `Clock`."""
    return Clock(
        now=utc_now,
        monotonic=time.monotonic,
        new_id=lambda: str(uuid4()),
        random=random.random,
        timeout=timeout,
    )
