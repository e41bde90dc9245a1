"""A mistake that integrations make, and the tests that would fail if ours made it."""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

_TESTS: Final = Path(__file__).parents[1]


class Trap(NamedTuple):
    """One mistake. ``places`` gives the tests that fail if we make it, by file."""

    mistake: str
    places: Mapping[str, tuple[str, ...]]


def files_of(traps: Mapping[int, Trap]) -> list[str]:
    """Every file that the traps name."""
    return sorted({file for trap in traps.values() for file in trap.places})


def missing(traps: Mapping[int, Trap], file: str) -> set[str]:
    """The tests that the traps name in ``file`` and that are not written there."""
    tree = ast.parse((_TESTS / file).read_text(encoding="utf-8"))
    written = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    named = {name for trap in traps.values() for name in trap.places.get(file, ())}
    return named - written
