"""Stripe's objects and events in the shape of its published fixtures, cut to what matters."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from gateways.webhook import Delivery
from tests.gateways.local_server import Reply
from tests.gateways.samples import CALL_REFERENCE, REFERENCE

SECRET: Final = "whsec_new"
NOW: Final = datetime(2026, 11, 22, 3, 40, tzinfo=UTC)
# When Stripe wrote its balance transactions: a second after a day in Viet Nam had begun.
DAY: Final = datetime(2026, 11, 21, 17, tzinfo=UTC)
CREATED: Final = int(DAY.timestamp()) + 1

Object = dict[str, Any]


def charge(**changes: Any) -> Object:
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 100_000,
        "amount_captured": 100_000,
        "captured": True,
        "currency": "vnd",
        "livemode": False,
        "paid": True,
        "payment_intent": "pi_1",
        "balance_transaction": None,
        "status": "succeeded",
        "billing_details": {"name": "Linh", "email": "linh@example.com"},
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
        "metadata": {"reference": REFERENCE, "flow": "token"},
        **changes,
    }


def payment_intent(status: str = "succeeded", *, flow: str = "token", **changes: Any) -> Object:
    amount = 100_000
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": amount,
        "amount_received": amount if status == "succeeded" else 0,
        "amount_capturable": amount if status == "requires_capture" else 0,
        "currency": "vnd",
        "cancellation_reason": None,
        "client_secret": "pi_1_secret_hush",
        "last_payment_error": None,
        "latest_charge": charge() if status == "succeeded" else None,
        "livemode": False,
        "metadata": {"reference": REFERENCE, "flow": flow, "capture": "automatic"},
        "next_action": None,
        "status": status,
        **changes,
    }


def card_error(decline_code: str = "insufficient_funds", code: str = "card_declined") -> Object:
    return {
        "type": "card_error",
        "code": code,
        "decline_code": decline_code,
        "message": "Your card 4242 4242 4242 4242 was declined.",
    }


def redirect(url: str = "https://hooks.stripe.com/3ds/1") -> Object:
    return {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": "https://x"}}


def session(status: str = "open", payment_status: str = "unpaid", **changes: Any) -> Object:
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "amount_total": 100_000,
        "currency": "vnd",
        "client_reference_id": REFERENCE,
        "customer_details": {"email": "linh@example.com", "name": "Linh"},
        "livemode": False,
        "metadata": {"reference": REFERENCE, "flow": "page", "capture": "automatic"},
        "payment_intent": None,
        "payment_status": payment_status,
        "status": status,
        "url": "https://checkout.stripe.com/c/pay/cs_test_1" if status == "open" else None,
        **changes,
    }


def refund(status: str = "succeeded", **changes: Any) -> Object:
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 40_000,
        "currency": "vnd",
        "charge": "ch_1",
        "payment_intent": "pi_1",
        "metadata": {"reference": REFERENCE, "refund_reference": CALL_REFERENCE},
        "status": status,
        **changes,
    }


def dispute(status: str = "needs_response", **changes: Any) -> Object:
    return {
        "id": "du_1",
        "object": "dispute",
        "amount": 100_000,
        "currency": "vnd",
        "charge": "ch_1",
        "payment_intent": "pi_1",
        "evidence_details": {"due_by": 1_800_000_000},
        "livemode": False,
        "metadata": {},
        "reason": "fraudulent",
        "status": status,
        **changes,
    }


def transaction(**changes: Any) -> Object:
    """19.99 USD taken, of which Stripe keeps 0.88."""
    source = charge(amount=1999, amount_captured=1999, currency="usd")
    return {
        "id": "txn_1",
        "object": "balance_transaction",
        "amount": 1999,
        "fee": 88,
        "net": 1911,
        "currency": "usd",
        "created": CREATED,
        "available_on": CREATED + 2 * 86_400,
        "exchange_rate": None,
        "fee_details": [{"amount": 88, "currency": "usd", "type": "stripe_fee"}],
        "reporting_category": "charge",
        "source": source,
        "status": "pending",
        "type": "charge",
        **changes,
    }


def moved(amount: int, kind: str, source: Object | str | None, **changes: Any) -> Object:
    """A movement without a fee."""
    made = {"id": f"txn_{kind}", "amount": amount, "fee": 0, "net": amount, "type": kind}
    return transaction(**made, source=source, reporting_category=kind, **changes)


def payout(**changes: Any) -> Object:
    return {
        "id": "po_1",
        "object": "payout",
        "amount": 1411,
        "currency": "usd",
        "arrival_date": CREATED + 3 * 86_400,
        "automatic": True,
        "created": CREATED,
        "reconciliation_status": "completed",
        "status": "paid",
        **changes,
    }


def moved_back() -> Object:
    """A refund of 5.00 USD."""
    return moved(-500, "refund", refund(amount=500, currency="usd"))


def paid_out() -> Object:
    """A payout of what is left."""
    return moved(-1411, "payout", payout())


def page(*items: object, has_more: object = False) -> Reply:
    listed = {"object": "list", "data": items, "has_more": has_more, "url": "/v1/x"}
    return Reply(200, json.dumps(listed).encode())


def one(content: Object) -> Reply:
    return Reply(200, json.dumps(content).encode())


def event(event_type: str, source: Object, **changes: Any) -> Object:
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_800_000_000,
        "data": {"object": source},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
        **changes,
    }


def signature(body: bytes, secret: str = SECRET, timestamp: int | None = None) -> str:
    """``t=…,v1=…`` as Stripe's page describes it."""
    at = int(NOW.timestamp()) if timestamp is None else timestamp
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def delivery(content: Object, secret: str = SECRET) -> Delivery:
    body = json.dumps(content).encode()
    return Delivery(body, "", {"stripe-signature": signature(body, secret)}, NOW)
