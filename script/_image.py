"""Starts the image beside a real store and tries it, called and documented by script/image."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from settings.version import VERSION  # noqa: E402 - found in the folder above
from tests.support.servers import Oxigraph, select, update  # noqa: E402
from tests.support.sockets import free_port  # noqa: E402

NAME = "initiator-check"
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
# What the image adds to its base: names, contents, rights and times.
FILES = "tar --sort=name --numeric-owner -cf - /opt/venv /app | sha256sum"
ALONE = ("run", "--rm", "--network", "none")
WAIT = 60.0  # seconds
STOP_LIMIT = 1.0  # seconds
CONFIG_STATUS = 78


class CheckError(Exception):
    """The image does not do what it should; the message says what."""


class Engine:
    """Docker or Podman, by its command line."""

    def __init__(self, program: str) -> None:
        self.program = program

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [self.program, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def output(self, *words: str) -> str:
        done = self.run(*words)
        if done.returncode:
            raise CheckError(f"{' '.join(words)}: status {done.returncode}: {done.stderr}")
        return done.stdout

    def inside(self, *words: str) -> str:
        """Run a command inside the container, as an operator does."""
        return self.output("exec", NAME, *words)

    @contextmanager
    def container(self, image: str, environment: dict[str, str]) -> Iterator[None]:
        """Start the image with as few rights as `deploy/` gives it, and remove it in the end."""
        limits = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")  # noqa: S108 - its own
        variables = [word for item in environment.items() for word in ("--env", "=".join(item))]
        words = ("--detach", "--network", "host", "--name", NAME, *limits, *variables, image)
        self.run("rm", "--force", NAME)
        self.output("run", *words)
        try:
            yield
        except CheckError:
            print(self.run("logs", NAME).stdout[-3000:])
            raise
        finally:
            self.run("rm", "--force", NAME)


def main(program: str, image: str, *others: str) -> None:
    """Check one image, and that the others hold the same files."""
    engine = Engine(program)
    check_labels(engine, image)
    check_builds(engine, image, *others)
    check_unreadable_file(engine, image)
    with Oxigraph() as store:
        port = str(free_port())
        variables = {"PORT": port, "HOST": "127.0.0.1", "MU_SPARQL_ENDPOINT": store.endpoint}
        variables["MU_SPARQL_UPDATEPOINT"] = store.update_endpoint
        with engine.container(image, STREAM | variables):
            check_rights(engine)
            check_schedules(engine, store, port)
            check_calls(engine, store, port)
            check_health(engine)
            check_stop(engine)


def check_labels(engine: Engine, image: str) -> None:
    labels = facts(engine, image)["Config"]["Labels"]
    version = labels["org.opencontainers.image.version"]
    revision = labels.get("org.opencontainers.image.revision", "not named")
    require(version == VERSION, f"the label has version {version}, not {VERSION}")
    done(f"labels: version {version}, revision {revision}")


def check_builds(engine: Engine, *images: str) -> None:
    """Compare builds. Only the layer of Debian's packages may differ: it holds logs with times.

    Docker's own builder gives every layer the time of the build, so there only the files count.
    """
    digests = {engine.output(*ALONE, image, "sh", "-c", FILES) for image in images}
    require(len(digests) == 1, f"{len(images)} builds hold different files: {digests}")
    layers = [facts(engine, image)["RootFS"]["Layers"] for image in images]
    same = sum(len(set(of_each)) == 1 for of_each in zip(*layers, strict=True))
    podman = Path(engine.program).name == "podman"
    require(not podman or same >= len(layers[0]) - 1, f"only {same} of {len(layers[0])} layers")
    done(f"{len(images)} builds: the same files, {same} of {len(layers[0])} layers the same")


def facts(engine: Engine, image: str) -> Any:
    (found,) = json.loads(engine.output("image", "inspect", image))
    return found


def check_unreadable_file(engine: Engine, image: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text("[]")
        path.chmod(0)
        Path(folder).chmod(0o755)
        ended = engine.run(*ALONE, "--volume", f"{folder}:/config:ro", image)
    require(ended.returncode == CONFIG_STATUS, f"unreadable file: status {ended.returncode}")
    require("chmod -R o+rX" in ended.stderr, f"unreadable file: {ended.stderr}")
    done("a file that user 1000 may not read is named, with the chmod")


def check_rights(engine: Engine) -> None:
    require(engine.inside("id", "-u").strip() == "1000", "the user is not 1000")
    refused = engine.run("exec", NAME, "touch", "/app/file").returncode
    require(refused != 0, "the root is not read-only")
    done("user 1000, read-only root")


def check_schedules(engine: Engine, store: Oxigraph, port: str) -> None:
    address = f"http://localhost:{port}/health/ready"
    wait("ready", lambda: engine.run("exec", NAME, "curl", "-fs", address).returncode == 0)
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


def check_calls(engine: Engine, store: Oxigraph, port: str) -> None:
    for call in CALLS:
        address = f"http://localhost:{port}/{call}"
        for answer in (
            engine.inside("curl", "-fsS", "-X", "POST", address),
            engine.inside("wget", "-qO-", "--post-data=", address),
        ):
            (uri,) = re.findall(r"http://[^\s\"]+", answer)
            require(select(store, f"SELECT * {{ GRAPH ?g {{ <{uri}> a ?type }} }}"), f"no {uri}")
        answer = engine.inside("curl", "-fsS", "-X", "DELETE", address)
        require("cleaned" in answer, f"DELETE {call}: {answer}")
    done("six calls, with curl and wget")


def check_health(engine: Engine) -> None:
    text = (TOP / "Dockerfile").read_text()
    (command,) = re.findall(r"^HEALTHCHECK[^\n]*\\\n +CMD (.*)$", text, re.MULTILINE)
    words = json.loads(command) if command.startswith("[") else ["sh", "-c", command]
    engine.inside(*words)
    done("health check")


def check_stop(engine: Engine) -> None:
    begin = datetime.now(UTC)
    engine.output("kill", "--signal", "TERM", NAME)
    status = engine.output("wait", NAME).strip()
    (state,) = json.loads(engine.output("inspect", NAME))
    seconds = (datetime.fromisoformat(state["State"]["FinishedAt"]) - begin).total_seconds()
    require(status == "0", f"SIGTERM: status {status}")
    require(seconds < STOP_LIMIT, f"SIGTERM: ended after {seconds:.1f} s")
    done(f"SIGTERM as process 1: status 0 after {seconds:.1f} s")


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
    try:
        main(*sys.argv[1:])
    except CheckError as error:
        sys.exit(f"script/image: {error}")
