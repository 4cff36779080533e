"""A short run of the fault suite, with about a hundred seconds of faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.__main__ import run_in
from tests.chaos.outcomes import Outcome
from tests.chaos.testbed import Options
from tests.chaos.times import Times

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_tick_counts(tmp_path: Path) -> None:
    """Two processes in slots of their own, so that the run also tests replicas."""
    options = Options(
        seconds=95,
        seed=20260105,
        store="oxigraph",
        processes=2,
        slots=True,
        adversarial=False,
        folder=tmp_path,
        service=ROOT,
        times=Times(window=24),
    )
    report = run_in(tmp_path, options)
    assert report.result.clean, report.text()
    for outcome in (Outcome.CREATED, Outcome.SUPERSEDED, Outcome.MISSED):
        assert report.result.outcomes[outcome], f"no tick was {outcome}\n{report.text()}"
    assert sum(report.history.faults.values()) > 0
    assert any(run.killed for run in report.history.process_runs)
