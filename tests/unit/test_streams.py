"""Streams are found by the name in a path or command, and by the operation of a job."""

from __future__ import annotations

import re

import pytest

from jobs.streams import Streams, UnknownStreamError
from tests.support.builders import DUMP, operation, stream_of

UNNAMED, PUBLIC, POSTS = stream_of(None), stream_of("public"), stream_of("Posts")
ALL = Streams([UNNAMED, PUBLIC, POSTS])


@pytest.mark.parametrize(
    ("name", "stream"),
    [(None, UNNAMED), ("public", PUBLIC), ("PUBLIC", PUBLIC), ("posts", POSTS), ("Posts", POSTS)],
)
def test_a_stream_is_found_by_name_in_any_case(name: str | None, stream: object) -> None:
    assert ALL.find(name) is stream


@pytest.mark.parametrize(
    ("streams", "name", "message"),
    [
        (ALL, "pubic", "there is no stream pubic; there is public, Posts"),
        (
            Streams([UNNAMED]),
            "pubic",
            "there is no stream pubic; there is only the stream without a name",
        ),
        (
            Streams([PUBLIC, POSTS]),
            None,
            "the environment sets up no stream; add a name: public, Posts",
        ),
    ],
    ids=["unknown name", "only the environment's stream", "no stream of the environment"],
)
def test_an_unknown_stream_is_reported_with_the_names_that_exist(
    streams: Streams, name: str | None, message: str
) -> None:
    with pytest.raises(UnknownStreamError, match=f"^{re.escape(message)}$"):
        streams.find(name)


def test_a_stream_is_found_by_the_operation_of_each_of_its_jobs() -> None:
    found = [ALL.by_operation(operation) for operation in ALL.operations]
    assert found == [UNNAMED] * 3 + [PUBLIC] * 3 + [POSTS] * 3


def test_an_operation_of_no_stream_is_an_error() -> None:
    with pytest.raises(KeyError):
        ALL.by_operation(operation(DUMP, "other"))


def test_streams_keep_the_configured_order() -> None:
    assert list(ALL) == [UNNAMED, PUBLIC, POSTS]
    assert len(ALL) == 3
