"""How many requests a real store gets for page, status and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from app import compose
from config import Settings
from jobs.model import Status, Stream
from jobs.streams import Streams
from settings.fields import Service as ServiceFields
from sparql.store import SparqlJobStore
from tests.support.builders import DAY, DUMP, HEALING, NOW, TestClock, new_job, operation, stream_of
from tests.support.servers import Store, update
from tests.support.sparql_store import bound_store_of, client_of
from tests.support.stack import PREFIXES, STATUS, set_status
from web.status.store_reader import HISTORY_SECONDS

PAGES = ("/", "/public/", "/s7/", "/status", "/s7/status", "/metrics")
ACTIVE = 1500  # jobs, more than one read for tasks takes
SCRAPE = timedelta(seconds=15)


@dataclass
class Observed:
    """The web application on a real store, with a clock that the test moves."""

    store: Store
    streams: Sequence[Stream]
    clock: TestClock = field(default_factory=TestClock)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = Settings(
            service=ServiceFields.model_validate({}),
            streams=Streams(self.streams),
            zone=NOW.tzinfo,  # type: ignore[arg-type]
            warnings=(),
        )
        client = client_of(self.store.endpoint, self.store.update_endpoint, observe=self._note)
        store = SparqlJobStore(client)
        service = compose(settings, clock=self.clock.clock(), store=store)
        service.ready.set()
        self.client = service.app.test_client()

    def _note(self, kind: str, outcome: str, _seconds: float) -> None:
        self.requests.append(f"{kind} {outcome}")

    def get(self, path: str, later: timedelta = timedelta(0)) -> tuple[TestResponse, int]:
        """Let time pass, and return an answer and how many requests it took."""
        self.clock.move_to(self.clock.now + later)
        self.requests.clear()
        answer = self.client.get(path, headers={"Accept": "text/html"} if path == "/" else {})
        assert answer.status_code == 200
        assert set(self.requests) <= {"query ok"}
        return answer, len(self.requests)


def observed(store: Store, number: int) -> Observed:
    """Return the service with as many streams, and with active and old jobs of some of them."""
    names = ["public", *(f"s{index}" for index in range(1, number))]
    jobs = bound_store_of(store)
    for kind in (DUMP, HEALING):
        old = new_job(f"old-{kind.slug}", kind, created=NOW - 9 * DAY)
        jobs.create(old, jobs.deadline)
        set_status(store, old.uri, Status.SUCCESS.value)
    active = "\n".join(
        f"""<http://redpencil.data.gift/id/job/{index}> a cogs:Job ;
          task:operation <{operation(DUMP, names[index % number])}> ;
          adms:status <{STATUS}busy> ;
          dct:created "2024-01-06T05:00:00Z"^^xsd:dateTime ."""
        for index in range(ACTIVE)
    )
    update(store, f"{PREFIXES} INSERT DATA {{ GRAPH <http://example.org/jobs> {{ {active} }} }}")
    return Observed(store, [stream_of(name) for name in names])


@pytest.mark.parametrize("number", [8, 2000])
def test_page_status_and_metrics_need_few_requests(triplestore: Store, number: int) -> None:
    service = observed(triplestore, number)
    for path in PAGES:
        _, taken = service.get(path, timedelta(seconds=2))
        assert taken <= 2, path
    for path in PAGES:
        answer, taken = service.get(path, timedelta(seconds=2))
        assert taken == 1, path
        again, taken = service.get(path, timedelta(seconds=0.5))
        assert taken == 0, path
        assert len(again.data) > len(answer.data) / 2
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(service.get("/metrics")[0].text)
        for sample in family.samples
    }
    assert found["initiator_active_jobs", "dump"] == ACTIVE
    for kind in ("dump", "healing"):
        at = found["initiator_last_success_timestamp_seconds", kind, "public"]
        assert at == (NOW - 9 * DAY).timestamp()


@pytest.mark.parametrize("number", [8, 80])
def test_scrapes_need_a_constant_number_of_requests(embedded: Store, number: int) -> None:
    service, scrapes = observed(embedded, number), 30
    taken = [service.get("/metrics", SCRAPE)[1] for _ in range(scrapes)]
    assert max(taken) <= 2
    assert sum(taken) <= scrapes + 1 + scrapes * SCRAPE.seconds // HISTORY_SECONDS


def test_the_first_answer_of_each_kind_needs_two_requests(embedded: Store) -> None:
    for path in PAGES:
        service: Any = Observed(embedded, [stream_of(), stream_of("s7")])
        assert service.get(path)[1] == 2
