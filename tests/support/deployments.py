"""The files of deploy/, and the programs that check files of their kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def documents(path: Path) -> list[Any]:
    """Return the YAML documents of a file."""
    return list(yaml.safe_load_all(path.read_text()))


def document(path: Path) -> Any:
    """Return the content of a YAML or JSON file."""
    if path.suffix == ".json":
        return json.loads(path.read_text())
    (content,) = documents(path)
    return content


def complaints(module: str, *arguments: object) -> str:
    """Run a checking program that is installed as a module; return what it complains about."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def schema_complaints(schema: str, *paths: Path) -> str:
    """Check files against one of the schemas that check-jsonschema carries."""
    return complaints("check_jsonschema", "--builtin-schema", f"vendor.{schema}", *paths)
