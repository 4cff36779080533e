"""Read a folder with a stack into one value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from commands.stack import documents
from commands.stack.compose import Compose, ComposeError, ComposeService, read_compose
from commands.stack.dispatcher import forwards
from commands.stack.documents import DocumentError
from commands.stack.javascript import JavaScriptError, exported_list
from commands.stack.neighbours import (
    ALERTING,
    CONTROLLER,
    DISPATCHER,
    INITIATOR,
    MAINTAINER,
    NOTIFIER,
    PUBLISHER,
    RECEIVERS,
    Neighbour,
    is_service,
)
from commands.stack.values import (
    DeltaRule,
    DeltaRules,
    Instance,
    Route,
    Routes,
    Service,
    StackConfiguration,
    Unread,
)
from config import ConfigError, load

_OVERRIDE: Final = "config.override.json"
_CONFIG_FILES: Final = {
    "CONFIG_FILE": "/config/config.json",
    "CONFIG_OVERRIDE_FILE": f"/config/{_OVERRIDE}",
}
_T = TypeVar("_T")


@dataclass
class StackReader:
    """Reads the files of a folder, and remembers which were read, not read, and not found."""

    directory: Path
    compose: Compose = field(default_factory=Compose)
    files: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def read(self, now: datetime) -> StackConfiguration:
        """Return the stack; raise `ConfigError` if this service's own settings are unusable."""
        try:
            self.compose = read_compose(self.directory)
        except ComposeError as error:
            self.unread.append(Unread(error.file, str(error)))
        self.files.extend(self.compose.files)
        return StackConfiguration(
            now=now,
            instances=self._instances(),
            controllers=self._documents(CONTROLLER, documents.controller),
            maintainers=self._documents(MAINTAINER, documents.maintainer),
            publishers=self._documents(PUBLISHER, documents.publisher),
            alerting=self._documents(ALERTING, documents.alerting),
            delta_rules=self._documents(NOTIFIER, self._delta_rules),
            routes=self._documents(DISPATCHER, self._routes),
        )

    # This service

    def _instances(self) -> tuple[Instance, ...]:
        """Load every instance; raise `ConfigError` with the problems of all of them."""
        instances, problems = [], []
        for service, paths in self._configured():
            try:
                instances.append(self._instance(service, paths))
            except ConfigError as error:
                where = f"{service.place}, service {service.name}\n" if service else ""
                problems.append(f"{where}{error}")
        if not (instances or problems):
            problems.append(
                f"{self.directory}: no configuration of this service; name a folder with a "
                "docker-compose.yml or config/background-jobs-initiator/config.json that has it"
            )
        if problems:
            raise ConfigError("\n".join(problems))
        return tuple(instances)

    def _configured(self) -> list[tuple[ComposeService | None, dict[str, Path | None]]]:
        """Return each instance in the compose files, or each config file by the usual names."""
        services = self._services(INITIATOR)
        if services:
            return [(service, _mounted(service)) for service in services]
        return [
            (None, {"CONFIG_FILE": path, "CONFIG_OVERRIDE_FILE": path.with_name(_OVERRIDE)})
            for path in INITIATOR.in_folder(self.directory)
        ]

    def _instance(self, service: ComposeService | None, paths: dict[str, Path | None]) -> Instance:
        """Load an instance's settings; messages name the files as they are called in the stack."""
        environment = dict(service.environment) if service else {}
        for variable, path in paths.items():
            if path is not None and path.is_file():
                environment[variable] = self._place(path)
                self.files.append(self._place(path))
        settings = load(environment, self._own_text, lambda: _zone(environment))
        public = _public(service) if service else None
        return Instance(settings, settings.service.config_file, public)

    def _own_text(self, place: str) -> str:
        """Return the text of a file in the stack; a path of the container leads to none."""
        path = self.directory / place
        if self._place(path) not in self.files:
            raise FileNotFoundError(place)
        return path.read_text(encoding="utf-8")

    # Its neighbours

    def _services(self, neighbour: Neighbour) -> list[ComposeService]:
        found = [one for one in self.compose.services if is_service(neighbour, one)]
        for service in found:
            for file in service.missing:
                reason = f"{service.name} takes its environment from it, but it cannot be read"
                self.unread.append(Unread(file, reason))
        return found

    def _documents(
        self, neighbour: Neighbour, parse: Callable[[str, str, Mapping[str, str]], _T]
    ) -> tuple[_T, ...]:
        """Return what the files of a neighbour say; those that cannot be read are noted."""
        found = []
        for path, environment in self._located(neighbour):
            file = self._place(path)
            try:
                found.append(parse(file, path.read_text(encoding="utf-8"), environment))
            except (OSError, UnicodeError) as error:
                reason = getattr(error, "strerror", None) or "not UTF-8"
                self.unread.append(Unread(file, reason))
            except (DocumentError, JavaScriptError) as error:
                self.unread.append(Unread(file, str(error)))
            else:
                self.files.append(file)
        return tuple(found)

    def _located(self, neighbour: Neighbour) -> Iterator[tuple[Path, Mapping[str, str]]]:
        """Yield each file of a neighbour, with the environment of its service.

        A service of the compose files reads what is mounted. Usual names count only without one.
        """
        services = self._services(neighbour)
        located: dict[Path, Mapping[str, str]] = {}
        for service in services:
            path = _host_path(neighbour, service)
            if path is not None:
                located[path] = service.environment
        if not services:
            located = {path: {} for path in neighbour.in_folder(self.directory)}
        if not located:
            self.absent.append(neighbour.title)
        return iter(located.items())

    def _delta_rules(self, file: str, text: str, _environment: Mapping[str, str]) -> DeltaRules:
        exported = exported_list(text)
        self.unread.extend(Unread(file, reason) for reason in exported.unread)
        rules = []
        for element in exported.elements:
            try:
                rule = documents.delta_rule(element.value)
            except DocumentError as error:
                self.unread.append(Unread(file, f"line {element.line}: {error}"))
                continue
            place, url = f"{file}, line {element.line}", rule.callback.url
            rules.append(DeltaRule(place, rule.match, url, self._receiver(url), rule.options))
        return DeltaRules(file, tuple(rules))

    def _routes(self, file: str, text: str, _environment: Mapping[str, str]) -> Routes:
        routes = (
            Route(
                f"{file}, line {to.line}",
                to.path,
                to.url,
                self._receiver(to.url) == INITIATOR.title,
            )
            for to in forwards(text)
        )
        return Routes(file, tuple(routes))

    def _receiver(self, url: str) -> str:
        """Return what kind of neighbour a URL leads to, or nothing if it is of no interest."""
        host = _host(url)
        by_name = [service for service in self.compose.services if service.name.lower() == host]
        for neighbour in RECEIVERS:
            if any(is_service(neighbour, service) for service in by_name):
                return neighbour.title
        return next((one.title for one in RECEIVERS if one.is_named(host)), "")

    def _place(self, path: Path) -> str:
        inside = path.is_relative_to(self.directory)
        return str(path.relative_to(self.directory) if inside else path)


def _mounted(service: ComposeService) -> dict[str, Path | None]:
    return {
        variable: service.host_path(service.environment.get(variable) or usual)
        for variable, usual in _CONFIG_FILES.items()
    }


def _zone(environment: Mapping[str, str]) -> tzinfo:
    """Return the zone of TZ; a container without it has UTC."""
    name = environment.get("TZ", "").strip()
    return ZoneInfo(name) if name else UTC


def _public(service: ComposeService) -> Service:
    hosts = service.environment.get("VIRTUAL_HOST", "")
    return Service(service.name, service.place, service.ports, hosts)


def _host_path(neighbour: Neighbour, service: ComposeService) -> Path | None:
    """Return the file that is mounted; the first name of several if none of them exists."""
    named = service.environment.get(neighbour.variable)
    paths = [service.host_path(file) for file in ([named] if named else neighbour.files)]
    known = [path for path in paths if path is not None]
    return next((path for path in known if path.is_file()), next(iter(known), None))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
