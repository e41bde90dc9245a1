"""Triggers that make a table append-only, and the column that orders its rows safely."""

import pgtrigger
from django.db.models import BigIntegerField, Func, TextField
from django.db.models.functions import Cast


def append_only() -> list[pgtrigger.Trigger]:
    """Refuse UPDATE, DELETE and TRUNCATE in PostgreSQL itself, whoever asks."""
    return [
        pgtrigger.Protect(name="no_change", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'this table is append-only';",
        ),
    ]


def current_xid() -> Cast:
    """The id of the writing database transaction, as a BIGINT default.

    Ids and times are taken before commits and so do not order them; with this a later reader
    can stay behind the oldest transaction that is still open.
    """
    return Cast(Cast(Func(function="pg_current_xact_id"), TextField()), BigIntegerField())
