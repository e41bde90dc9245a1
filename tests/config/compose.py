"""``docker-compose.yml`` as Docker would read it, and its commands without a container."""

import json
import re
import socket
import subprocess
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import yaml

from tests.config.production import FILLED_IN, ROOT

Json = dict[str, Any]
COMPOSE_FILE: Final = ROOT / "docker-compose.yml"
# ${NAME}, ${NAME:-default} and ${NAME:?message}; $$ is a dollar.
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\})"
)


def compose(variables: Mapping[str, str] = FILLED_IN) -> Json:
    """The whole file with its variables filled in and its anchors resolved."""
    text = COMPOSE_FILE.read_text(encoding="utf-8")
    document: Json = yaml.safe_load(text)
    filled: Json = _fill_in(document, variables)
    return filled


def _fill_in(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _value(match, variables), value)
    if isinstance(value, list):
        return [_fill_in(item, variables) for item in value]
    if isinstance(value, dict):
        return {name: _fill_in(item, variables) for name, item in value.items()}
    return value


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    given = variables.get(match["name"], "")
    if not given and match["kind"] == "?":
        raise LookupError(match["name"])
    return given or match["word"] or ""


def schema() -> Json:
    """The published JSON schema of compose files."""
    folder = resources.files("check_jsonschema.builtin_schemas.vendor")
    document: Json = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))
    return document


def command_of(service: str) -> list[str]:
    """What a service runs."""
    command: list[str] = compose()["services"][service]["command"]
    return command


def health_command_of(service: str) -> list[str]:
    """What asks a service whether it is well."""
    kind, *words = compose()["services"][service]["healthcheck"]["test"]
    return ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else words


def run(command: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as a container of that environment would."""
    return subprocess.run(
        command,
        env={"HOSTNAME": socket.gethostname(), **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
