"""The command line of the measurements."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence

from bench import calls, history, lateness, start, streams
from tests.support.servers import Oxigraph, Store
from tests.support.virtuoso import Virtuoso

COLUMNS = 4
STORES: dict[str, Callable[[], Store]] = {"oxigraph": Oxigraph, "virtuoso": Virtuoso}
PARTS: dict[str, Callable[[Store], Iterator[Sequence[str]]]] = {
    "start": start.measure,
    "calls": calls.measure,
    "streams": streams.measure,
    "lateness": lateness.measure,
    "history": history.measure,
}


def main() -> int:
    """Print a table with the results of the chosen parts on the chosen stores."""
    arguments = parser().parse_args()
    print("| store | what | service | bare statements | ratio |")
    print("|---|---|---|---|---|")
    for name in [arguments.store] if arguments.store else STORES:
        for part in [arguments.only] if arguments.only else PARTS:
            with STORES[name]() as store:
                for row in PARTS[part](store):
                    cells = [name, *row, *[""] * (COLUMNS - len(row))]
                    print("|", " | ".join(cells), "|", flush=True)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments."""
    made = argparse.ArgumentParser(prog="script/bench", description="Measures the service.")
    made.add_argument("--store", choices=tuple(STORES), help="only this store")
    made.add_argument("--only", choices=tuple(PARTS), help="only this part")
    return made


if __name__ == "__main__":
    sys.exit(main())
