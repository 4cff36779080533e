"""The tests in a copy of the repository that has no shared data beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.service import ROOT

FILES = ("tests/corpus/test_cron_corpus.py", "tests/unit/test_cron_describe.py")
COPIED = ("*.py", "*.toml", "commands", "jobs", "settings", "sparql", "tests", "web")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a copy of what these tests need."""
    for path in (path for pattern in COPIED for path in ROOT.glob(pattern)):
        target = tmp_path / "clone" / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, target)
    return tmp_path / "clone"


def run_in_ci(clone: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run tests that read shared data, and others, as CI does."""
    inherited = {name: value for name, value in os.environ.items() if name != "SHARED_DATA"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *FILES],
        cwd=clone,
        env={**inherited, "CI": "true", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_shared_data_one_line_names_the_tests_that_are_left_out(clone: Path) -> None:
    done = run_in_ci(clone)
    assert done.returncode == 0, done.stdout
    [line] = [line for line in done.stdout.splitlines() if "left out" in line]
    number, _, rest = line.partition(" tests left out, because ")
    reason, *files = rest.replace(": ", ", ").split(", tests/")
    assert reason == "SHARED_DATA is not set, and there is no folder ../shared"
    found = {f"tests/{name}": int(count[:-1]) for name, count in (f.split(" (") for f in files)}
    assert tuple(found) == FILES
    assert sum(found.values()) == int(number)
    assert f"{number} skipped" in done.stdout
    assert " passed" in done.stdout, "the other tests of these files run"


def test_with_shared_data_no_test_is_left_out(clone: Path) -> None:
    (clone.parent / "shared").mkdir()
    for done in (run_in_ci(clone), run_in_ci(clone, SHARED_DATA=str(clone / "tests"))):
        assert done.returncode == 1
        assert "SHARED_DATA is the folder that holds it" in done.stdout
        assert "skipped" not in done.stdout
