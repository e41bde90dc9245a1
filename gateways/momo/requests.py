"""What we send to MoMo: one small function for each verb, all of them pure.

Every body is complete but for the signature. That is added when the request is sent, as other
gateways take a bearer token: so nothing that proves who we are is stored, and a request that was
frozen before the keys changed can still be sent.
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Final

from gateways.momo import amounts, channels, signing
from gateways.momo.config import Config
from gateways.momo.mapping import LANGUAGES
from gateways.operation import (
    CaptureMethod,
    Json,
    Operation,
    PaymentDetails,
    UnsupportedOperation,
    Verb,
)

_ORDER_INFO_MAX: Final = 255
_PATHS: Final[dict[Verb, str]] = {
    Verb.CREATE: "/v2/gateway/api/create",
    Verb.QUERY: "/v2/gateway/api/query",
    Verb.CAPTURE: "/v2/gateway/api/confirm",
    Verb.VOID: "/v2/gateway/api/confirm",
    Verb.REFUND: "/v2/gateway/api/refund",
    Verb.QUERY_REFUND: "/v2/gateway/api/refund/query",
}
SIGNED_FIELDS: Final[dict[Verb, frozenset[str]]] = {
    Verb.CREATE: signing.CREATE_FIELDS,
    Verb.QUERY: signing.QUERY_FIELDS,
    Verb.CAPTURE: signing.CONFIRM_FIELDS,
    Verb.VOID: signing.CONFIRM_FIELDS,
    Verb.REFUND: signing.REFUND_FIELDS,
    Verb.QUERY_REFUND: signing.QUERY_FIELDS,
}


def read_capture(extra_data: object) -> CaptureMethod | None:
    """How the payment was to be captured; None for what ``extraData`` of ours never says.

    A notification comes without our records, and code 9000 is a payment in the one mode and a
    mere hold in the other: so the mode travels along, inside what MoMo signs.
    """
    try:
        content = json.loads(base64.b64decode(str(extra_data), validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    capture = content.get("capture") if isinstance(content, dict) else None
    return CaptureMethod(capture) if capture in tuple(CaptureMethod) else None


def _build_create(operation: Operation, config: Config) -> Json:
    details = operation.details
    holds = details.capture is CaptureMethod.MANUAL
    request_type = _channel(details, config, holds=holds)
    body: Json = {
        "orderId": details.reference,
        "amount": amounts.to_wire(operation.money or operation.details.money),
        "orderInfo": _order_info(details),
        "redirectUrl": details.return_url,
        "ipnUrl": details.webhook_url,
        "requestType": request_type,
        "extraData": _write_capture(details.capture),
        "autoCapture": not holds,
    }
    if request_type == channels.CARD and details.customer_email:
        # Only the card page needs it, so it is sent to no other.
        body["userInfo"] = {"email": details.customer_email}
    return body


def _channel(details: PaymentDetails, config: Config, *, holds: bool) -> str:
    try:
        request_type = channels.request_type(
            details.method, details.channel, config.request_type, holds=holds
        )
    except KeyError as error:
        raise UnsupportedOperation(f"MoMo has no channel {details.channel}") from error
    if holds and not channels.BY_REQUEST_TYPE[request_type].can_hold:
        raise UnsupportedOperation(f"MoMo cannot hold money by {request_type}")
    return request_type


def _build_query(operation: Operation, _config: Config) -> Json:
    return {"orderId": operation.details.reference}


def _build_capture(operation: Operation, _config: Config) -> Json:
    if operation.money not in {None, operation.details.money}:
        raise UnsupportedOperation("MoMo captures exactly what was authorised")
    return _confirm(operation, "capture")


def _build_void(operation: Operation, _config: Config) -> Json:
    return _confirm(operation, "cancel")


def _confirm(operation: Operation, request_type: str) -> Json:
    return {
        "orderId": operation.details.reference,
        "amount": operation.details.money.minor,
        "requestType": request_type,
        "description": "",
    }


def _build_refund(operation: Operation, config: Config) -> Json:
    amount = amounts.to_wire(operation.money or operation.details.money)
    smallest, largest = channels.refund_limits(operation.details, config.request_type)
    if not smallest <= amount <= largest:
        raise UnsupportedOperation(
            f"MoMo gives back {smallest:,} to {largest:,} đồng of this payment"
        )
    trans_id = operation.details.psp_data.get("trans_id") or operation.details.psp_reference
    if not trans_id.isdecimal():
        raise UnsupportedOperation(
            "MoMo refunds by its own number of the payment, and we have none"
        )
    return {
        # A refund is an order of its own: the purchase's orderId would be answered by 41.
        "orderId": operation.reference,
        "amount": amount,
        "transId": int(trans_id),
        "description": f"Refund {operation.details.order_number}"[:_ORDER_INFO_MAX],
    }


def _build_query_refund(operation: Operation, _config: Config) -> Json:
    if not operation.refund_reference:
        raise UnsupportedOperation("a refund is asked about by its reference, and none was given")
    return {"orderId": operation.refund_reference}


_BODY_BUILDERS: Final[dict[Verb, Callable[[Operation, Config], Json]]] = {
    Verb.CREATE: _build_create,
    Verb.QUERY: _build_query,
    Verb.CAPTURE: _build_capture,
    Verb.VOID: _build_void,
    Verb.REFUND: _build_refund,
    Verb.QUERY_REFUND: _build_query_refund,
}


def build_request(operation: Operation, config: Config) -> Json:
    """``{"path", "body"}`` of the request. Raises ``UnsupportedOperation``."""
    body = {
        "partnerCode": config.partner_code,
        "requestId": operation.reference,
        "lang": LANGUAGES.get(operation.details.locale, "en"),
        **_BODY_BUILDERS[operation.verb](operation, config),
    }
    return {"path": _PATHS[operation.verb], "body": body}


BUILDERS: Final[dict[Verb, Callable[[Operation, Config], Json]]] = dict.fromkeys(
    _BODY_BUILDERS, build_request
)
UNSUPPORTED_VERBS: Final[dict[Verb, str]] = {
    Verb.CLOSE: "MoMo cannot close a page: it expires by itself"
}


def _order_info(details: PaymentDetails) -> str:
    text = " ".join(details.description.split()) or details.order_number
    return text[:_ORDER_INFO_MAX]


def _write_capture(capture: CaptureMethod) -> str:
    return base64.b64encode(json.dumps({"capture": capture}).encode()).decode()
