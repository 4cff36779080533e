"""The status page of the real process on a real store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from tests.support import stack
from tests.support.browser import DESK, PHONE, Visit
from tests.support.servers import Oxigraph, Store, update
from tests.support.service import ENVIRONMENT, Service, eventually
from tests.support.shared_data import shared

pytestmark = pytest.mark.browser

STREAMS = "files/app-organization-portal--config--HEAD--11817ea.json"
OPERATIONS = "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/"
SYNC, HEALING, DUMP = "initialPublicationGraphSyncing", "healingOperation", "deltaDumpFileCreation"
GRAPH = "http://mu.semte.ch/graphs/jobs"
STUCK = "http://redpencil.data.gift/id/job/98e14608-b84b-57ed-b9e9-d7388f638a1e"
DISPLAYS = list(product([DESK, PHONE], ["light", "dark"]))
FIFTY = 50


def job_text(operation: str, status: str, age: timedelta, uri: str | None = None) -> str:
    """Return the Turtle of a job of this age, last modified five minutes later, and its task."""
    job = uri or f"http://redpencil.data.gift/id/job/{uuid4()}"
    created = datetime.now(UTC) - age
    dates = (
        f'dct:created "{created.isoformat()}"^^xsd:dateTime ;'
        f' dct:modified "{(created + timedelta(minutes=5)).isoformat()}"^^xsd:dateTime'
    )
    task_status = "scheduled" if status == "busy" else status
    return (
        f"<{job}> a cogs:Job ; adms:status <{stack.STATUS}{status}> ;"
        f" task:operation <{OPERATIONS}{operation}> ; {dates} .\n"
        f"<{job}/task> a task:Task ; adms:status <{stack.STATUS}{task_status}> ;"
        f' task:operation <urn:task> ; task:index "0" ; {dates} ; dct:isPartOf <{job}> .\n'
    )


def put(store: Store, texts: Iterable[str]) -> None:
    """Write jobs to the store as other services do."""
    text = "".join(texts)
    update(store, f"{stack.PREFIXES} INSERT DATA {{ GRAPH <{GRAPH}> {{ {text} }} }}")


@contextmanager
def service_of(store: Store, config: Path) -> Iterator[Service]:
    """Run the service with the streams of a file, without a stream from the environment."""
    unset = dict.fromkeys((name for name in ENVIRONMENT if "_JOB" in name or "_SYNC" in name), "")
    environ = {
        "CONFIG_FILE": str(config),
        "HEALING_TASK_OPERATION": "",
        "TZ": "Europe/Brussels",
        "WATCHDOG_MINUTES": "0.005",
    }
    with Service(store, unset | environ) as service:
        yield service.ready()


def address(service: Service) -> str:
    return f"http://127.0.0.1:{service.port}/"


@pytest.fixture(scope="module")
def filled_store() -> Iterator[Store]:
    """A store with synced streams, a few finished jobs, and a dump that was never picked up."""
    names = ("organizations", "public", "worship-posts")
    month, hour, minute = timedelta(days=30), timedelta(hours=1), timedelta(minutes=1)
    with Oxigraph() as store:
        put(store, (job_text(f"{SYNC}/{name}", "success", month) for name in names))
        put(store, (job_text(f"{HEALING}/{name}", "success", 6 * minute) for name in names))
        put(store, (job_text(f"{DUMP}/worship-posts", "failed", n * hour) for n in range(1, 4)))
        put(store, [job_text(f"{DUMP}/public", "busy", 5 * hour, STUCK)])
        yield store


@pytest.fixture(scope="module")
def service(filled_store: Store) -> Iterator[Service]:
    """The service on that store."""
    with service_of(filled_store, shared("real-configs") / STREAMS) as found:
        yield found


@contextmanager
def visiting(browser: Browser, service: Service, display: tuple[int, str]) -> Iterator[Visit]:
    """Open the page; at the end check that the browser had no errors and the page fits."""
    width, scheme = display
    visit = Visit(browser, address(service), width=width, color_scheme=scheme)
    yield visit
    assert visit.errors == []
    assert visit.requested == {address(service)}
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    visit.close()


def reload_until(visit: Visit, text: str) -> None:
    """Reload the page until it contains the text."""

    def shown() -> bool:
        visit.page.reload()
        return text in visit.page.content()

    eventually(shown, f"{text} on the page")


def row_of(visit: Visit, stream: str, kind: str) -> str:
    """Return the text of the row of a kind."""
    table = visit.page.get_by_role("table", name=f"Job kinds of {stream}")
    text: str = table.get_by_role("row", name=kind).first.inner_text()
    return text


@pytest.mark.parametrize("display", DISPLAYS, ids=str)
def test_a_stuck_job_is_at_the_top_with_its_cause_and_what_to_do(
    browser: Browser, service: Service, display: tuple[int, str]
) -> None:
    service.logged(f"{STUCK}: task never picked up")
    with visiting(browser, service, display) as visit:
        heading = visit.page.get_by_role("heading", name="1 job is stuck")
        box = heading.bounding_box()
        assert box is not None
        assert box["y"] < 500
        for text in (
            "public, dump: task never picked up",
            "4 h 3",
            "Or DELETE /public/dump-publication-graph-jobs",
            "dump stuck",
            "Europe/Brussels, UTC+0",
            "At 04:00 every day",
        ):
            assert visit.shows(text), text
        [bar] = visit.page.locator("rect.stuck title").filter(has_text=STUCK).all()
        assert (bar.text_content() or "").startswith("stuck, task never picked up: busy, ")


def test_a_requested_job_appears_in_the_row_of_its_stream(
    browser: Browser, service: Service
) -> None:
    job = service.call("POST", "/worship-posts/healing-jobs").msg.split()[2]
    with visiting(browser, service, (DESK, "light")) as visit:
        reload_until(visit, f"): {job}")  # its bar, which is drawn once the store was read again
        name = job.rpartition("/")[2]
        text = row_of(visit, "worship-posts", "healing")
        for expected in ("busy", "by request", name):
            assert expected in text
        links = visit.page.get_by_role("link", name=name).all()
        assert {link.get_attribute("href") for link in links} == {job}
        [bar] = visit.page.locator("rect.busy title").filter(has_text=job).all()
        assert "busy" in (bar.text_content() or "")
        assert name not in row_of(visit, "organizations", "healing")


def test_past_jobs_and_coming_ticks_are_in_the_timeline(browser: Browser, service: Service) -> None:
    with visiting(browser, service, (DESK, "light")) as visit:
        timeline = visit.page.get_by_role("group", name="worship-posts: jobs of the last 24 hours")
        assert timeline.locator("rect.failed").count() == 3
        assert timeline.locator("circle.tick").count() in (6, 7, 8)  # 6 dumps, a healing; edges
        now = timeline.locator("line.now").bounding_box()
        tick = timeline.locator("circle.tick").first.bounding_box()
        bar = timeline.locator("rect.failed").last.bounding_box()
        assert now is not None
        assert tick is not None
        assert bar is not None
        assert bar["x"] < now["x"] < tick["x"] + tick["width"]


def test_without_its_store_the_page_still_shows_the_schedules(browser: Browser) -> None:
    config = shared("real-configs") / STREAMS
    with Oxigraph() as store, service_of(store, config) as service:
        store.stop()
        for display in DISPLAYS:
            with visiting(browser, service, display) as visit:
                reload_until(visit, "does not answer")
                for text in (
                    "The store does not answer, so jobs are not shown",
                    store.endpoint,
                    "Meanwhile, ticks stay due",
                    "At minute 11 past every fourth hour",
                ):
                    assert visit.shows(text), text
                assert "not known" in row_of(visit, "public", "dump")
                assert visit.page.locator("circle.tick").count() > 24


@pytest.mark.parametrize("display", DISPLAYS, ids=str)
def test_fifty_streams_have_an_overview_a_search_and_pages(
    browser: Browser, fifty_streams: Service, display: tuple[int, str]
) -> None:
    visit = Visit(browser, address(fifty_streams), width=display[0], color_scheme=display[1])
    page = visit.page
    eventually(lambda: page.reload() and "1 job is stuck" in page.content(), "a stuck job")
    assert page.locator(".lines li").count() == FIFTY
    assert page.locator(".attention li").count() == 1
    assert page.locator("svg").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= display[0]
    page.get_by_role("searchbox", name="Search").fill("Stream-4 fine")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("11 of 50 streams").wait_for()
    assert page.locator(".lines li").count() == 11
    page.get_by_role("link", name="stream-47").click()
    page.get_by_role("heading", name="stream-47").wait_for()
    assert page.locator("rect.success").count() >= 23
    page.get_by_role("link", name="All streams").click()
    page.get_by_role("heading", name="1 job is stuck").wait_for()
    assert page.url == address(fifty_streams)
    assert visit.errors == []
    assert all(url.startswith(address(fifty_streams)) for url in visit.requested)
    visit.close()


@pytest.fixture(scope="module")
def fifty_streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with fifty streams and their jobs of two days; the dump of one is stuck."""
    names = [f"stream-{number}" for number in range(FIFTY)]
    config = tmp_path_factory.mktemp("fifty") / "config.json"
    config.write_text(json.dumps([entry(name) for name in names]))
    with Oxigraph() as store:
        for name in names:
            sync = job_text(f"{SYNC}/{name}", "success", timedelta(days=30))
            dumps = [job_text(f"{DUMP}/{name}", "success", timedelta(hours=n)) for n in range(48)]
            put(store, [sync, *dumps])
        put(store, [job_text(f"{DUMP}/stream-3", "busy", timedelta(hours=5), STUCK)])
        with service_of(store, config) as service:
            yield service


def entry(name: str) -> dict[str, object]:
    """Return a stream of the config file."""
    return {
        "name": name,
        "jobsGraph": GRAPH,
        "initialPublicationGraphSyncJobOperation": f"{OPERATIONS}{SYNC}/{name}",
        "healingJobOperation": f"{OPERATIONS}{HEALING}/{name}",
        "dumpFileCreationJobOperation": f"{OPERATIONS}{DUMP}/{name}",
        "cronPatternHealingJob": "0 0 4 * * *",
        "cronPatternDumpJob": "42 * * * *",
        "startInitialSync": True,
    }
