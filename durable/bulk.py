"""Rows in and out by few, plain statements, for the paths that every payment takes.

The ORM builds each statement anew from its parts, which costs a web process more than PostgreSQL
needs to execute it, and it updates rows with different values one by one. These functions write
what models and their fields say, one statement for a whole batch. All of them are for models
whose key is made by us, and leave values that PostgreSQL fills in unread.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from django.db import connection
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault
from django.db.models.functions import Now

Row = TypeVar("Row", bound=Model)

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


def select(model: type[Row], tail: str, parameters: Sequence[Any]) -> list[Row]:
    """The rows of ``model`` that ``tail`` names: WHERE, ORDER BY, FOR NO KEY UPDATE."""
    columns, source = _selection(model)
    statement = f"SELECT {columns} FROM {source} {tail}"  # noqa: S608 - all of it is code of ours
    return _fetch(model, statement, parameters)


def update_returning(model: type[Row], tail: str, parameters: Sequence[Any]) -> list[Row]:
    """Update ``model``, called ``t`` in ``tail`` (SET …); the rows as they are afterwards."""
    columns, source = _selection(model)
    return _fetch(model, f"UPDATE {source} {tail} RETURNING {columns}", parameters)


def _fetch(model: type[Row], statement: str, parameters: Sequence[Any]) -> list[Row]:
    names, converted = _reading(model)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = [list(values) for values in cursor.fetchall()]
    for values in found:
        for position, field in converted:
            values[position] = field.from_db_value(values[position], None, connection)
    return [model.from_db(connection.alias, names, values) for values in found]


@cache
def _selection(model: type[Model]) -> tuple[str, str]:
    meta = model._meta
    columns = ",".join(f't."{field.column}"' for field in meta.local_concrete_fields)
    return columns, f'"{meta.db_table}" t'


@cache
def _reading(model: type[Model]) -> tuple[list[str], list[tuple[int, Any]]]:
    """The names in the order of the columns, and the fields whose values Django converts."""
    fields = list(enumerate(model._meta.local_concrete_fields))
    converted = [(at, field) for at, field in fields if hasattr(field, "from_db_value")]
    return [field.attname for _, field in fields], converted


def find_field(model: type[Model], name: str) -> "Field[Any, Any]":
    """The field that ``name`` (``pk``, ``order`` or ``order_id``) stands for."""
    for field in model._meta.local_concrete_fields:
        if name in {field.name, field.attname} or (name == "pk" and field.primary_key):
            return field
    raise LookupError(f"{model.__name__} has no field {name}")


def _insert(rows: Sequence[Model], suffix: str) -> int:
    fields, head = _insertion(type(rows[0]))
    parameters: list[Any] = []
    tuples = [_tuple(fields, row, parameters) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(f"{head} {','.join(tuples)} {suffix}", parameters)
        count: int = cursor.rowcount
    for row in rows:
        row._state.adding = False
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
    fields = tuple(model._meta.local_concrete_fields)
    columns = ",".join(f'"{field.column}"' for field in fields)
    return fields, f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES'


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
    meta = model._meta
    fields = (meta.pk, *(find_field(model, name) for name in names))
    columns = [f'"{field.column}"' for field in fields]
    sets = ",".join(f"{column} = v.{column}" for column in columns[1:])
    statement = (
        f'UPDATE "{meta.db_table}" t SET {sets} FROM (VALUES {{}}) AS v ({",".join(columns)})'  # noqa: S608 - ours
        f" WHERE t.{columns[0]} = v.{columns[0]}"
    )
    # The types of the first row are those of all.
    casts = ",".join(f"%s::{field.cast_db_type(connection)}" for field in fields)
    return fields, statement, f"({casts})", f"({','.join(['%s'] * len(fields))})"
