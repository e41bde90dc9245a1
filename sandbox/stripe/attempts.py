"""What one attempt to pay leaves on the objects: its charge, its error, or the way to the bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.stripe.cards import message_of
from sandbox.stripe.objects import new_id

if TYPE_CHECKING:
    from sandbox.book import Json
    from sandbox.stripe.cards import Card


def new_charge(intent: Json, card: Card, now: int) -> Json:
    """The charge of an attempt; the intent's metadata is copied to it once, as it is now."""
    return {
        "id": new_id("ch_"),
        "amount": intent["amount"],
        "created": now,
        "currency": intent["currency"],
        "customer": intent.get("customer"),
        "description": intent.get("description"),
        "metadata": dict(intent["metadata"]),
        "payment_intent": intent["id"],
        "payment_method": intent.get("payment_method"),
        "status": "succeeded",
        "outcome": {"network_status": "approved_by_network", "type": "authorized"},
        "payment_method_details": {
            "type": "card",
            "card": card_shown(card) | {"country": "US", "exp_month": 12, "exp_year": 2034},
        },
        "_reference": intent["_reference"],
        "_row": intent["_row"],
        "_refund": card.refund,
        "_dispute": card.dispute,
    }


def problem_of(intent: Json, card: Card, charge_id: str) -> Json:
    """``last_payment_error`` of an intent whose attempt has failed."""
    problem: Json = {
        "type": "card_error" if card.decline_code else "invalid_request_error",
        "code": card.code,
        "message": message_of(card),
        "charge": charge_id,
        "payment_method": {
            "id": intent.get("payment_method"),
            "object": "payment_method",
            "type": "card",
            "card": card_shown(card),
        },
    }
    return problem | ({"decline_code": card.decline_code} if card.decline_code else {})


def action_of(intent: Json, base: str) -> Json:
    """``next_action``: the bank's page, or, without a return URL, only the bank's script."""
    back = intent.get("_return_url")
    if not back:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    page = f"{base}/3ds/{intent['id']}?secret={intent['client_secret']}"
    return {"type": "redirect_to_url", "redirect_to_url": {"url": page, "return_url": back}}


def card_shown(card: Card) -> Json:
    """What Stripe tells about a card."""
    return {"brand": card.brand, "last4": card.last4, "funding": "credit"}
