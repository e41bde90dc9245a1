"""Rows in and out by few, plain statements, for the paths that every payment takes.

The ORM builds each statement anew from its parts, which costs a web process more than PostgreSQL
needs to execute it, and it updates rows with different values one by one. These functions write
what models and their fields say, one statement for a whole batch. All of them are for models
whose key is made by us, and leave values that PostgreSQL fills in unread.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from django.db import connection
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault
from django.db.models.functions import Now

_NOW: Final = "STATEMENT_TIMESTAMP()"


def insert(rows: Sequence[Model], *, unless_there: bool = False) -> None:
    """Insert ``rows`` of one model; ``unless_there`` drops those that a unique constraint has."""
    if rows:
        _insert(rows, "ON CONFLICT DO NOTHING" if unless_there else "")


def insert_new(row: Model) -> bool:
    """Insert ``row`` and say so; False when a unique constraint already has one like it.

    Waits for another transaction that is inserting the same at this moment.
    """
    return _insert([row], "ON CONFLICT DO NOTHING") == 1


def update(model: type[Model], changes: Mapping[Any, Mapping[str, Any]]) -> None:
    """Write ``changes`` (key of the row → field → value): one statement for each set of fields."""
    groups: dict[tuple[str, ...], list[tuple[Any, Mapping[str, Any]]]] = {}
    for key, values in changes.items():
        if values:
            groups.setdefault(tuple(sorted(values)), []).append((key, values))
    for names, group in groups.items():
        _update(model, names, group)


def _insert(rows: Sequence[Model], suffix: str) -> int:
    fields, head = _insertion(type(rows[0]))
    parameters: list[Any] = []
    tuples = [_tuple(fields, row, parameters) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(f"{head} {','.join(tuples)} {suffix}", parameters)
        count: int = cursor.rowcount
    for row in rows:
        row._state.adding = False  # noqa: SLF001 - as the ORM does after an insert
    return count


def _tuple(fields: Iterable["Field[Any, Any]"], row: Model, parameters: list[Any]) -> str:
    places = []
    for field in fields:
        value = getattr(row, field.attname)
        if isinstance(value, DatabaseDefault):
            places.append("DEFAULT")
        elif isinstance(value, Now):
            places.append(_NOW)
        else:
            places.append("%s")
            parameters.append(field.get_db_prep_save(value, connection))
    return f"({','.join(places)})"


@cache
def _insertion(model: type[Model]) -> tuple[tuple["Field[Any, Any]", ...], str]:
    fields = tuple(model._meta.local_concrete_fields)  # noqa: SLF001 - Django's public _meta
    columns = ",".join(f'"{field.column}"' for field in fields)
    return fields, f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES'  # noqa: SLF001


def _update(
    model: type[Model], names: tuple[str, ...], group: Sequence[tuple[Any, Mapping[str, Any]]]
) -> None:
    fields, statement, first, more = _updating(model, names)
    places = [first] + [more] * (len(group) - 1)
    parameters = [
        field.get_db_prep_save(value, connection)
        for key, values in group
        for field, value in zip(fields, [key, *(values[name] for name in names)], strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement.format(",".join(places)), parameters)


@cache
def _updating(
    model: type[Model], names: tuple[str, ...]
) -> tuple[tuple["Field[Any, Any]", ...], str, str, str]:
    """The fields with the key first, the statement, and the places of the first and other rows."""
    meta = model._meta  # noqa: SLF001 - Django's public _meta
    by_name = {field.attname: field for field in meta.local_concrete_fields}
    by_name |= {field.name: field for field in meta.local_concrete_fields}
    fields = (meta.pk, *(by_name[name] for name in names))
    columns = [f'"{field.column}"' for field in fields]
    sets = ",".join(f"{column} = v.{column}" for column in columns[1:])
    statement = (
        f'UPDATE "{meta.db_table}" t SET {sets} FROM (VALUES {{}}) AS v ({",".join(columns)})'  # noqa: S608
        f" WHERE t.{columns[0]} = v.{columns[0]}"
    )
    # The types of the first row are those of all.
    casts = ",".join(f"%s::{field.cast_db_type(connection)}" for field in fields)
    return fields, statement, f"({casts})", f"({','.join(['%s'] * len(fields))})"
