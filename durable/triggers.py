"""Database triggers that every table with a status shares."""

from collections.abc import Iterable, Mapping
from typing import Any

import pgtrigger


def legal_moves_only(
    *, name: str, field: str, moves: Mapping[Any, Iterable[Any]]
) -> pgtrigger.Trigger:
    """Refuse, in PostgreSQL, every change of ``field`` that ``moves`` does not hold."""
    transitions = [(str(a), str(b)) for a, after in moves.items() for b in sorted(after)]
    return pgtrigger.FSM(name=name, field=field, transitions=transitions)


def frozen_fields(*, name: str, fields: list[str]) -> pgtrigger.Trigger:
    """Refuse, in PostgreSQL, every change of ``fields`` once the row exists."""
    return pgtrigger.ReadOnly(name=name, fields=fields)


def no_delete(*, name: str = "no_delete") -> pgtrigger.Trigger:
    """Refuse DELETE in PostgreSQL."""
    return pgtrigger.Protect(name=name, operation=pgtrigger.Delete)
