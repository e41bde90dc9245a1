"""Each verb as one call of the SDK: ``{"call", "id", "params"}``, complete but for the token.

Amounts are Stripe's. Times are frozen ones, never "now": Stripe refuses a repeated key whose
body has changed.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from gateways.operation import (
    CaptureMethod,
    Json,
    Operation,
    PaymentDetails,
    UnsupportedOperation,
    Verb,
)
from gateways.stripe import amounts
from gateways.stripe.config import Config

# What we write into Stripe's metadata, and read back from its objects. Stripe copies a
# PaymentIntent's metadata to its charge, and nothing at all to refunds and disputes.
REFERENCE: Final = "reference"
REFUND_REFERENCE: Final = "refund_reference"
# How the payment is collected: on Stripe's page the shopper may try again after a decline, with
# a token nobody can.
FLOW: Final = "flow"
FLOW_PAGE: Final = "page"
FLOW_TOKEN: Final = "token"  # noqa: S105 - a word, not a token
CAPTURE: Final = "capture"
# Facts under which Stripe's ids are kept with the transaction.
SESSION_KEY: Final = "checkout_session"
INTENT_KEY: Final = "payment_intent"

_TEXT_MAX: Final = 250
_LIST_MAX: Final = 100
# Stripe's search lags behind, up to an hour on a bad day; after this, "not found" is true.
SEARCH_LAG_MAX: Final = timedelta(hours=2)
_CHARGE: Final = ["latest_charge"]


def with_token(params: Json, token: str) -> Json:
    """``params`` with the one-time payment token in the place that its kind wants."""
    if not token:
        return params
    name = "confirmation_token" if token.startswith("ctoken_") else "payment_method"
    return {**params, name: token}


def _call(name: str, params: Json, key: str = "") -> Json:
    return {"call": name, "id": key, "params": params}


def _create(operation: Operation, _config: Config) -> Json:
    details = operation.details
    if details.has_token:
        return _call("payment_intents.create", _intent_params(details))
    return _call("checkout.sessions.create", _session_params(details))


def _intent_params(details: PaymentDetails) -> Json:
    """Created and confirmed in one; 3-D Secure sends the shopper to the bank and back to us."""
    return {
        "amount": amounts.to_wire(details.money),
        "currency": details.money.currency.lower(),
        "confirm": True,
        "automatic_payment_methods": {"enabled": True},
        "return_url": details.return_url,
        "description": _description(details),
        "metadata": _metadata(details, FLOW_TOKEN),
        "expand": _CHARGE,
        **_capture_method(details),
    }


def _session_params(details: PaymentDetails) -> Json:
    metadata = _metadata(details, FLOW_PAGE)
    params: Json = {
        "mode": "payment",
        "line_items": [_line_item(details)],
        "success_url": details.return_url,
        "cancel_url": details.cancel_url,
        "client_reference_id": details.reference,
        "expires_at": int(details.expires_at.timestamp()),
        "locale": "vi" if details.locale == "vi" else "en",
        "allowed_payment_method_types": ["card"],
        # The shopper pays in our currency, or the amounts could not be compared to the unit.
        "adaptive_pricing": {"enabled": False},
        # The session's own metadata reaches neither the PaymentIntent nor the charge.
        "metadata": metadata,
        "payment_intent_data": {
            "description": _description(details),
            "metadata": metadata,
            **_capture_method(details),
        },
    }
    email = {"customer_email": details.customer_email} if details.customer_email else {}
    return params | email


def _line_item(details: PaymentDetails) -> Json:
    # One line with the total: the order's lines are ours to show, and rounding cannot creep in.
    return {
        "quantity": 1,
        "price_data": {
            "currency": details.money.currency.lower(),
            "unit_amount": amounts.to_wire(details.money),
            "product_data": {"name": _description(details)},
        },
    }


def _description(details: PaymentDetails) -> str:
    return (details.description or f"Order {details.order_number}")[:_TEXT_MAX]


def _metadata(details: PaymentDetails, flow: str) -> dict[str, str]:
    return {
        REFERENCE: details.reference,
        "order_number": details.order_number,
        FLOW: flow,
        CAPTURE: details.capture,
    }


def _capture_method(details: PaymentDetails) -> Json:
    # Left out, Stripe takes the money at once.
    return {"capture_method": "manual"} if details.capture is CaptureMethod.MANUAL else {}


def _query(operation: Operation, _config: Config) -> Json:
    details = operation.details
    session = details.psp_data.get(SESSION_KEY, "")
    if session:
        expand: Json = {"expand": ["payment_intent.latest_charge"]}
        return _call("checkout.sessions.retrieve", expand, session)
    payment_intent = details.psp_data.get(INTENT_KEY) or details.psp_reference
    if payment_intent:
        return _call("payment_intents.retrieve", {"expand": _CHARGE}, payment_intent)
    # The answer to the creation never came. Sessions cannot be searched, but one that was paid
    # has a PaymentIntent with our metadata.
    query = f"metadata['{REFERENCE}']:'{details.reference}'"
    return _call("payment_intents.search", {"query": query, "expand": ["data.latest_charge"]})


def _capture(operation: Operation, _config: Config) -> Json:
    if operation.money is None:
        raise UnsupportedOperation("a capture needs an amount")
    params: Json = {"amount_to_capture": amounts.to_wire(operation.money), "expand": _CHARGE}
    return _call("payment_intents.capture", params, _payment_intent(operation.details))


def _void(operation: Operation, _config: Config) -> Json:
    return _cancel(_payment_intent(operation.details))


def _close(operation: Operation, _config: Config) -> Json:
    session = operation.details.psp_data.get(SESSION_KEY, "")
    if session:
        return _call("checkout.sessions.expire", {}, session)
    return _cancel(_payment_intent(operation.details))


def _cancel(payment_intent: str) -> Json:
    params: Json = {"cancellation_reason": "requested_by_customer", "expand": _CHARGE}
    return _call("payment_intents.cancel", params, payment_intent)


def _refund(operation: Operation, _config: Config) -> Json:
    if operation.money is None:
        raise UnsupportedOperation("a refund needs an amount")
    params: Json = {
        "payment_intent": _payment_intent(operation.details),
        "amount": amounts.to_wire(operation.money),
        "reason": "requested_by_customer",
        "metadata": {REFERENCE: operation.details.reference, REFUND_REFERENCE: operation.reference},
    }
    return _call("refunds.create", params)


def _query_refund(operation: Operation, _config: Config) -> Json:
    if operation.refund_psp_reference:
        return _call("refunds.retrieve", {}, operation.refund_psp_reference)
    payment_intent = _payment_intent(operation.details)
    return _call("refunds.list", {"payment_intent": payment_intent, "limit": _LIST_MAX})


def _payment_intent(details: PaymentDetails) -> str:
    found = details.psp_data.get(INTENT_KEY) or details.psp_reference
    if not found:
        raise UnsupportedOperation("Stripe's id of this payment is not known")
    return found


BUILDERS: Final[dict[Verb, Callable[[Operation, Config], Json]]] = {
    Verb.CREATE: _create,
    Verb.QUERY: _query,
    Verb.CAPTURE: _capture,
    Verb.VOID: _void,
    Verb.CLOSE: _close,
    Verb.REFUND: _refund,
    Verb.QUERY_REFUND: _query_refund,
}
