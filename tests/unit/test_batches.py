"""Work on the parts of a long list."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sparql import batches
from sparql.batches import in_parallel


def test_no_part_is_begun_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part retries its reads, so that many of them would hold a stream's lock for long."""
    monkeypatch.setattr(batches, "AT_ONCE", 1)
    begun: list[Sequence[str]] = []

    def fail_at_the_second(part: Sequence[str]) -> None:
        begun.append(part)
        if len(begun) > 1:
            raise OSError(part[0])

    with pytest.raises(OSError, match=r"^b$"):
        in_parallel(fail_at_the_second, ["a", "b", "c", "d"])
    assert begun == ["a", "b"]
