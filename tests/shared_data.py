"""Find the data that tests share with other projects and that is too large to be kept here."""

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent


def shared(name: str) -> Path:
    """Return a file of the shared data; without it a laptop skips the test and CI fails it.

    The folder is SHARED_DATA, by default `shared` beside the repository. Call it in a test.
    """
    folder = os.environ.get("SHARED_DATA") or "../shared"
    path = (_REPOSITORY / folder / name).resolve()
    if not path.exists():
        reason = f"{name} is not in {path.parent}; set SHARED_DATA to the folder that holds it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
