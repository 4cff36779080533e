"""How many streams that are due in one second the service can serve."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import cpu, status
from tests.support.servers import Store, select
from tests.support.service import Service

STREAMS = 2000
LEAD = timedelta(seconds=20)  # from the start of the service to the second in which all are due
GRAPH = "http://mu.semte.ch/graphs/system/jobs"
POLL_SECONDS = 0.1
PATIENCE = 300.0  # seconds
UNWANTED = (  # of the environment's stream
    "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION",
    "HEALING_JOB_OPERATION",
    "DUMP_FILE_CREATION_JOB_OPERATION",
)
BASE = "http://redpencil.data.gift/id/jobs/concept/"


def configuration(pattern: str) -> list[dict[str, object]]:
    """Return streams that have only dumps, all with one pattern."""
    return [
        {
            "name": f"stream-{number}",
            "jobsGraph": GRAPH,
            "dumpFileCreationJobOperation": f"{BASE}JobOperation/deltas/dump/{number}",
            "cronPatternDumpJob": pattern,
            "disableHealingJobOperation": True,
            "startInitialSync": False,
        }
        for number in range(STREAMS)
    ]


def measure(store: Store) -> Iterator[tuple[str, ...]]:
    """Yield rows about the second in which all streams are due."""
    due = (datetime.now(UTC) + LEAD).replace(microsecond=0)
    pattern = f"{due.second} {due.minute} {due.hour} * * *"
    with TemporaryDirectory() as folder:
        file = Path(folder) / "config.json"
        file.write_text(json.dumps(configuration(pattern)))
        variables = {"CONFIG_FILE": str(file), "LOG_SPARQL_UPDATES": "false"}
        with Service(store, variables | dict.fromkeys(UNWANTED, "")) as service:
            service.ready()
            assert service.process is not None
            pid = service.process.pid
            memory = f"{status(pid, 'VmRSS') / 1024:.0f} MiB"
            yield (f"ready with {STREAMS:,} streams, memory", memory)
            before, most = cpu(pid), 0
            while (created := jobs(store)) < STREAMS and time.time() < due.timestamp() + PATIENCE:
                most = max(most, status(pid, "Threads"))
                time.sleep(POLL_SECONDS)
            taken = time.time() - due.timestamp()
            yield (f"{created:,} of {STREAMS:,} streams due in one second", f"{taken:.1f} s")
            yield ("threads, at most", f"{most}")
            yield ("memory, after that", f"{status(pid, 'VmRSS') / 1024:.0f} MiB")
            yield ("processor time for a tick", f"{1000 * (cpu(pid) - before) / STREAMS:.1f} ms")


def jobs(store: Store) -> int:
    """Return how many jobs there are."""
    text = "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?j a <http://vocab.deri.ie/cogs#Job> } }"
    return int(select(store, text)[0]["n"])
