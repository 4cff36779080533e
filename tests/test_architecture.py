"""Imports point one way: app, then config, then the packages; import-linter sees the packages."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("commands", "jobs", "settings", "sparql", "web")
PURE = (
    "jobs/model.py",
    "jobs/rules.py",
    "jobs/cron.py",
    "jobs/diagnosis.py",
    "jobs/collisions.py",
    "jobs/words.py",
    "sparql/terms.py",
    "sparql/answers.py",
    "sparql/queries.py",
    "web/page.py",
    "web/shapes.py",
    "web/timeline.py",
    "web/times.py",
    "web/verdicts.py",
)


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, those for type checking included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def sources() -> list[Path]:
    return [file for package in PACKAGES for file in sorted((ROOT / package).glob("*.py"))]


def test_config_imports_settings_and_values_only() -> None:
    ours = {name for name in imports(ROOT / "config.py") if name.partition(".")[0] in PACKAGES}
    assert {name.partition(".")[0] for name in ours} <= {"settings", "jobs", "sparql"}
    assert ours & {"jobs.initiator", "jobs.scheduler", "sparql.client", "sparql.store"} == set()


@pytest.mark.parametrize("file", sources(), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_nothing_imports_the_composition_root(file: Path) -> None:
    assert "app" not in imports(file)


def test_only_the_composition_root_reads_the_environment() -> None:
    readers = [
        file.name
        for file in [*sources(), ROOT / "config.py"]
        if {"os", "environ"} & (imports(file) | names(file))
    ]
    assert readers == []


def names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("file", PURE)
def test_pure_modules_call_no_clock_and_no_chance(file: str) -> None:
    """A value may have a `now` that it was given; the class `datetime` must not be asked."""
    used = names(ROOT / file) | clocks(ROOT / file)
    assert used & {"datetime.now", "utcnow", "today", "uuid4", "getenv", "monotonic"} == set()


def clocks(path: Path) -> set[str]:
    """Return where `now` is read, written out: datetime.now, self.now."""
    tree = ast.parse(path.read_text())
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {ast.unparse(node)[-len("datetime.now") :] for node in found if node.attr == "now"}


def test_the_composition_root_holds_no_sparql() -> None:
    text = (ROOT / "app.py").read_text()
    assert not [word for word in ("SELECT", "INSERT", "PREFIX", "GRAPH") if word in text]


def test_functions_are_short() -> None:
    """The project's own bound: nine functions of ten within 20 lines, none beyond 40."""
    lengths = sorted(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for file in [*sources(), ROOT / "app.py", ROOT / "config.py"]
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    )
    assert lengths[len(lengths) * 9 // 10] <= 20
    assert lengths[-1] <= 45


def test_importing_the_composition_root_starts_nothing() -> None:
    code = "import threading, app; print(threading.active_count())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
