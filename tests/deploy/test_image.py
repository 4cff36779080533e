"""What can be known of the image without building it; `script/image check` builds and tries it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from settings.version import VERSION
from tests.support.configuring import ENVIRONMENT
from tests.support.deployments import ROOT

DOCKERFILE = ROOT / "Dockerfile"


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    command = [str(hadolint), "--config", str(ROOT / ".hadolint.yaml"), str(DOCKERFILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_label_has_the_version() -> None:
    assert f'org.opencontainers.image.version="{VERSION}"' in DOCKERFILE.read_text()


def test_the_image_holds_all_that_the_service_needs(tmp_path: Path) -> None:
    """Copy what .dockerignore admits, and start from there what the image starts."""
    admitted = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    for name in admitted:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    environment = ENVIRONMENT | {"MU_SPARQL_ENDPOINT": "http://127.0.0.1:9/sparql"}
    for words, status in (("flask check", 0), ("web.health_check", 1)):
        command = [sys.executable, "-m", *words.split()]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == status, done.stderr


def test_the_script_is_valid() -> None:
    subprocess.run(["bash", "-n", str(ROOT / "script/image")], check=True)
