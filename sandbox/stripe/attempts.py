"""What one attempt to pay leaves on the objects: its charge, its error, or the way to the bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.stripe.cards import message_of
from sandbox.stripe.errors import doc_url
from sandbox.stripe.objects import new_id, nothing

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.stripe.cards import Card


OUTCOME: Final = nothing(
    "advice_code network_advice_code network_decline_code network_status reason seller_message"
)
PAID_WITH: Final[Json] = nothing(
    "amount_authorized authorization_code checks extended_authorization fingerprint "
    "incremental_authorization installments mandate multicapture network_token "
    "network_transaction_id overcapture regulated_status three_d_secure transaction_link_id wallet"
) | {"country": "US", "exp_month": 12, "exp_year": 2034}

# What a charge takes over from its intent, beside the metadata.
HANDED_ON: Final = (
    "customer", "description", "receipt_email", "shipping", "statement_descriptor_suffix",
    "transfer_group",
)  # fmt: skip


def new_charge(intent: Json, card: Card, now: int) -> Json:
    """The charge of an attempt; the intent's metadata is copied to it once, as it is now."""
    return {
        "id": new_id("ch_"),
        "amount": intent["amount"],
        "created": now,
        "currency": intent["currency"],
        **{name: intent.get(name) for name in HANDED_ON},
        "metadata": dict(intent["metadata"]),
        "payment_intent": intent["id"],
        "payment_method": intent.get("payment_method"),
        "status": "succeeded",
        "outcome": OUTCOME
        | {
            "network_status": "approved_by_network",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "payment_method_details": {
            "type": "card",
            "card": PAID_WITH | card_shown(card) | {"network": card.brand},
        },
        "_reference": intent["_reference"],
        "_row": intent["_row"],
        "_refund": card.refund,
        "_dispute": card.dispute,
    }


def refusal(card: Card) -> Json:
    """What the charge of an attempt says that the card's bank has refused."""
    return {
        "captured": False,
        "failure_code": card.code,
        "failure_message": message_of(card),
        "outcome": OUTCOME
        | {
            "network_status": "declined_by_network",
            "reason": card.decline_code,
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        },
        "paid": False,
        "status": "failed",
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
    problem |= doc_url(card.code)
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
