"""Stripe's objects and events in the shape of its published fixtures, cut to what matters."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from payments.gateways.base import Delivery
from tests.gateways.samples import CALL_REFERENCE, REFERENCE

SECRET: Final = "whsec_new"
NOW: Final = datetime(2026, 11, 22, 3, 40, tzinfo=UTC)

Object = dict[str, Any]


def charge(**changes: Any) -> Object:
    return {
        "id": "ch_1",
        "object": "charge",
        "payment_intent": "pi_1",
        "balance_transaction": None,
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
