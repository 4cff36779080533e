"""What some tests need of the machine: in CI all of it must be there."""

from __future__ import annotations

import os

import pytest


def require(present: object, problem: str) -> None:
    """Go on if something is present; otherwise skip the test, or fail it in CI.

    CI leaves out no test. A person who lacks, for example, a browser can run all others, and the
    report of pytest names what is missing and how to get it.
    """
    if present:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{problem}; CI leaves out no test")
    pytest.skip(problem)
