"""What starts an image for `script/image check`: Docker, Podman, or a stand-in without an engine.

A stand-in is a program with two commands. `build FOLDER` builds the image. `run [-e NAME=VALUE]...
[--] [WORD]...` starts its last build. It runs in a chroot with the network of the host, so it shows
less: no read-only root, no labels, no process 1.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

NAME = "initiator-check"
# What the image adds to its base: names, contents, rights and times. Bash knows that tar failed.
PACK = "set -o pipefail; tar --sort=name --numeric-owner -cf - /opt/venv /app | sha256sum"
FILES = ("bash", "-c", PACK)
SECRET = "/etc/shadow"  # noqa: S105 - a file of every image that user 1000 may not read
WAIT = 60.0  # seconds
END_WAIT = 10.0  # seconds for the clean-up of a program that is ended

TRIES = 3
MARK = "(end of the output)"
MARKED = f'"$@"; status=$?; printf "{MARK}"; exit $status'

Ended = subprocess.CompletedProcess[str]


class CheckError(Exception):
    """The image does not do what it should; the message says what."""


class Container(Protocol):
    """The service as it runs from the image."""

    def inside(self, *words: str) -> Ended:
        """Run a command beside the service, as an operator does."""

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM; return the exit status, and after how many seconds it ended."""


class Engine(Protocol):
    """What starts the image. `repeats_layers` means that two builds have the same layers."""

    repeats_layers: bool

    def builds(self) -> Sequence[tuple[str, Sequence[str]]]:
        """Return the digest of the service's files and the layers, for each of several builds."""

    def labels(self) -> Mapping[str, str] | None:
        """Return the labels of the image; None if they are not known."""

    def start_with_unreadable_file(self) -> Ended:
        """Start the image with a configuration file that its user may not read."""

    def container(self, environment: Mapping[str, str]) -> Any:
        """Start the service for the length of a block, and yield its `Container`."""


class ContainerEngine:
    """Docker or Podman, by its command line, with images that are built already."""

    def __init__(self, program: str, *images: str) -> None:
        self.program, self.image, self.images = program, images[0], images
        self.repeats_layers = Path(program).name == "podman"

    def builds(self) -> Sequence[tuple[str, Sequence[str]]]:
        return [
            (
                self._output("run", "--rm", "--network", "none", image, *FILES),
                self._facts(image)["RootFS"]["Layers"],
            )
            for image in self.images
        ]

    def labels(self) -> Mapping[str, str]:
        labels: Mapping[str, str] = self._facts(self.image)["Config"]["Labels"]
        return labels

    def start_with_unreadable_file(self) -> Ended:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.json"
            path.write_text("[]")
            path.chmod(0)
            Path(folder).chmod(0o755)
            mount = ("--volume", f"{folder}:/config:ro")
            return self._run("run", "--rm", "--network", "none", *mount, self.image)

    @contextmanager
    def container(self, environment: Mapping[str, str]) -> Iterator[ContainerEngine]:
        """Start the image with as few rights as `deploy/` gives it, and remove it in the end."""
        limits = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")  # noqa: S108 - its own
        variables = [word for item in environment.items() for word in ("--env", "=".join(item))]
        words = ("--detach", "--network", "host", "--name", NAME, *limits, *variables, self.image)
        self._run("rm", "--force", NAME)
        self._output("run", *words)
        try:
            yield self
        except CheckError:
            print(self._run("logs", NAME).stdout[-3000:])
            raise
        finally:
            self._run("rm", "--force", NAME)

    def inside(self, *words: str) -> Ended:
        return self._run("exec", NAME, *words)

    def stop(self) -> tuple[int, float]:
        begin = datetime.now(UTC)
        self._output("kill", "--signal", "TERM", NAME)
        status = int(self._output("wait", NAME))
        (state,) = json.loads(self._output("inspect", NAME))
        ended = datetime.fromisoformat(state["State"]["FinishedAt"])
        return status, (ended - begin).total_seconds()

    def _facts(self, image: str) -> Any:
        (found,) = json.loads(self._output("image", "inspect", image))
        return found

    def _run(self, *words: str) -> Ended:
        return run(self.program, *words)

    def _output(self, *words: str) -> str:
        done = self._run(*words)
        if done.returncode:
            raise CheckError(f"{' '.join(words)}: status {done.returncode}: {done.stderr}")
        return done.stdout


