"""The OpenAPI document: it is valid, describes every route, and agrees with real answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from tests.support import reports
from tests.support.builders import DUMP, NOW, job_of, stream_of
from tests.support.web import WebHarness
from web import openapi
from web.status.report import StatusReport

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
DOCUMENT = openapi.document()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in METHODS
}


def routes() -> Iterator[str]:
    for rule in WebHarness().app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield f"{method} {path}"


def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    """Return a validator of one of the document's schemas."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def schemas(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the schema of every property, at any depth."""
    if isinstance(node, dict):
        for name, schema in node.get("properties", {}).items():
            yield f"{path}/{name}", schema
        for key, child in node.items():
            yield from schemas(child, f"{path}/{key}")
    if isinstance(node, list):
        for number, child in enumerate(node):
            yield from schemas(child, f"{path}/{number}")


def test_every_route_is_described_and_nothing_else() -> None:
    assert sorted(OPERATIONS) == sorted(routes())


def test_it_is_valid_openapi() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(json.loads(json.dumps(DOCUMENT))).validate()


def test_an_invalid_document_would_be_noticed() -> None:
    broken = json.loads(json.dumps(DOCUMENT))
    del broken["info"]["title"]
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(broken).validate()


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_schemas_are_valid(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    jsonschema_rs.meta.validate(schema)
    assert schema["description"]


def test_references_have_targets() -> None:
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert names == DOCUMENT["components"]["schemas"].keys()


def test_every_operation_has_a_unique_name_and_a_summary() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len({*names}) == len(names)
    assert all(operation["summary"] for operation in OPERATIONS.values())


def test_everything_is_described() -> None:
    assert DOCUMENT["info"]["description"]
    nameless = [
        f"{name} {status}"
        for name, operation in OPERATIONS.items()
        for status, response in operation["responses"].items()
        if not response["description"]
    ]
    parameters = [
        parameter for item in DOCUMENT["paths"].values() for parameter in item.get("parameters", ())
    ]
    undescribed = [path for path, schema in schemas(DOCUMENT) if not schema.get("description")]
    assert all(parameter["description"] for parameter in parameters)
    assert nameless == []
    assert undescribed == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_path_with_a_name_has_the_parameter_and_404(name: str) -> None:
    path = name.split()[1]
    parameters = DOCUMENT["paths"][path].get("parameters", [])
    named = "{name}" in path
    assert [parameter["name"] for parameter in parameters] == (["name"] if named else [])
    calls = not name.startswith("GET")
    assert ("404" in OPERATIONS[name]["responses"]) is (named or calls)


@pytest.mark.parametrize("report", [reports.healthy, reports.with_stuck_job, reports.store_down])
def test_reports_match_the_schema(report: Any) -> None:
    found: StatusReport = report()
    validator("StatusReport").validate(json.loads(found.model_dump_json()))


def test_a_real_status_matches_the_schema_and_has_every_key() -> None:
    harness = WebHarness((stream_of(None), stream_of()))
    harness.store.add(job_of(DUMP, created=NOW))
    client = harness.client
    client.post("/dump-publication-graph-jobs")
    answer = client.get("/status").json
    validator("StatusReport").validate(answer)
    needed: list[list[str | int]]
    needed = [["time_zone"], ["store", "problem"], ["streams", 0, "kinds", 2, "coming"]]
    for path in needed:
        assert not validator("StatusReport").is_valid(without(answer, path))


def without(answer: Any, path: list[str | int]) -> Any:
    """Return a copy without the key at the end of the path."""
    copy = json.loads(json.dumps(answer))
    node = copy
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]
    return copy


def test_real_errors_match_the_schema() -> None:
    client = WebHarness().client
    for answer in (client.get("/nowhere/status"), client.put("/"), client.post("/healing-jobs")):
        validator("Errors").validate(answer.json)
    assert not validator("Errors").is_valid({"errors": []})
