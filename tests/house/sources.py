"""The files that the house rules are about, read as text: no rule needs Django."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
TOOLS: Final = frozenset({"bench", "local", "sandbox"})


@cache
def tracked(*endings: str) -> tuple[Path, ...]:
    """The files of the repository with one of ``endings``, migrations left out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = (ROOT / name for name in listed.stdout.splitlines() if name.endswith(endings))
    return tuple(path for path in found if path.is_file() and "migrations" not in path.parts)


def name_of_file(path: Path) -> str:
    """The path from the root, with slashes."""
    return path.relative_to(ROOT).as_posix()


@cache
def product() -> tuple[Path, ...]:
    """The Python files of the product: neither tests nor tools."""
    return tuple(path for path in tracked(".py") if is_product(path))


def is_product(path: Path) -> bool:
    """True for a Python file that runs in production."""
    top = path.relative_to(ROOT).parts[0]
    return top not in TOOLS | {"tests"} and path.suffix == ".py"


@cache
def pyproject() -> dict[str, Any]:
    """``pyproject.toml``."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
