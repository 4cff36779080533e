"""Starts the image beside a real store and tries it, called and documented by script/image."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from script._engines import (  # noqa: E402 - found in the folder above
    WAIT,
    CheckError,
    Container,
    ContainerEngine,
    Engine,
    StandIn,
)
from settings.version import VERSION  # noqa: E402 - found in the folder above
from tests.support.servers import Oxigraph, select, update  # noqa: E402
from tests.support.sockets import free_port  # noqa: E402

JOB = "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/"
STATUS = "http://redpencil.data.gift/id/concept/JobStatus/"
STREAM = {
    "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION": JOB + "initialPublicationGraphSyncing/check",
    "HEALING_JOB_OPERATION": JOB + "healingOperation/check",
    "DUMP_FILE_CREATION_JOB_OPERATION": JOB + "deltaDumpFileCreation/check",
    "START_INITIAL_SYNC": "true",
    "CRON_PATTERN_DUMP_JOB": "*/2 * * * * *",
}
CALLS = ("dump-publication-graph-jobs", "healing-jobs", "initial-sync-jobs")
STOP_LIMIT = 1.0  # seconds
WITHOUT_BYTE_CODE = """
import os, sys, app, commands, web.health_check
commands.all_commands()
specs = [getattr(module, "__spec__", None) for module in sys.modules.values()]
cached = [spec.cached for spec in specs if getattr(spec, "cached", None)]
print(*(path for path in cached if not os.path.exists(path)), end="")
"""
CONFIG_STATUS = 78


def main(program: str, *images: str) -> None:
    """Check the images that an engine has built, or what a stand-in builds."""
    engine: Engine = ContainerEngine(program, *images) if images else StandIn(program, TOP)
    check_builds(engine)
    check_labels(engine)
    check_unreadable_file(engine)
    with Oxigraph() as store:
        port = str(free_port())
        variables = {"PORT": port, "HOST": "127.0.0.1", "MU_SPARQL_ENDPOINT": store.endpoint}
        variables["MU_SPARQL_UPDATEPOINT"] = store.update_endpoint
        with engine.container(STREAM | variables) as container:
            check_schedules(container, store, port)
            check_rights(container)
            check_byte_code(container)
            check_calls(container, store, port)
            check_health(container, port)
            check_stop(container)


def check_builds(engine: Engine) -> None:
    """Compare builds. Only the layer of Debian's packages may differ: it holds logs with times.

    Docker's own builder gives every layer the time of the build, so there only the files count.
    """
    builds = engine.builds()
    digests = {files for files, _ in builds}
    require(len(digests) == 1, f"{len(builds)} builds hold different files: {digests}")
    layers = [of_one for _, of_one in builds]
    same = sum(len(set(of_each)) == 1 for of_each in zip(*layers, strict=True))
    text = f"{same} of {len(layers[0])} layers"
    require(not engine.repeats_layers or same >= len(layers[0]) - 1, f"only {text} are the same")
    done(f"{len(builds)} builds: the same files" + (f", {text}" if layers[0] else ""))


def check_labels(engine: Engine) -> None:
    labels = engine.labels()
    if labels is None:
        return
    version = labels["org.opencontainers.image.version"]
    revision = labels.get("org.opencontainers.image.revision", "not named")
    require(version == VERSION, f"the label has version {version}, not {VERSION}")
    done(f"labels: version {version}, revision {revision}")


def check_unreadable_file(engine: Engine) -> None:
    ended = engine.start_with_unreadable_file()
    require(ended.returncode == CONFIG_STATUS, f"unreadable file: status {ended.returncode}")
    require("chmod -R o+rX" in ended.stderr, f"unreadable file: {ended.stderr}")
    done("a file that user 1000 may not read is named, with the chmod")


def check_rights(container: Container) -> None:
    require(output(container, "id", "-u").strip() == "1000", "the user is not 1000")
    refused = container.inside("touch", "/app/file").returncode
    require(refused != 0, "the service may write into its folder")
    done("user 1000, who may not write into the service's folder")


def check_byte_code(container: Container) -> None:
    """Check that no module is compiled at each start: the user cannot keep the byte code."""
    missing = output(container, "python", "-c", WITHOUT_BYTE_CODE)
    require(not missing, f"without byte code: {missing}")
    done("byte code of all that the service and its commands import")


def check_schedules(container: Container, store: Oxigraph, port: str) -> None:
    address = f"http://localhost:{port}/health/ready"
    wait("ready", lambda: container.inside("curl", "-fs", address).returncode == 0)
    wait("the initial sync of the start", lambda: jobs(store, "initialPublicationGraphSyncing"))
    update(
        store,
        f"""
        PREFIX adms: <http://www.w3.org/ns/adms#>
        DELETE {{ GRAPH ?g {{ ?s adms:status ?old }} }}
        INSERT {{ GRAPH ?g {{ ?s adms:status <{STATUS}success> }} }}
        WHERE {{ GRAPH ?g {{ ?s adms:status ?old }} }}""",
    )
    wait("a dump of its schedule", lambda: jobs(store, "deltaDumpFileCreation"))
    done("ready, initial sync at the start, dump at its fire time")


def check_calls(container: Container, store: Oxigraph, port: str) -> None:
    for call in CALLS:
        address = f"http://localhost:{port}/{call}"
        for answer in (
            output(container, "curl", "-fsS", "-X", "POST", address),
            output(container, "wget", "-qO-", "--post-data=", address),
        ):
            (uri,) = re.findall(r"http://[^\s\"]+", answer)
            require(select(store, f"SELECT * {{ GRAPH ?g {{ <{uri}> a ?type }} }}"), f"no {uri}")
        answer = output(container, "curl", "-fsS", "-X", "DELETE", address)
        require("cleaned" in answer, f"DELETE {call}: {answer}")
    done("six calls, with curl and wget")


def check_health(container: Container, port: str) -> None:
    text = (TOP / "Dockerfile").read_text()
    (command,) = re.findall(r"^HEALTHCHECK[^\n]*\\\n +CMD (.*)$", text, re.MULTILINE)
    output(container, "env", f"PORT={port}", "HOST=127.0.0.1", *json.loads(command))
    done("health check")


def check_stop(container: Container) -> None:
    status, seconds = container.stop()
    require(status == 0, f"SIGTERM: status {status}")
    require(seconds < STOP_LIMIT, f"SIGTERM: ended after {seconds:.1f} s")
    done(f"SIGTERM: status 0 after {seconds:.1f} s")


def output(container: Container, *words: str) -> str:
    ended = container.inside(*words)
    require(ended.returncode == 0, f"{' '.join(words)}: status {ended.returncode}: {ended.stderr}")
    return ended.stdout


def jobs(store: Oxigraph, operation: str) -> bool:
    task = "http://redpencil.data.gift/vocabularies/tasks/operation"
    return bool(
        select(store, f"SELECT ?j {{ GRAPH ?g {{ ?j <{task}> <{JOB}{operation}/check> }} }}")
    )


def wait(what: str, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not condition():
        require(time.monotonic() < end, f"not in {WAIT:g} s: {what}")
        time.sleep(0.2)


def require(condition: object, problem: str) -> None:
    if not condition:
        raise CheckError(problem)


def done(what: str) -> None:
    print(f"ok: {what}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all is cleaned up
    try:
        main(*sys.argv[1:])
    except CheckError as error:
        sys.exit(f"script/image: {error}")
