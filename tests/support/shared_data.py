"""Find test data that other projects use as well and that is too large for this repository."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.requirements import require

_REPOSITORY = Path(__file__).resolve().parents[2]
ABSENT = "SHARED_DATA is not set, and there is no folder ../shared"


def shared(name: str) -> Path:
    """Return a file of the shared data, or skip the test in a clone that has no such data.

    The folder is SHARED_DATA, by default `shared` beside the repository. If it is set or there, it
    must hold every file. Call this inside a test.
    """
    chosen = os.environ.get("SHARED_DATA")
    folder = (_REPOSITORY / (chosen or "../shared")).resolve()
    if not (chosen or folder.is_dir()):
        # A clone has no way to get this data, so a failure would have no remedy. A marker cannot
        # tell: only these lines know the folder. `left_out` counts and names each such test in the
        # last lines of the report, and tests/test_standing_alone.py checks that.
        pytest.skip(ABSENT)
    path = folder / name
    require(path.exists(), f"{name} is not in {folder}; SHARED_DATA is the folder that holds it")
    return path


def left_out(skipped: Iterable[pytest.TestReport]) -> str | None:
    """Return one line about the tests that were skipped for want of the data; None without any."""
    files = Counter(
        report.nodeid.partition("::")[0] for report in skipped if ABSENT in str(report.longrepr)
    )
    if not files:
        return None
    each = ", ".join(f"{file} ({number})" for file, number in sorted(files.items()))
    return f"{files.total()} tests left out, because {ABSENT}: {each}"
