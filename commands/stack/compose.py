"""Read the services of a stack's docker-compose files, merged as docker compose does.

The common cases are covered: `COMPOSE_FILE` in `.env` or the usual names with an override file,
variables of `.env`, `env_file`, anchors, and both ways to write a list. `extends`, `include` and
profiles are not. The environment of the person who runs the command plays no part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from commands.stack.variables import assignments, substituted

NAMES: Final = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_TAG: Final = re.compile(r":[^/:]*$")


class ComposeError(Exception):
    """A file cannot be used; `file` is its name in the stack, the text is the reason."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(reason)
        self.file = file


@dataclass(frozen=True)
class Mount:
    """A bind mount; `source` is absolute, or None for a volume that docker keeps."""

    source: Path | None
    target: PurePosixPath


@dataclass(frozen=True, kw_only=True)
class ComposeService:
    """A service of the stack; `place` is the first file that has it, `image` has no tag.

    `missing` are the files for its environment that cannot be read.
    """

    name: str
    place: str
    image: str
    environment: Mapping[str, str]
    missing: tuple[str, ...]
    mounts: tuple[Mount, ...]
    ports: tuple[str, ...]

    def host_path(self, container_path: str) -> Path | None:
        """Return where a path of the container is in the stack, or None if nothing is mounted."""
        path = PurePosixPath(container_path)
        inner = [m for m in self.mounts if path.is_relative_to(m.target) and m.source is not None]
        mount = max(inner, key=lambda found: len(found.target.parts), default=None)
        if mount is None or mount.source is None:
            return None
        return mount.source / path.relative_to(mount.target)


@dataclass(frozen=True)
class Compose:
    """What the docker-compose files say; `files` are those that were read."""

    files: tuple[str, ...] = ()
    services: tuple[ComposeService, ...] = ()


def read_compose(directory: Path) -> Compose:
    """Return the merged services of a folder; raise `ComposeError` if a file cannot be used."""
    variables = assignments(_text(directory, ".env")) if (directory / ".env").exists() else {}
    merged: dict[str, dict[str, Any]] = {}
    places: dict[str, str] = {}
    files = _files(directory, variables)
    for file in files:
        for name, content in _services(directory, file, variables).items():
            merged[name] = _merged(merged.get(name, {}), content)
            places.setdefault(name, file)
    services = (_service(directory, name, places[name], merged[name]) for name in merged)
    return Compose(tuple(files), tuple(services))


def _files(directory: Path, variables: Mapping[str, str]) -> list[str]:
    listed = variables.get("COMPOSE_FILE")
    if listed:
        return listed.split(variables.get("COMPOSE_PATH_SEPARATOR") or ":")
    found = [name for name in NAMES if (directory / name).is_file()][:1]
    stems = {PurePosixPath(name).stem for name in found}
    overrides = (f"{stem}.override{end}" for stem in stems for end in (".yml", ".yaml"))
    return found + [name for name in overrides if (directory / name).is_file()][:1]


def _services(directory: Path, file: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the services of one file, each in its normal form."""
    try:
        content = yaml.load(_text(directory, file), _Loader)  # noqa: S506 - a SafeLoader
        services = content.get("services") or {}
        return {
            str(name): _normal(substituted(raw or {}, variables)) for name, raw in services.items()
        }
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ComposeError(file, f"{line}{error.problem or error.context}") from error
    except (AttributeError, LookupError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ComposeError(file, "not the form of a docker-compose file") from error
    except RecursionError:
        raise ComposeError(file, "its values are nested too deeply") from None


class _Loader(yaml.SafeLoader):
    """Reads each plain scalar as text, because an environment consists of texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the form that PyYAML expects
        first: [pair for pair in pairs if pair[0].endswith((":null", ":merge"))]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _text(directory: Path, file: str) -> str:
    try:
        return (directory / file).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ComposeError(file, getattr(error, "strerror", None) or "not UTF-8") from error


def _normal(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a service that are used here, with lists as mappings by their key."""
    image = {"image": str(raw["image"])} if raw.get("image") else {}
    files = [item["path"] if isinstance(item, dict) else item for item in _listed(raw, "env_file")]
    return {
        **image,
        "environment": _environment(raw.get("environment") or {}),
        "env_files": [str(file) for file in files],
        "volumes": dict(_volume(volume) for volume in _listed(raw, "volumes")),
        "ports": [_port(port) for port in _listed(raw, "ports")],
    }


def _listed(raw: dict[str, Any], key: str) -> list[Any]:
    value = raw.get(key)
    return value if isinstance(value, list) else [value] if value else []


def _environment(value: Any) -> dict[str, str]:
    """Return variables with a value; one without a value would come from the person's shell."""
    pairs = (
        value.items() if isinstance(value, dict) else (str(item).split("=", 1) for item in value)
    )
    return {
        str(pair[0]): str(pair[1]) for pair in map(tuple, pairs) if pair[1:] not in ((), (None,))
    }


def _volume(value: Any) -> tuple[str, str]:
    """Return the target and the source of a volume."""
    if isinstance(value, dict):
        return str(value["target"]).rstrip("/"), str(value.get("source", ""))
    source, _, target = str(value).partition(":")
    return (target.partition(":")[0] or source).rstrip("/"), source if target else ""


def _port(value: Any) -> str:
    if isinstance(value, dict):
        parts = [value.get("host_ip"), value.get("published"), value.get("target")]
        return ":".join(str(part) for part in parts if part)
    return str(value)


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return the service with what a later file adds to it or replaces."""
    if not first:
        return second
    maps = {key: first[key] | second[key] for key in ("environment", "volumes")}
    lists = {key: first[key] + second[key] for key in ("env_files", "ports")}
    return {**first, **second, **maps, **lists}


def _service(directory: Path, name: str, place: str, parts: dict[str, Any]) -> ComposeService:
    environment: dict[str, str] = {}
    missing = []
    for file in parts["env_files"]:
        try:
            environment |= assignments(_text(directory, file))
        except ComposeError:
            missing.append(file)
    mounts = (
        Mount(_source(directory, source), PurePosixPath(target))
        for target, source in parts["volumes"].items()
    )
    return ComposeService(
        name=name,
        place=place,
        image=_TAG.sub("", parts.get("image", "").partition("@")[0]),
        environment=environment | parts["environment"],
        missing=tuple(missing),
        mounts=tuple(mounts),
        ports=tuple(dict.fromkeys(parts["ports"])),
    )


def _source(directory: Path, source: str) -> Path | None:
    return directory / source if source[:1] in (".", "/") else None
