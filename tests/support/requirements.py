"""What some tests need of the machine."""

from __future__ import annotations

import pytest


def require(present: object, problem: str) -> None:
    """Go on if something is present; otherwise fail the test, and say how to get it.

    No test is skipped for want of a program. Who lacks one leaves its tests out by their marker, as
    `script/test` does outside of CI, with a line for each.
    """
    if not present:
        pytest.fail(problem, pytrace=False)
