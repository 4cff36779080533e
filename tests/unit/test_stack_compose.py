"""docker-compose files: this service's environment and mounts, merged as docker compose does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from commands.stack.compose import ComposeError, ComposeService, read_compose

ONE = "services:\n  one:\n"


def written(directory: Path, **files: str) -> Path:
    """Write files; `__` in a name stands for a dot, as in `docker_compose__yml`."""
    for name, text in files.items():
        (directory / name.replace("__", ".").replace("_", "-")).write_text(text)
    return directory


def only(directory: Path) -> ComposeService:
    [service] = read_compose(directory).services
    return service


def test_a_folder_without_compose_files(tmp_path: Path) -> None:
    assert read_compose(tmp_path).services == ()


@pytest.mark.parametrize(
    ("listing", "environment"),
    [
        ("{A: b, N: 0123, T: true, D: 1.0, E: '', S: no}", "A=b N=0123 T=true D=1.0 E= S=no"),
        ("[A=b, C=d=e]", "A=b C=d=e"),
        ("[FROM_THE_SHELL]", ""),
        ("{FROM_THE_SHELL: }", ""),
        ("", ""),
    ],
)
def test_the_environment(tmp_path: Path, listing: str, environment: str) -> None:
    written(tmp_path, docker_compose__yml=f"{ONE}    environment: {listing}")
    pairs = (f"{name}={value}" for name, value in only(tmp_path).environment.items())
    assert " ".join(pairs) == environment


@pytest.mark.parametrize(
    ("listing", "path", "found"),
    [
        ("./config/x:/config", "/config/config.json", "config/x/config.json"),
        ("./config/x/:/config/", "/config/config.json", "config/x/config.json"),
        ("./config/x:/config:ro", "/config/config.json", "config/x/config.json"),
        ("./x.json:/config/config.json", "/config/config.json", "x.json"),
        ("../x:/config", "/config/a", "../x/a"),
        ("{type: bind, source: ./x, target: /config}", "/config/a", "x/a"),
        ("data:/config", "/config/a", None),
        ("/config", "/config/a", None),
        ("./x:/configuration", "/config/a", None),
    ],
)
def test_a_mount(tmp_path: Path, listing: str, path: str, found: str | None) -> None:
    written(tmp_path, docker_compose__yml=f"{ONE}    volumes: [{listing}]")
    assert only(tmp_path).host_path(path) == (found and tmp_path / found)


def test_the_innermost_mount_counts(tmp_path: Path) -> None:
    volumes = "volumes: ['./b.json:/config/config.json', './a:/config']"
    written(tmp_path, docker_compose__yml=f"{ONE}    {volumes}")
    assert only(tmp_path).host_path("/config/config.json") == tmp_path / "b.json"
    assert only(tmp_path).host_path("/config/other.json") == tmp_path / "a/other.json"


def test_keys_that_are_not_text(tmp_path: Path) -> None:
    written(tmp_path, docker_compose__yml="services: {~: {environment: {~: a}}}")
    service = only(tmp_path)
    assert (service.name, service.environment) == ("None", {"None": "a"})


def test_an_override_file_adds_and_replaces(tmp_path: Path) -> None:
    first = "image: i:1\n    environment: {A: a, B: b}\n    volumes: ['./a:/a', './b:/b']"
    second = "image: i:2\n    environment: [B=c]\n    volumes: ['./c:/b/']\n    ports: ['1:80']"
    written(
        tmp_path,
        docker_compose__yml=f"{ONE}    {first}\n    ports: ['2:80']\n",
        docker_compose__override__yml=f"{ONE}    {second}\n  two: {{image: other}}\n",
        docker_compose__dev__yml=f"{ONE}    image: dev",
    )
    compose = read_compose(tmp_path)
    one, two = compose.services
    assert compose.files == ("docker-compose.yml", "docker-compose.override.yml")
    assert (one.place, one.image, one.ports) == ("docker-compose.yml", "i", ("2:80", "1:80"))
    assert one.environment == {"A": "a", "B": "c"}
    assert one.host_path("/b/x") == tmp_path / "c/x"
    assert (two.name, two.place) == ("two", "docker-compose.override.yml")


def test_the_files_that_dotenv_names(tmp_path: Path) -> None:
    written(
        tmp_path,
        __env="COMPOSE_FILE=docker-compose.yml:docker-compose.dev.yml # both\n",
        docker_compose__yml=f"{ONE}    image: first",
        docker_compose__dev__yml=f"{ONE}    image: second",
        docker_compose__override__yml=f"{ONE}    image: third",
    )
    assert only(tmp_path).image == "second"


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("$A", "a"),
        ("${A}b", "ab"),
        ("${A:-x}", "a"),
        ("${NONE:-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${NONE-x}", "x"),
        ("${A:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${NONE:?not set}", ""),
        ("$$A", "$A"),
        ("$PATH", ""),
    ],
)
def test_variables_come_from_dotenv_and_not_from_the_shell(
    tmp_path: Path, value: str, result: str
) -> None:
    dotenv = "# comment\n\nexport A = 'a' # the first\nEMPTY=\n"
    written(tmp_path, __env=dotenv, docker_compose__yml=f"{ONE}    environment: ['X={value}']")
    assert only(tmp_path).environment == {"X": result}


def test_environment_files_come_before_the_environment(tmp_path: Path) -> None:
    files = "env_file: [a.env, {path: none.env}]\n    environment: {B: c}"
    written(tmp_path, docker_compose__yml=f"{ONE}    {files}", a__env='A="x y"\nB=b')
    service = only(tmp_path)
    assert service.environment == {"A": "x y", "B": "c"}
    assert service.missing == ("none.env",)


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    text = "x-e: &e {A: a, B: b}\nservices:\n  one:\n    environment: {<<: *e, B: c}\n"
    written(tmp_path, docker_compose__yml=text)
    assert only(tmp_path).environment == {"A": "a", "B": "c"}


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("lblod/x:1.0", "lblod/x"),
        ("localhost:5000/x", "localhost:5000/x"),
        ("localhost:5000/x:2", "localhost:5000/x"),
        ("x@sha256:00", "x"),
    ],
)
def test_an_image_without_its_tag(tmp_path: Path, image: str, name: str) -> None:
    written(tmp_path, docker_compose__yml=f"{ONE}    image: {image}")
    assert only(tmp_path).image == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("services:\n  one: {", "line 2: expected the node content"),
        ("services:\n  one:\n    ports: !reset []", "line 3: could not determine a constructor"),
        ("services: [one]", "not the form of a docker-compose file"),
        ("- services", "not the form of a docker-compose file"),
        ("services: {one: [image]}", "not the form of a docker-compose file"),
        ("services: {one: {volumes: [{source: ./a}]}}", "not the form of a docker-compose file"),
        ("", "not the form of a docker-compose file"),
        ("services: " + "[" * 3000, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, reason: str) -> None:
    written(tmp_path, docker_compose__yml=text)
    with pytest.raises(ComposeError) as caught:
        read_compose(tmp_path)
    assert caught.value.file == "docker-compose.yml"
    assert re.search(reason, str(caught.value))


def test_a_listed_file_that_does_not_exist(tmp_path: Path) -> None:
    written(tmp_path, __env="COMPOSE_FILE=none.yml")
    with pytest.raises(ComposeError) as caught:
        read_compose(tmp_path)
    assert (caught.value.file, str(caught.value)) == ("none.yml", "No such file or directory")