class StandIn:
    """A program that builds and runs the image without an engine."""

    repeats_layers = False

    def __init__(self, program: str, folder: Path) -> None:
        self.program, self.folder = program, folder

    def builds(self) -> Sequence[tuple[str, Sequence[str]]]:
        found: list[tuple[str, Sequence[str]]] = []
        for _ in range(2):
            built = run(self.program, "build", str(self.folder))
            if built.returncode:
                raise CheckError(f"build: {built.stdout[-3000:]}{built.stderr[-3000:]}")
            files = self.inside(*FILES)
            if files.returncode:
                raise CheckError(f"the files of the image: {files.stderr}")
            found.append((files.stdout, ()))
        return found

    def labels(self) -> None:
        return None

    def start_with_unreadable_file(self) -> Ended:
        return run(self.program, "run", "-e", f"CONFIG_FILE={SECRET}")

    @contextmanager
    def container(self, environment: Mapping[str, str]) -> Iterator[_Process]:
        """Start the service, and end it."""
        variables = [word for item in environment.items() for word in ("-e", "=".join(item))]
        with tempfile.TemporaryFile("w+") as log:
            words = [self.program, "run", *variables]
            with subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT) as process:
                try:
                    yield _Process(self, process)
                except CheckError:
                    log.seek(0)
                    print(log.read()[-3000:])
                    raise
                finally:
                    end(process)

    def inside(self, *words: str) -> Ended:
        """Run a command in a container of its own.

        On a busy machine, a stand-in ended with status 0 and without the output (seen once in 100
        runs with buildah). So the output has a mark at its end, and what lost it is run again.
        """
        for _ in range(TRIES):
            done = run(self.program, "run", "--", "sh", "-c", MARKED, "sh", *words)
            if done.stdout.endswith(MARK):
                output = done.stdout.removesuffix(MARK)
                return Ended(done.args, done.returncode, output, done.stderr)
        raise CheckError(f"{' '.join(words)}: no whole output: {done.stdout}{done.stderr}")


class _Process:
    """The service that a stand-in started."""

    def __init__(self, stand_in: StandIn, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.inside = stand_in.inside

    def stop(self) -> tuple[int, float]:
        running = list(filter(is_service, descendants(self._process.pid)))
        if len(running) != 1:
            raise CheckError(f"{len(running)} processes of the service, and not one")
        [number] = running
        begin = time.monotonic()
        os.kill(number, signal.SIGTERM)
        while is_service(number) and time.monotonic() < begin + WAIT:
            time.sleep(0.01)
        seconds = time.monotonic() - begin
        try:
            return self._process.wait(WAIT), seconds
        except subprocess.TimeoutExpired as error:
            raise CheckError(f"SIGTERM: still there after {WAIT:g} s") from error


def run(*words: str) -> Ended:
    """Run a command to its end; an exception ends what it has started too."""
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            stdout, stderr = process.communicate()
        finally:
            end(process)
    return Ended(words, process.returncode, stdout, stderr)


def end(process: subprocess.Popen[Any]) -> None:
    """End a process and what it has started, with SIGTERM first, so that it can clean up."""
    if process.poll() is not None:
        return
    family = [*descendants(process.pid), process.pid]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for one in family:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(one, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_WAIT)
        family = [one for one in family if Path(f"/proc/{one}").exists()]


def is_service(number: int) -> bool:
    """Return whether a process is the service, and still runs."""
    try:
        program, *words = Path(f"/proc/{number}/cmdline").read_text().split("\0")
    except OSError:
        return False
    return Path(program).name == "python" and "app.py" in words


def descendants(number: int) -> list[int]:
    """Return the processes that a process started, directly or not."""
    children: dict[int, list[int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            _, _, rest = file.read_text().rpartition(")")
            children.setdefault(int(rest.split()[1]), []).append(int(file.parent.name))
    found = [number]
    for one in found:
        found += children.get(one, [])
    return found[1:]
