"""What we send to PayPal: one small function for each verb, all of them pure.

A request is ``{"method", "path", "key", "body"}``; ``key`` is the PayPal-Request-Id and "" where
the call takes none. The bearer token is added when it is sent.
"""

import re
from collections.abc import Callable
from typing import Final

from gateways.operation import (
    CaptureMethod,
    Json,
    Operation,
    PaymentDetails,
    UnsupportedOperation,
    Verb,
)
from gateways.paypal import amounts
from gateways.paypal.config import Config
from gateways.paypal.mapping import LOCALES

ORDERS: Final = "/v2/checkout/orders"
_PAYMENTS: Final = "/v2/payments"
_DESCRIPTION_MAX: Final = 127
_NOTE_MAX: Final = 255
# Ids of theirs become part of a path of ours.
_PSP_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _create(operation: Operation, config: Config) -> Json:
    details = operation.details
    unit: Json = {
        "amount": amounts.write(details.money),
        # Ours in PayPal's reports; and, unique in the account, a second guard against paying
        # one attempt twice.
        "custom_id": details.reference,
        "invoice_id": details.reference,
        "description": _one_line(details.description or details.order_number, _DESCRIPTION_MAX),
    }
    body: Json = {
        "intent": "AUTHORIZE" if details.capture is CaptureMethod.MANUAL else "CAPTURE",
        "purchase_units": [unit],
        "payment_source": {"paypal": {"experience_context": _experience(details, config)}},
    }
    return _post(operation, ORDERS, body)


def _experience(details: PaymentDetails, config: Config) -> Json:
    context: Json = {
        "return_url": details.return_url,
        "cancel_url": details.cancel_url,
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
        "landing_page": "NO_PREFERENCE",
        # An eCheck would keep the order waiting for days.
        "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
    }
    if details.locale in LOCALES:
        context["locale"] = LOCALES[details.locale]
    return context | ({"brand_name": config.brand_name} if config.brand_name else {})


def _query(operation: Operation, _config: Config) -> Json:
    if not operation.details.psp_reference:
        # The order's id never reached us, so neither the shopper nor our capture ever used it.
        return {}
    return _get(f"{ORDERS}/{_psp_id(operation.details.psp_reference)}")


def _capture(operation: Operation, _config: Config) -> Json:
    """Complete an approved order; with manual capture that only holds the money.

    A hold is taken by a second CAPTURE, and only for an amount that somebody named: an approval
    that is told again, late, must never take it.
    """
    details = operation.details
    if details.capture is not CaptureMethod.MANUAL:
        if operation.money not in {None, details.money}:
            raise UnsupportedOperation("PayPal captures an approved order whole")
        return _post(operation, f"{ORDERS}/{_psp_id(details.psp_reference)}/capture", {})
    if operation.money is None:
        return _post(operation, f"{ORDERS}/{_psp_id(details.psp_reference)}/authorize", {})
    authorization = _psp_id(details.psp_data.get("authorization_id", ""))
    body: Json = {"amount": amounts.write(operation.money), "final_capture": True}
    return _post(operation, f"{_PAYMENTS}/authorizations/{authorization}/capture", body)


def _void(operation: Operation, _config: Config) -> Json:
    authorization = _psp_id(operation.details.psp_data.get("authorization_id", ""))
    return _post(operation, f"{_PAYMENTS}/authorizations/{authorization}/void", {})


def _refund(operation: Operation, _config: Config) -> Json:
    capture = _psp_id(operation.details.psp_data.get("capture_id", ""))
    body: Json = {
        "amount": amounts.write(operation.money or operation.details.money),
        "custom_id": operation.reference,
        "invoice_id": operation.reference,
        "note_to_payer": _one_line(f"Order {operation.details.order_number}", _NOTE_MAX),
    }
    return _post(operation, f"{_PAYMENTS}/captures/{capture}/refund", body)


def _query_refund(operation: Operation, _config: Config) -> Json:
    if operation.refund_psp_reference:
        return _get(f"{_PAYMENTS}/refunds/{_psp_id(operation.refund_psp_reference)}")
    if not operation.refund_reference:
        raise UnsupportedOperation("a refund is asked about by its reference, and none was given")
    # Its answer was lost and its id with it: the order lists its refunds.
    return _get(f"{ORDERS}/{_psp_id(operation.details.psp_reference)}")


BUILDERS: Final[dict[Verb, Callable[[Operation, Config], Json]]] = {
    Verb.CREATE: _create,
    Verb.QUERY: _query,
    Verb.CAPTURE: _capture,
    Verb.VOID: _void,
    Verb.REFUND: _refund,
    Verb.QUERY_REFUND: _query_refund,
}

UNSUPPORTED_VERBS: Final = {Verb.CLOSE: "PayPal cannot close a page: it runs out by itself"}


def _post(operation: Operation, path: str, body: Json) -> Json:
    return {"method": "POST", "path": path, "key": operation.reference, "body": body}


def _get(path: str) -> Json:
    return {"method": "GET", "path": path, "key": ""}


def _psp_id(psp_id: str) -> str:
    if not _PSP_ID.fullmatch(psp_id):
        raise UnsupportedOperation(f"PayPal never told us the id that this needs: {psp_id!r}")
    return psp_id


def _one_line(text: str, length: int) -> str:
    return " ".join(text.split())[:length]
