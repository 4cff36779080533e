"""The table of a simulation: what was played in each mode, and what was wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulation.play import Outcome

MILLION = 1_000_000


@dataclass
class Tally:
    """The sums of some worlds; the first world of each violation is kept to repeat it."""

    worlds: int = 0
    ticks: int = 0
    jobs: int = 0
    requests: int = 0
    met: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        self.worlds += 1
        self.ticks += outcome.ticks
        self.jobs += outcome.jobs
        self.requests += outcome.requests
        self.met.update(outcome.met)
        for violation in outcome.violations:
            (self.known if violation.known else self.violations)[violation.what] += 1
            if violation.what not in self.examples:
                world = f"--mode {outcome.scenario.mode.name} --world {outcome.scenario.seed}"
                self.examples[violation.what] = f"{world}: {violation.detail}"

    def merge(self, other: Tally) -> None:
        self.worlds += other.worlds
        self.ticks += other.ticks
        self.jobs += other.jobs
        self.requests += other.requests
        self.met.update(other.met)
        self.violations.update(other.violations)
        self.known.update(other.known)
        self.examples = other.examples | self.examples


HEADINGS = ("mode", "worlds", "ticks", "jobs", "requests", "faults", "violations", "known limits")


def table(tallies: dict[str, Tally]) -> str:
    """Return the table as Markdown, with a line for all modes together."""
    total = Tally()
    for tally in tallies.values():
        total.merge(tally)
    rows = [_row(name, tally) for name, tally in tallies.items()]
    return "\n".join(
        [_line(HEADINGS), _line("---" for _ in HEADINGS), *rows, _row("**all**", total)]
    )


def details(tallies: dict[str, Tally]) -> str:
    """Return what went wrong on purpose and by mistake, in words."""
    lines = []
    for name, tally in tallies.items():
        met = ", ".join(f"{count} {what}" for what, count in sorted(tally.met.items()))
        lines.append(f"{name}: {met or 'nothing went wrong on purpose'}")
        for what, count in sorted((tally.violations + tally.known).items()):
            sort = "VIOLATION" if what in tally.violations else "known limit"
            rate = count * MILLION / max(1, tally.ticks)
            lines.append(f"  {sort}: {what}: {count}, {rate:.1f} per million ticks")
            lines.append(f"    {tally.examples[what]}")
    return "\n".join(lines)


def _row(name: str, tally: Tally) -> str:
    known = sum(tally.known.values())
    rate = known * MILLION / max(1, tally.ticks)
    return _line(
        (
            name,
            f"{tally.worlds:,}",
            f"{tally.ticks:,}",
            f"{tally.jobs:,}",
            f"{tally.requests:,}",
            f"{sum(tally.met.values()):,}",
            f"{sum(tally.violations.values()):,}",
            f"{known:,} ({rate:.1f} per million ticks)" if known else "0",
        )
    )


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
