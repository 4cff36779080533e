"""The services that matter to this one, and the names that real stacks give them.

A service is recognised by its image, its name in docker-compose, or the folder of its
configuration. These names vary from stack to stack, so each neighbour has a pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from commands.stack.compose import ComposeService


@dataclass(frozen=True)
class Neighbour:
    """A kind of service: its name, a pattern of its names, and its files in the container.

    `variable` is the environment variable that names another file, `folder` a pattern of the
    folders of `config/` if it differs from that of the names.
    """

    title: str
    names: re.Pattern[str]
    files: tuple[str, ...] = ("/config/config.json",)
    variable: str = ""
    folder: re.Pattern[str] | None = None

    def is_named(self, name: str) -> bool:
        """Return whether a host, service or image has a name of this kind."""
        return self.names.search(name.lower()) is not None

    def has_folder(self, name: str) -> bool:
        """Return whether a folder of `config/` has a name of this kind."""
        return (self.folder or self.names).search(name.lower()) is not None

    def in_folder(self, directory: Path) -> list[Path]:
        """Return its files by the usual names: `config/<folder>/<file>`, or one folder deeper.

        A file may also lie directly in the directory, with `_` for each slash of its path.
        """
        names = sorted({Path(file).name for file in self.files})
        nested = (
            path
            for name in names
            for pattern in (f"config/*/{name}", f"config/*/*/{name}")
            for path in sorted(directory.glob(pattern))
            if self.has_folder(path.parent.name)
        )
        flat = (
            path
            for name in names
            for path in sorted(directory.glob(f"*_{name}"))
            if self.has_folder(path.name.removesuffix(f"_{name}").rpartition("_")[2])
        )
        return [*nested, *flat]


def _names(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


INITIATOR: Final = Neighbour(
    "background-jobs-initiator", _names(r"(background|bg)-jobs?-initiator")
)
CONTROLLER: Final = Neighbour("job-controller", _names(r"(?<!scheduled-)jobs?-controller"))
MAINTAINER: Final = Neighbour(
    "publication-graph-maintainer",
    _names(r"(pub|publication)-graph-maintainer"),
    files=("/config/config.json", "/config/services.json"),
    variable="CONFIG_SERVICES_JSON_PATH",
)
PUBLISHER: Final = Neighbour("dump-file-publisher", _names(r"dump-file-publisher"))
ALERTING: Final = Neighbour("error-alert", _names(r"error-alert"))
NOTIFIER: Final = Neighbour(
    "delta-notifier",
    _names(r"delta-?notifier"),
    files=("/config/rules.js",),
    folder=_names(r"^delta(-?notifier)?$"),
)
DISPATCHER: Final = Neighbour(
    "dispatcher",
    _names(r"(^|/)(mu-)?dispatcher$"),
    files=("/config/dispatcher.ex",),
)
RECEIVERS: Final = (CONTROLLER, MAINTAINER, PUBLISHER, ALERTING, INITIATOR)


def is_service(neighbour: Neighbour, service: ComposeService) -> bool:
    """Return whether a service is of a kind: by its image, else by its name."""
    kinds = (*RECEIVERS, NOTIFIER, DISPATCHER)
    by_image = [kind for kind in kinds if kind.is_named(service.image)]
    return neighbour in by_image if by_image else neighbour.is_named(service.name)
