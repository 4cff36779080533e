"""Which calls a browser may make, and the headers that protect the answers."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.builders import INITIAL_SYNC, job_of, stream_of
from tests.support.web import WebHarness, error_detail
from web.page.render import CONTENT_SECURITY_POLICY

PATH = "/dump-publication-graph-jobs"


@pytest.fixture
def harness() -> WebHarness:
    return WebHarness((stream_of(None),))


@pytest.fixture
def client(harness: WebHarness) -> FlaskClient:
    return harness.client


def refusal(answer: TestResponse) -> str:
    """Check that the call was refused and return the detail of the error."""
    return error_detail(answer, 403, "Forbidden")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="curl or wget"),
        pytest.param({"Sec-Fetch-Site": "none"}, id="typed by a person into a browser"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, id="a page of ours"),
        pytest.param({"Origin": "http://localhost"}, id="our origin"),
        pytest.param({"Origin": "http://LOCALHOST:80"}, id="our origin in another spelling"),
        pytest.param(
            {"Origin": "http://localhost:8080", "Host": "localhost:8080"}, id="a published port"
        ),
        pytest.param(
            {"Origin": "https://jobs.example.org", "Host": "jobs.example.org"},
            id="behind a proxy that speaks TLS",
        ),
        pytest.param({"Origin": "http://[::1]:8080", "Host": "[::1]:8080"}, id="IPv6"),
    ],
)
def test_a_call_is_accepted(
    client: FlaskClient, harness: WebHarness, headers: dict[str, str]
) -> None:
    assert client.post(PATH, headers=headers).status_code == 200
    assert len(harness.store.created) == 1


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),  # a sibling of the domain, or another port
        ("Sec-Fetch-Site", "something new"),
        ("Origin", "null"),
        ("Origin", ""),
        ("Origin", "https://evil.example"),
        ("Origin", "http://localhost:8080"),
        ("Origin", "http://localhost.evil.example"),
        ("Origin", "http://localhost:99999"),
        ("Origin", "http://[localhost"),
        ("Origin", "file://"),
        ("Origin", "chrome-extension://localhost"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_call_of_another_origin_is_refused_and_changes_nothing(
    client: FlaskClient, harness: WebHarness, method: str, header: str, value: str
) -> None:
    harness.store.add(job_of(INITIAL_SYNC, stream=None))
    jobs = list(harness.store.jobs)
    headers = {"Host": "localhost:80", header: value}
    text = refusal(client.open("/initial-sync-jobs", method=method, headers=headers))
    assert text.startswith(f"{header}: {value}: ")
    assert "send the call with curl or wget" in text
    assert list(harness.store.jobs) == jobs
    assert not harness.store.created


def test_one_of_the_headers_is_enough_for_a_refusal(client: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}
    assert "Origin" in refusal(client.post(PATH, headers=headers))
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}
    assert "Sec-Fetch-Site" in refusal(client.post(PATH, headers=headers))


def test_a_call_is_refused_before_path_and_method_are_checked(client: FlaskClient) -> None:
    headers = {"Origin": "https://evil.example"}
    for method, path in (("POST", "/nowhere"), ("PATCH", "/"), ("PUT", PATH)):
        refusal(client.open(path, method=method, headers=headers))


def test_a_refusal_repeats_only_the_beginning_of_a_long_value(client: FlaskClient) -> None:
    text = refusal(client.post(PATH, headers={"Origin": "https://" + "a" * 5000}))
    assert len(text) < 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_never_refused(client: FlaskClient, method: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert client.open("/", method=method, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("POST", PATH, 200), ("GET", "/nowhere", 404), ("GET", PATH, 405)],
)
def test_every_answer_is_protected_from_other_pages(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Content-Security-Policy" not in answer.headers
    assert "Cache-Control" not in answer.headers


def test_the_page_may_load_nothing_and_is_not_cached(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": "text/html"})
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["Cache-Control"] == "no-store"
