"""The status page in Chromium: light and dark, on a desktop and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response
from playwright.sync_api import Browser

from tests.support import reports
from tests.support.browser import DESK, PHONE, Visit
from tests.support.http_server import serving
from web import cross_origin
from web.page.render import render
from web.status.report import StatusReport, StreamReport

pytestmark = pytest.mark.browser

SCENES: dict[str, Callable[[], StatusReport]] = {
    "healthy": reports.healthy,
    "stuck job": reports.with_stuck_job,
    "store down": reports.store_down,
    "long texts": lambda: reports.report_of(with_long_texts(), problem="p" * 3000),
}

# The contrast of every text of the page with its background, computed as in WCAG 2.
CONTRASTS = """() => {
  const channel = part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = rgb => rgb.slice(0, 3).map(part => channel(part / 255))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const parts = color => color.match(/[\\d.]+/g).map(Number);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const rgba = parts(getComputedStyle(one).backgroundColor);
      if (rgba.length === 3 || rgba[3] === 1) return rgba;
    }
    throw new Error('no background');
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement, style = getComputedStyle(element);
    if (!texts.currentNode.data.trim() || element.tagName === 'title') continue;
    const color = element instanceof SVGElement ? style.fill : style.color;
    const [low, high] = [light(parts(color)), light(behind(element))].sort((a, b) => a - b);
    found.push([(high + 0.05) / (low + 0.05), texts.currentNode.data.trim()]);
  }
  return found.sort((a, b) => a[0] - b[0]);
}"""


def with_long_texts() -> StreamReport:
    """Return a stream with long texts in which no line can break."""
    word = "w" * 500
    stuck = reports.active(word, trouble=reports.diagnosis(cause=word, message=word, remedy=word))
    kind = reports.kind(
        pattern=word,
        pattern_in_words=word,
        last_job=reports.job(uri=f"urn:{word}"),
        active=(stuck,),
        last_outcome=reports.outcome("waits", reason=word, job=f"http://example.org/{word}"),
    )
    return reports.stream(word, kind, jobs_graph=word, error_creator=word)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Return the pages that are served, by name; each test adds its own.

    They are made in the thread of the test. A test that is skipped or fails in a thread of the
    server leaves the browser without an answer.
    """
    return {}


@pytest.fixture(scope="module")
def address(pages: dict[str, str]) -> Iterator[str]:
    """Serve each page under its name, with the headers of the service."""
    app = Flask(__name__)

    @app.get("/<name>")
    def show(name: str) -> Response:
        return Response(pages[name], mimetype="text/html")

    cross_origin.protect(app)
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def visit(browser: Browser, pages: dict[str, str], address: str) -> Iterator[Any]:
    """Return a function that opens a scene; all are closed after the test."""
    visits: list[Visit] = []

    def open_scene(scene: str, **more: Any) -> Visit:
        pages[scene] = render(SCENES[scene](), reports.BRUSSELS)
        visits.append(Visit(browser, f"{address}/{scene}", **more))
        return visits[-1]

    yield open_scene
    for found in visits:
        found.close()


def test_the_page_shows_streams_next_ticks_and_the_zone(visit: Any) -> None:
    found = visit("healthy")
    names = found.page.get_by_role("heading", level=2).all_inner_texts()
    assert names == ["organizations", "public", "worship-posts", "the environment's stream"]
    table = found.page.get_by_role("table", name="Job kinds of public")
    assert "Sat 2024-01-06 08:11" in table.get_by_role("row", name="dump").inner_text()
    assert "in 1 h 10 min" in table.get_by_role("row", name="dump").inner_text()
    for text in ("Europe/Brussels, UTC+01:00", "http://database:8890/sparql", "Working"):
        assert found.shows(text), text
    found.page.get_by_role("link", name="worship-posts fine").click()
    assert found.page.get_by_role("heading", name="worship-posts").is_visible()


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_stuck_job_and_its_remedy_are_at_the_top(visit: Any, width: int) -> None:
    found = visit("stuck job", width=width)
    heading = found.page.get_by_role("heading", name="1 job is stuck")
    assert heading.bounding_box()["y"] < 500
    for text in ("public, dump: no sign of life", *reports.STEPS, "dump stuck", "healing missed"):
        assert found.shows(text), text
    job = found.page.get_by_role("link", name="http://redpencil.data.gift/id/job/98e14608")
    assert job.get_attribute("rel") == "noreferrer"


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_store_that_is_down_is_shown_at_the_top_and_next_ticks_are_still_shown(
    visit: Any, width: int
) -> None:
    found = visit("store down", width=width)
    banner = found.page.get_by_role("heading", name="The store does not answer")
    assert banner.bounding_box()["y"] < 500
    for text in (reports.REFUSED, "not known", "Sat 2024-01-06 08:11", "every day at 03:00"):
        assert found.shows(text), text


@pytest.mark.parametrize("scene", SCENES)
def test_a_phone_needs_no_scrolling_sideways(visit: Any, scene: str) -> None:
    found = visit(scene, width=PHONE)
    assert found.page.evaluate("document.documentElement.scrollWidth") <= PHONE
    beyond = """width => [...document.body.querySelectorAll(':not(a.uri *, caption *)')]
      .filter(one => one.getBoundingClientRect().right > width).map(one => one.outerHTML)"""
    assert found.page.evaluate(beyond, PHONE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("scene", ["stuck job", "store down"])
def test_all_text_has_enough_contrast_in_both_colour_schemes(
    visit: Any, scene: str, scheme: str
) -> None:
    found = visit(scene, color_scheme=scheme)
    contrasts = found.page.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    assert contrasts[0][0] >= 4.5, contrasts[:5]
    [red, green, blue] = found.page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)"
    )
    assert (red + green + blue > 600) == (scheme == "light")


@pytest.mark.parametrize("scene", SCENES)
def test_the_browser_has_no_errors_and_requests_nothing_else(
    visit: Any, scene: str, address: str
) -> None:
    found = visit(scene)
    assert found.errors == []
    assert [url.replace("%20", " ") for url in found.requests if not url.startswith("data:")] == [
        f"{address}/{scene}"
    ]
    assert found.page.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight") == "650"
