"""The version has one place, and the pipelines are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from settings.version import VERSION
from tests.support.deployments import ROOT, document, schema_complaints

PIPELINES = sorted((ROOT / ".woodpecker").iterdir())
IMAGE = re.compile(r"delta-producer-background-jobs-initiator:(\d[\w.-]*)")
COPIES = [ROOT / "README.md", *(p for p in sorted((ROOT / "deploy").rglob("*")) if p.is_file())]


@pytest.mark.parametrize("path", COPIES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_image_of_this_service_has_the_version(path: Path) -> None:
    assert set(IMAGE.findall(path.read_text())) <= {VERSION}


def test_the_copies_are_found() -> None:
    assert len([path for path in COPIES if IMAGE.search(path.read_text())]) == 4


def test_the_dashboard_says_for_which_version_it_was_made() -> None:
    assert (
        f"version {VERSION} " in document(ROOT / "deploy/monitoring/dashboard.json")["description"]
    )


def test_the_changelog_has_the_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] in (VERSION, "Unreleased")
    assert VERSION in headings


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_a_pipeline_follows_the_schema_of_woodpecker(path: Path) -> None:
    assert schema_complaints("woodpecker-ci", path) == ""


def test_nothing_is_published_before_the_tests() -> None:
    publishing = [path for path in PIPELINES if "docker-buildx" in path.read_text()]
    assert [path.name for path in publishing] == ["feature.yml", "latest.yml", "release.yml"]
    for path in publishing:
        content = document(path)
        assert content["depends_on"] == ["test"]
        events = {condition["event"] for condition in content["when"]}
        (tested,) = document(ROOT / ".woodpecker/test.yml")["when"]
        assert events <= set(tested["event"])
