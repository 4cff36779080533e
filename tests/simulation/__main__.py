"""The command line of the simulation."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

from tests.simulation.modes import ALL_MODES, MODES, Mode
from tests.simulation.play import play
from tests.simulation.report import details, table
from tests.simulation.run import simulate
from tests.simulation.scenario import scenario
from tests.simulation.shrink import shrink, story


def main() -> int:
    """Play as the arguments say; the exit status is 0 only if nothing is violated."""
    arguments = parser().parse_args()
    if arguments.world:
        return one_world(MODES[arguments.mode], arguments.world, whole=arguments.trace)
    modes = [mode for mode in ALL_MODES if arguments.mode in ("all", mode.name)]
    if arguments.slots:
        modes = [mode for mode in modes if mode.slots]
    began, reported, tallies = time.monotonic(), 0.0, {}
    rounds = simulate(modes, str(arguments.seed), arguments.ticks, arguments.processes)
    with contextlib.suppress(KeyboardInterrupt):  # the rounds until then count
        for tallies in rounds:
            done = sum(tally.ticks for tally in tallies.values())
            elapsed = time.monotonic() - began
            if elapsed > reported + 10:
                reported = elapsed
                print(f"{done:,} ticks in {elapsed:.0f} s", file=sys.stderr, flush=True)
    print(details(tallies), "", table(tallies), sep="\n")
    return 1 if any(tally.violations for tally in tallies.values()) else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments."""
    made = argparse.ArgumentParser(prog="script/simulate", description="Simulates the service.")
    made.add_argument("--ticks", type=int, default=100_000, help="play until so many were due")
    made.add_argument("--seed", type=int, default=1, help="the worlds of a seed are the same")
    made.add_argument("--processes", type=int, default=1, help="workers of this machine")
    made.add_argument("--slots", action="store_true", help="only modes with several slots")
    made.add_argument("--mode", default="all", choices=("all", *MODES))
    made.add_argument("--world", metavar="SEED:NUMBER", help="one world of a mode, reduced")
    made.add_argument("--trace", action="store_true", help="all of that world, not reduced")
    return made


def one_world(mode: Mode, seed: str, *, whole: bool) -> int:
    """Play one world again; print why it fails in as few lines as possible."""
    drawn = scenario(mode, seed)
    if whole:
        print(*play(drawn, trace=True).lines, sep="\n")
        return 0
    outcome = play(drawn)
    failures = [one for one in outcome.violations if not one.known] or outcome.violations
    if not failures:
        print(f"{outcome.ticks} ticks, no violation")
        return 0
    print(*(f"{one.what}: {one.detail}" for one in failures[:10]), sep="\n")
    reduced = shrink(drawn, failures[0].what)
    again = play(reduced, trace=True)
    first = next(one for one in again.violations if one.what == failures[0].what)
    print("\nreduced plan:", *reduced.plan, "", f"{first.what}: {first.detail}", sep="\n")
    words = [word.strip(",:") for word in first.detail.split() if "/id/" in word]
    print(*story(again, words or [first.detail.split(": ")[0]]), sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
