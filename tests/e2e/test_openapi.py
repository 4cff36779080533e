"""The real process held against its own document: schemathesis makes calls, and compares."""

from __future__ import annotations

import copy
import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.support.configuring import stream
from tests.support.patience import PATIENCE
from tests.support.servers import Store, clear
from tests.support.service import Service
from web.openapi import document

NAMES = ["public", "Posts", "pOsTs"]
ACCEPT = ["*/*", "text/html", "application/json"]
EXAMPLES = 12  # of each operation, name and mode
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
OPERATIONS = [
    f"{method.upper()} {path}"
    for path, item in document()["paths"].items()
    for method in item
    if method != "parameters"
]


@pytest.fixture(scope="module")
def service(oxigraph: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with the environment's stream and two named ones, all of them synced."""
    clear(oxigraph)
    file = tmp_path_factory.mktemp("config") / "config.json"
    file.write_text(json.dumps([stream("public"), stream("Posts")]))
    environ = {"CONFIG_FILE": str(file), "LOG_SPARQL_ALL": "false", "LOG_LEVEL": "WARNING"}
    with Service(oxigraph, environ) as running:
        running.answers()
        yield running


@pytest.fixture(scope="module")
def schema(service: Service) -> Any:
    """The document as it is served."""
    served = service.call("GET", "/openapi.json")
    assert served.status == 200
    return schemathesis.openapi.from_dict(json.loads(served.text))


def called(service: Service, cases: st.SearchStrategy[Any]) -> set[int]:
    """Make calls, hold each answer against the document, and return the statuses there were."""
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(case=cases, accept=st.sampled_from(ACCEPT))
    def call(case: Any, accept: str) -> None:
        url = f"http://127.0.0.1:{service.port}"
        answer = case.call_and_validate(url, headers={"Accept": accept}, checks=CHECKS)
        statuses.add(answer.status_code)

    call()
    return statuses


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_one_that_the_document_tells_of(
    schema: Any, service: Service, label: str
) -> None:
    operation = schema.find_operation_by_label(label)
    if "{name}" not in label:
        assert called(service, operation.as_strategy()) <= {200, 409}
        return
    for name in NAMES:
        named = operation.as_strategy(path_parameters={"name": name})
        assert called(service, named) <= {200, 409}
    any_name = called(service, operation.as_strategy())
    dash = {200} if label.startswith("GET") else set()  # the environment's stream, on pages only
    assert any_name - dash == {404}
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    assert called(service, wrong) <= {404, 405}


def without_404(whole: Any) -> None:
    del whole["paths"]["/{name}/status"]["get"]["responses"]["404"]


def without_html(whole: Any) -> None:
    del whole["paths"]["/"]["get"]["responses"]["200"]["content"]["text/html"]


def with_another_type(whole: Any) -> None:
    whole["components"]["schemas"]["StatusReport"]["properties"]["time_zone"]["type"] = "integer"


@pytest.mark.parametrize(
    ("lie", "label"),
    [
        (without_404, "GET /{name}/status"),
        (without_html, "GET /"),
        (with_another_type, "GET /status"),
    ],
)
def test_a_document_that_lies_would_be_noticed(
    service: Service, lie: Callable[[Any], None], label: str
) -> None:
    lying = copy.deepcopy(document())
    lie(lying)
    schema: Any = schemathesis.openapi.from_dict(lying)
    with pytest.raises(FailureGroup):
        called(service, schema.find_operation_by_label(label).as_strategy())


@pytest.mark.parametrize("path", document()["paths"])
def test_other_methods_get_405_and_the_methods_there_are(service: Service, path: str) -> None:
    item = document()["paths"][path]
    there = {method.upper() for method in item} - {"PARAMETERS"}
    there |= {"HEAD", "OPTIONS"} if "GET" in there else {"OPTIONS"}
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - there:
        answer = raw(service, method, path.replace("{name}", "public"))
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(", ")) == there


# Nothing goes out that the server would leave unread: its answer might be lost with that.
SERVERS_OWN = {
    "400": ("POST", {"Content-Length": "many"}),
    "413": ("POST", {"Content-Length": str((1 << 20) + 1)}),
    "431": ("GET", {f"X-{number}": "x" * (1 << 16) for number in range(4)}),
    "501": ("POST", {"Transfer-Encoding": "gzip"}),
}


@pytest.mark.parametrize("status", SERVERS_OWN)
def test_what_the_server_refuses_by_itself_is_told_too(service: Service, status: str) -> None:
    method, headers = SERVERS_OWN[status]
    path = "/status" if method == "GET" else "/healing-jobs"
    answer = raw(service, method, path, headers)
    told = document()["paths"][path][method.lower()]["responses"]
    assert str(answer.status) == status
    (content_type,) = told[status]["content"]
    assert answer.headers.get_content_type() == content_type


def raw(
    service: Service, method: str, path: str, headers: dict[str, str] | None = None
) -> http.client.HTTPResponse:
    """Call without any help of a client that knows better."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer
