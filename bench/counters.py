"""What PostgreSQL counted while a round ran.

Statements are the calls in pg_stat_statements by the product's role, without the words that only
begin and end transactions, and without PostgreSQL's own checks of foreign keys. Commits are
those that wrote: each takes one transaction id, and so does each savepoint, which is taken off
again. ``transactions`` counts those that only read too.
"""

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from psycopg2.extensions import connection, cursor

from bench.environment import Environment
from local.postgres import ROLE

TOP_STATEMENTS: Final = 25
TEXT_MAX: Final = 160
# The ORM lists every column; the list is cut out of the report.
_COLUMNS: Final = re.compile(r"(SELECT|VALUES|RETURNING) .*?(?= FROM | ON CONFLICT| RETURNING|$)")
_HAS_STATISTICS: Final = "SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'"
_OF_PRODUCT: Final = """
FROM pg_stat_statements s
WHERE s.userid = %(role)s::regrole AND s.dbid = (SELECT oid FROM pg_database WHERE datname = %(db)s)
"""
_CONTROL: Final = "^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SELECT 1 FROM ONLY)"
_CALLS: Final = f"""
SELECT coalesce(sum(calls) FILTER (WHERE s.query !~* %(control)s), 0),
    coalesce(sum(calls) FILTER (WHERE s.query ~* '^SAVEPOINT'), 0)
{_OF_PRODUCT}
"""
_TOP: Final = f"""
SELECT calls, round(total_exec_time::numeric, 1), regexp_replace(s.query, '\\s+', ' ', 'g')
{_OF_PRODUCT} AND s.query !~* %(control)s
ORDER BY total_exec_time DESC LIMIT %(limit)s
"""
_XIDS: Final = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_TRANSACTIONS: Final = "SELECT xact_commit FROM pg_stat_database WHERE datname = %s"


@dataclass(frozen=True)
class Counts:
    """Counts of one round; ``statements`` is None without pg_stat_statements."""

    statements: int | None
    commits: int
    transactions: int


class Counters:
    """Reads the counters as the superuser, so that its own statements are not counted."""

    def __init__(self, environment: Environment) -> None:
        # Named explicitly: the superuser's default database is another one.
        self.database = environment.servers.database_url.rpartition("/")[2]
        self._connection: connection = environment.connect_as_superuser(self.database)
        self._names = {"role": ROLE, "db": self.database, "control": _CONTROL}
        # The extension lives in the superuser's own database and sees the whole server.
        self._statistics: connection | None = environment.connect_as_superuser("postgres")
        with self._statistics.cursor() as at:
            at.execute(_HAS_STATISTICS)
            if at.fetchone() is None:
                self._statistics = None
        self._xids = self._transactions = 0

    def start(self) -> None:
        """Count from now on."""
        if self._statistics is not None:
            with self._statistics.cursor() as at:
                at.execute("SELECT pg_stat_statements_reset()")
        self._xids, self._transactions = self._read()

    def stop(self) -> Counts:
        """What was counted since ``start``."""
        xids, transactions = self._read()
        statements, savepoints = None, 0
        if self._statistics is not None:
            with self._statistics.cursor() as at:
                at.execute(_CALLS, self._names)
                statements, savepoints = (int(count) for count in _row(at))
        return Counts(statements, xids - self._xids - savepoints, transactions - self._transactions)

    def top(self) -> list[tuple[int, float, str]]:
        """Calls, milliseconds in all, and text of the statements that cost most."""
        if self._statistics is None:
            return []
        with self._statistics.cursor() as at:
            at.execute(_TOP, {**self._names, "limit": TOP_STATEMENTS})
            return [(int(n), float(spent), _short(text)) for n, spent, text in at.fetchall()]

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()
        if self._statistics is not None:
            self._statistics.close()

    def _read(self) -> tuple[int, int]:
        with closing(self._connection.cursor()) as at:
            at.execute("SELECT pg_stat_clear_snapshot()")
            at.execute(_XIDS)
            xids = int(_row(at)[0])
            at.execute(_TRANSACTIONS, [self.database])
            return xids, int(_row(at)[0])


def _short(query: str) -> str:
    return _COLUMNS.sub(r"\1 …", query.replace('"', ""))[:TEXT_MAX]


def _row(at: cursor) -> Sequence[int]:
    row: Sequence[int] | None = at.fetchone()
    assert row is not None
    return row
