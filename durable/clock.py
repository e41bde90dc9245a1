"""The one clock that all hosts share: the database's."""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """Now, by the clock that decides which rows are due; not the start of the transaction.

    Whatever is due, leased or over is judged by it, so that a wrong clock on a host of ours
    neither delays work nor asks a gateway again and again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None
    now: datetime = row[0]
    return now
