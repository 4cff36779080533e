"""Find test data that other projects use as well and that is too large for this repository."""

import os
from pathlib import Path

from tests.support.requirements import require

_REPOSITORY = Path(__file__).resolve().parents[2]


def shared(name: str) -> Path:
    """Return a file of the shared data, which CI must have.

    The folder is SHARED_DATA, by default `shared` beside the repository. Call this inside a test.
    """
    folder = os.environ.get("SHARED_DATA") or "../shared"
    path = (_REPOSITORY / folder / name).resolve()
    problem = f"{name} is not in {path.parent}; set SHARED_DATA to the folder that holds it"
    require(path.exists(), problem)
    return path
