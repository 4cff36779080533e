"""Imports point one way: app, then config, then the packages; import-linter sees the packages."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("commands", "jobs", "settings", "sparql", "web")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
MAX_MODULE = 250  # lines
MAX_FUNCTION = 40  # lines


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
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def pure_modules() -> list[Path]:
    """Return the files of the modules and packages that the import contract calls pure."""
    (contract,) = (c for c in CONTRACTS if c["name"].startswith("pure modules"))
    paths = [ROOT / name.replace(".", "/") for name in contract["source_modules"]]
    return [
        file
        for path in paths
        for file in ([path.with_suffix(".py")] if not path.is_dir() else sorted(path.rglob("*.py")))
    ]


def test_config_imports_settings_and_values_only() -> None:
    ours = {name for name in imports(ROOT / "config.py") if name.partition(".")[0] in PACKAGES}
    assert {name.partition(".")[0] for name in ours} <= {"settings", "jobs"}
    assert (
        ours & {"jobs.creation", "jobs.ticks.scheduler", "sparql.client", "sparql.store"} == set()
    )


@pytest.mark.parametrize("file", sources(), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_nothing_imports_the_composition_root(file: Path) -> None:
    assert "app" not in imports(file)


def test_only_the_programs_read_the_environment() -> None:
    """The health check of the image is a program of its own."""
    readers = [
        file.name
        for file in [*sources(), ROOT / "config.py"]
        if {"os", "environ"} & (imports(file) | names(file))
    ]
    assert readers == ["health_check.py"]


def names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("file", pure_modules(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_pure_module_reads_no_clock_and_draws_no_random_number(file: Path) -> None:
    """A value may have a `now` that it was given; `datetime.now()` is not allowed."""
    used = names(file) | clocks(file)
    assert used & {"datetime.now", "utcnow", "today", "uuid4", "getenv", "monotonic"} == set()


def clocks(path: Path) -> set[str]:
    """Return where `now` is read, written out: datetime.now, self.now."""
    tree = ast.parse(path.read_text())
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {ast.unparse(node)[-len("datetime.now") :] for node in found if node.attr == "now"}


def loaded_by(module: str) -> set[str]:
    """Return the modules that the import of one loads."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_health_check_starts_without_the_service() -> None:
    """Docker starts it every half minute."""
    assert not loaded_by("web.health_check") & {"pydantic", "flask", "SPARQLWrapper", "tzlocal"}


def test_the_service_starts_without_what_only_its_commands_need() -> None:
    commands = {f"commands.{name}" for name in ("check", "run_job", "schedule", "status")}
    assert not loaded_by("app") & {*commands, "yaml", "tree_sitter"}


def test_the_composition_root_holds_no_sparql() -> None:
    text = (ROOT / "app.py").read_text()
    assert not [word for word in ("SELECT", "INSERT", "PREFIX", "GRAPH") if word in text]


def test_no_test_asserts_that_something_was_fast() -> None:
    """A busy machine may be slow; the benchmark measures speed."""
    fast = re.compile(r"assert .*(monotonic|perf_counter|time|now)\([\w.]*\) - \w+ <")
    found = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in sorted((ROOT / "tests").rglob("test_*.py"))
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if fast.search(line)
    ]
    assert found == []


def test_functions_are_short() -> None:
    """Nine of ten functions have at most 14 lines, none has more than 40."""
    lengths = sorted(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for file in [*sources(), ROOT / "app.py", ROOT / "config.py"]
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    )
    assert lengths[len(lengths) * 9 // 10] <= 16
    assert lengths[-1] <= MAX_FUNCTION


def test_modules_are_short() -> None:
    lines = {
        str(file.relative_to(ROOT)): file.read_text().count("\n")
        for file in [*sources(), ROOT / "app.py", ROOT / "config.py"]
    }
    assert {name: number for name, number in lines.items() if number > MAX_MODULE} == {}


def test_importing_the_composition_root_starts_nothing() -> None:
    code = "import threading, app; print(threading.active_count())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
