"""The gateways' own book beside our ledger, both read from outside."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.verdict import Money
from tests.e2e.shop import Shop, send

# Gateway, our account there, currency.
Place = tuple[str, str, str]


def agreed(shop: Shop) -> Counter[Place]:
    """What each gateway owes us by its own book, if our ledger says the same to the unit."""
    theirs: Counter[Place] = Counter()
    for charge in all_charges(shop):
        place = charge["gateway"], charge["account"], charge["currency"]
        theirs[place] += charge["captured"] - charge["refunded"]
    return +theirs if +theirs == ledger(shop) else Counter()


def ledger(shop: Shop) -> Counter[Place]:
    """The same by our transfers into and out of the clearing accounts."""
    rows = shop.query(
        "SELECT a.gateway, a.gateway_account, a.currency,"
        " sum(CASE WHEN f.debit_id = a.id THEN f.amount ELSE -f.amount END)::bigint"
        " FROM ledger_accounts a JOIN transfers f ON a.id IN (f.debit_id, f.credit_id)"
        " WHERE a.kind = 'clearing' GROUP BY 1, 2, 3"
    )
    return +Counter({row[:3]: row[3] for row in rows})


def all_charges(shop: Shop) -> list[dict[str, Any]]:
    """Every charge in the book, whether it took money or not."""
    return list(send("GET", f"{shop.sandbox}/control/book?limit=10000").json["charges"])


def taken(shop: Shop, references: Sequence[str]) -> list[Money]:
    """What the gateways took under these references: one entry for each charge."""
    charges = (each for each in all_charges(shop) if each["reference"] in references)
    return [
        Money(each["reference"], each["gateway"], each["captured"], each["currency"])
        for each in charges
        if each["captured"]
    ]


def booked(shop: Shop, references: Sequence[str]) -> list[Money]:
    """What our ledger holds for them: one entry for each capture."""
    rows = shop.query(
        "SELECT replace(t.id::text, '-', ''), t.gateway, f.amount, f.currency FROM transfers f"
        " JOIN transactions t ON t.id = f.transaction_id"
        " WHERE f.kind = 'capture' AND t.id = ANY(%s::uuid[])",
        list(references),
    )
    return [Money(*row) for row in rows]
