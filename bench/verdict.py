"""The gateways' own book against our database: what is lost, and who was charged twice."""

import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

from bench.place import Place

ROWS_MAX: Final = 1_000_000
TIMEOUT_S: Final = 120.0
# Only payments of this run: those before it are in nobody's book.
_PAID: Final = """
SELECT replace(t.id::text, '-', ''), t.gateway, t.amount_captured, t.currency, o.id::text
FROM transactions t JOIN orders o ON o.id = t.order_id
WHERE t.status = 'SUCCESS' AND t.gateway_account <> 'before'
"""


@dataclass(frozen=True)
class Verdict:
    """``lost``: charges in the book that pay nothing here; ``phantom``: the other way round.

    ``charged_twice``: orders with more than one charge. ``breaches``: what check_invariants says.
    """

    charges: int
    lost: int
    phantom: int
    charged_twice: int
    breaches: list[str]

    @property
    def is_clean(self) -> bool:
        """Whether no money went wrong."""
        return not (self.lost or self.phantom or self.charged_twice or self.breaches)


def judge(place: Place) -> Verdict:
    """Compare, with the sandbox running and nothing under way."""
    charged = [_key(row) for row in _book(place)["charges"] if row["captured"]]
    rows = _paid(place)
    paid = {row[:4] for row in rows}
    orders = {row[0]: row[4] for row in rows}
    per_order = Counter(orders.get(key[0], key[0]) for key in charged)
    return Verdict(
        charges=len(charged),
        lost=len(set(charged) - paid),
        phantom=len(paid - set(charged)),
        charged_twice=sum(count > 1 for count in per_order.values()),
        breaches=_breaches(place),
    )


def _key(row: dict[str, Any]) -> tuple[str, str, int, str]:
    return row["reference"], row["gateway"], row["captured"], row["currency"]


def _book(place: Place) -> dict[str, Any]:
    address = urlsplit(place.settings["SANDBOX_URL"]).netloc
    with closing(HTTPConnection(address, timeout=TIMEOUT_S)) as connection:
        connection.request("GET", f"/control/book?limit={ROWS_MAX}")
        answer = connection.getresponse()
        book: dict[str, Any] = json.loads(answer.read())
    if "charges" not in book:
        raise RuntimeError(f"the sandbox does not show its book: {answer.status} {book}")
    return book


def _paid(place: Place) -> list[tuple[Any, ...]]:
    with closing(place.connect()) as connection, connection.cursor() as at:
        at.execute("SET statement_timeout = 0")
        at.execute(_PAID)
        return list(at.fetchall())


def _breaches(place: Place) -> list[str]:
    done = place.manage("check_invariants", "--quiescent")
    if done.returncode == 0:
        return []
    return [line for line in done.stderr.splitlines() if line] or ["check_invariants failed"]
