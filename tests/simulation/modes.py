"""The modes of the simulation: which things go wrong in a world, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulation.plan import BEYOND, DIES, GAP, WRITES, Rates


@dataclass(frozen=True, kw_only=True)
class Mode:
    """A set of parameters with a name; shares are numbers from 0 to 1.

    `slots` gives each process a slot of its own. `layered` puts an authorization layer before
    the store. `default_settings` is the share of worlds with the service's default settings.
    """

    name: str
    rates: Rates = field(default_factory=Rates)
    processes: int = 1
    slots: bool = False
    layered: bool = False
    clock_error: float = 0.0  # seconds by which clocks differ from the beginning
    default_settings: float = 0.25
    short_patterns: float = 0.7
    at_once: float = 0.15
    consumer_trouble: float = 1.0


FAULTS = Rates(reads=2, writes=4, outages=0.15)
ALL_MODES = (
    Mode(name="calm", consumer_trouble=0),
    Mode(name="faults", rates=FAULTS),
    Mode(
        name="crashes",
        rates=Rates(reads=1, writes=3, kills=0.5, pauses=0.2, effects=(*WRITES, DIES, DIES, DIES)),
    ),
    Mode(
        name="clocks",
        rates=Rates(reads=1, writes=2, kills=0.1, clocks=0.4, pauses=0.1),
        clock_error=3,
    ),
    Mode(name="people", rates=Rates(reads=1, writes=2, posts=0.5, deletes=0.4)),
    Mode(
        name="layer",
        rates=Rates(reads=1, writes=4, kills=0.2, effects=(*WRITES, GAP, GAP)),
        layered=True,
    ),
    Mode(name="twins", rates=Rates(reads=1, writes=1.5, kills=0.2), processes=2),
    Mode(
        name="slots",
        rates=Rates(reads=1.5, writes=3, kills=0.2, pauses=0.1),
        processes=2,
        slots=True,
    ),
    Mode(
        name="three-slots",
        rates=Rates(reads=1.5, writes=3, kills=0.2, pauses=0.1),
        processes=3,
        slots=True,
    ),
    Mode(name="odd", rates=Rates(reads=1, writes=1, foreign=0.6, retention=0.3, kills=0.1)),
    Mode(name="late", rates=Rates(writes=3, effects=(*WRITES, BEYOND, BEYOND, BEYOND))),
)
MODES = {mode.name: mode for mode in ALL_MODES}
