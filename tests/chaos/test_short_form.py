"""The short form of script/chaos: every tick counts, for a hundred seconds of faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.__main__ import run_in
from chaos.accounting import Fate
from chaos.stage import Options
from chaos.times import Times

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_tick_counts(tmp_path: Path) -> None:
    """Two processes in slots of their own, so that replicas are put to the test as well."""
    options = Options(
        seconds=95,
        seed=20260105,
        store="oxigraph",
        processes=2,
        slots=True,
        adversarial=False,
        folder=tmp_path,
        service=ROOT,
        times=Times(window=24, standby=4),
    )
    report = run_in(tmp_path, options)
    assert report.verdict.clean, report.text()
    for fate in (Fate.CREATED, Fate.SUPERSEDED, Fate.MISSED):
        assert report.verdict.fates[fate], f"the run showed nothing {fate}\n{report.text()}"
    assert sum(report.history.faults.values()) > 0
    assert any(life.killed for life in report.history.lives)
