"""Every tick ends as one job or as a recorded reason, in thousands of small worlds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.modes import ALL_MODES, MODES
from tests.simulation.play import play
from tests.simulation.run import simulate
from tests.simulation.scenario import scenario

TOP = Path(__file__).resolve().parents[2]
TICKS = 50_000  # in all modes together
WORKERS = 2


@pytest.mark.slow
def test_no_promise_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("COVERAGE")]:
        monkeypatch.delenv(name)  # the workers are not measured: that takes three times as long
    *_, tallies = simulate(ALL_MODES, "11", TICKS, WORKERS)
    broken = {
        f"{name}: {what}": tally.examples[what]
        for name, tally in tallies.items()
        for what in tally.violations
    }
    assert broken == {}
    assert sum(tally.ticks for tally in tallies.values()) >= TICKS
    assert all(sum(tallies[name].met.values()) for name in MODES if name != "calm")


@pytest.mark.parametrize("name", ["crashes", "layer", "three-slots"])
def test_a_seed_is_one_run_to_the_byte(name: str) -> None:
    """Also in another interpreter, whose sets and dictionaries have another order."""
    here = "\n".join(play(scenario(MODES[name], "3:1"), trace=True).lines)
    command = [
        sys.executable,
        "-m",
        "tests.simulation",
        "--mode",
        name,
        "--world",
        "3:1",
        "--trace",
    ]
    there = subprocess.run(
        command, cwd=TOP, check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": "7"}
    )
    assert there.stdout.rstrip("\n") == here
    assert here.count("\n") > 500
