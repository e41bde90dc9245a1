"""Compares the sandbox's journal with our database: lost payments and double charges."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

from bench.environment import Environment

ROWS_MAX: Final = 1_000_000
TIMEOUT_S: Final = 120.0
# Only payments of this run: the seeded history is not in the sandbox's journal.
_BOOKED: Final = """
SELECT replace(t.id::text, '-', ''), t.gateway, t.amount_captured, t.currency, t.order_id::text,
    t.status = 'SUCCESS'
FROM transactions t
WHERE t.gateway_account <> 'before'
"""


@dataclass(frozen=True)
class Money:
    """``amount`` in minor units, taken or booked under one reference."""

    reference: str
    gateway: str
    amount: int
    currency: str


@dataclass(frozen=True)
class Differences:
    """``lost``: charges in the book that pay nothing here; ``phantom``: the other way round.

    ``charged_twice``: orders with more than one charge.
    """

    lost: int
    phantom: int
    charged_twice: int


@dataclass(frozen=True)
class Verdict:
    """The differences, the number of charges, and what check_invariants says."""

    charges: int
    differences: Differences
    breaches: list[str]


def judge(environment: Environment) -> Verdict:
    """Compare; the sandbox must run, and no payment may be open."""
    charges = [_charge(row) for row in _read_journal(environment)["charges"] if row["captured"]]
    rows = _booked_rows(environment)
    paid = [Money(*row[:4]) for row in rows if row[5]]
    orders = {row[0]: row[4] for row in rows}
    return Verdict(len(charges), compare(charges, paid, orders), _find_breaches(environment))


def compare(
    charges: Sequence[Money], paid: Sequence[Money], orders: Mapping[str, str]
) -> Differences:
    """Compare what the gateways charged with what we booked; ``orders`` maps references."""
    per_order = Counter(orders.get(charge.reference, charge.reference) for charge in charges)
    return Differences(
        lost=len(set(charges) - set(paid)),
        phantom=len(set(paid) - set(charges)),
        charged_twice=sum(count > 1 for count in per_order.values()),
    )


def _charge(row: dict[str, Any]) -> Money:
    return Money(row["reference"], row["gateway"], row["captured"], row["currency"])


def _read_journal(environment: Environment) -> dict[str, Any]:
    address = urlsplit(environment.settings["SANDBOX_URL"]).netloc
    with closing(HTTPConnection(address, timeout=TIMEOUT_S)) as connection:
        connection.request("GET", f"/control/book?limit={ROWS_MAX}")
        answer = connection.getresponse()
        book: dict[str, Any] = json.loads(answer.read())
    if "charges" not in book:
        raise RuntimeError(f"the sandbox does not show its book: {answer.status} {book}")
    return book


def _booked_rows(environment: Environment) -> list[tuple[Any, ...]]:
    with closing(environment.connect()) as connection, connection.cursor() as at:
        at.execute("SET statement_timeout = 0")
        at.execute(_BOOKED)
        return list(at.fetchall())


def _find_breaches(environment: Environment) -> list[str]:
    done = environment.manage("check_invariants", "--quiescent")
    if done.returncode == 0:
        return []
    return [line for line in done.stderr.splitlines() if line] or ["check_invariants failed"]
