"""Makes orders in bulk before the clock runs, and the request bodies of their payments."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from bench.environment import Environment
from bench.seed_history import NEW_ID

TIMEOUT_S: Final = 30.0
CUSTOMER: Final = "shopper"


@dataclass(frozen=True)
class Kind:
    """A method to pay by, with the total of its orders in minor units."""

    method: str
    gateway: str
    currency: str
    amount: int
    payment_token: str = ""


VNPAY: Final = Kind("vnpay", "vnpay", "VND", 125_000)
CARD: Final = Kind("card", "stripe", "USD", 1_999, "pm_card_visa")
MIX: Final = (VNPAY, CARD)

_ORDERS: Final = """
INSERT INTO orders (id, customer_id, status, version, currency, total, amount_paid,
    amount_refunded, customer_email, customer_phone, locale)
SELECT new_id(), u.id, 'PENDING', 1, %(currency)s, %(amount)s, 0, 0, u.email, '', 'en'
FROM accounts_user u, generate_series(1, %(count)s)
WHERE u.username = %(customer)s
RETURNING id
"""

# As many rows as a real order has: one line, and the first event of its audit trail.
_LINES: Final = """
INSERT INTO order_lines (order_id, position, sku, name, unit_amount, quantity)
SELECT id, 0, 'bench', 'Bench', total, 1 FROM orders WHERE id = ANY(%s::uuid[])
"""
_AUDIT: Final = """
INSERT INTO audit_events (id, actor_kind, actor_id, action, subject_type, subject_id, version,
    before, after, cause_type, cause_id, request_id)
SELECT new_id(), 'system', '', 'order.created', 'order', id, 1, '{}',
    jsonb_build_object('status', status, 'total', total, 'currency', currency), '', '', ''
FROM orders WHERE id = ANY(%s::uuid[])
"""


def make_orders(environment: Environment, kind: Kind, count: int, database: str = "") -> list[UUID]:
    """``count`` new orders of the demo shopper, by SQL."""
    with closing(environment.connect(database)) as connection, connection.cursor() as at:
        at.execute("BEGIN")
        at.execute(NEW_ID)
        sums = {"currency": kind.currency, "amount": kind.amount, "count": count}
        at.execute(_ORDERS, {**sums, "customer": CUSTOMER})
        ids = [str(row[0]) for row in at.fetchall()]
        at.execute(_LINES, [ids])
        at.execute(_AUDIT, [ids])
        at.execute("COMMIT")
    return [UUID(order_id) for order_id in ids]


def make_payments(
    environment: Environment, kinds: Sequence[Kind], count: int
) -> list[dict[str, Any]]:
    """Bodies and keys for ``count`` POSTs, each kind in turn."""
    share = -(-count // len(kinds))
    orders = [[(kind, order) for order in make_orders(environment, kind, share)] for kind in kinds]
    turns = [pair for together in zip(*orders, strict=True) for pair in together]
    return [_payment(kind, order) for kind, order in turns[:count]]


def _payment(kind: Kind, order_id: UUID) -> dict[str, Any]:
    body = {
        "order_id": f"ord_{order_id.hex}",
        "amount": kind.amount,
        "currency": kind.currency,
        "method": kind.method,
    }
    token = {"payment_token": kind.payment_token} if kind.payment_token else {}
    return {"key": f"bench-{uuid4().hex}", "body": body | token}


def access_token(environment: Environment) -> str:
    """A token of the demo shopper, good for the whole run."""
    login = {"username": CUSTOMER, "password": environment.settings["DEMO_PASSWORD"]}
    address = urlsplit(environment.settings["BASE_URL"]).netloc
    with closing(HTTPConnection(address, timeout=TIMEOUT_S)) as connection:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/auth/token", json.dumps(login), headers)
        return str(json.loads(connection.getresponse().read())["access"])
