"""Find test data that other projects use as well and that is too large for this repository."""

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


def shared(name: str) -> Path:
    """Return a file of the shared data; if it is missing, skip the test, or fail it in CI.

    The folder is SHARED_DATA, by default `shared` beside the repository. Call this inside a test.
    """
    folder = os.environ.get("SHARED_DATA") or "../shared"
    path = (_REPOSITORY / folder / name).resolve()
    if not path.exists():
        reason = f"{name} is not in {path.parent}; set SHARED_DATA to the folder that holds it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
