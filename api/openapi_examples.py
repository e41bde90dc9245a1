"""The bodies that the API's document shows: one order and its payment, from start to finish."""

from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]
BASE: Final = "https://pay.example.com"
PROBLEM_BASE: Final = f"{BASE}/docs/errors"


@dataclass(frozen=True, slots=True)
class Example:
    """What goes in, if anything does, and what comes out."""

    answer: Json
    request: Json | None = None


_ORDER_ID: Final = "ord_019ab3c4f1c27d0a9d3f5b6e7a8c9d01"
_PAYMENT_ID: Final = "pay_019ab3c5d2e97a55a4c1e2f30b4d5c66"
_CREATED_AT: Final = "2026-11-22T09:30:00.125000Z"

_PRODUCT: Final[Json] = {
    "sku": "coffee-phin",
    "name": "Cà phê phin Đà Lạt 250 g",
    "unit_amount": 125_000,
    "currency": "VND",
}
_ORDER: Final[Json] = {
    "id": _ORDER_ID,
    "number": "1042",
    "status": "PENDING",
    "currency": "VND",
    "total": 250_000,
    "amount_paid": 0,
    "amount_refunded": 0,
    "lines": [
        {
            "sku": "coffee-phin",
            "name": "Cà phê phin Đà Lạt 250 g",
            "unit_amount": 125_000,
            "quantity": 2,
            "amount": 250_000,
        }
    ],
    "pay_url": f"{BASE}/checkout/{_ORDER_ID}.c2lnbmF0dXJlLW9mLXRoZS1saW5r",
    "created_at": _CREATED_AT,
    "updated_at": _CREATED_AT,
}
_PAYMENT: Final[Json] = {
    "id": _PAYMENT_ID,
    "order_id": _ORDER_ID,
    "status": "PROCESSING",
    "amount": 250_000,
    "currency": "VND",
    "method": "vnpay",
    "channel": "qr",
    "gateway": "vnpay",
    "capture": "automatic",
    "next_action": {"type": "redirect", "url": "https://pay.vnpay.vn/vpcpay.html?vnp_Amount=…"},
    "failure": None,
    "amount_captured": 0,
    "amount_refunded": 0,
    "metadata": {"table": "7"},
    "created_at": "2026-11-22T09:30:04.250000Z",
    "updated_at": "2026-11-22T09:30:04.410000Z",
}
_TOKENS: Final[Json] = {"access": "eyJhbGciOi…", "refresh": "eyJhbGciOi…"}


def _page(row: Json) -> Json:
    return {"results": [row], "next": None, "previous": None}


EXAMPLES: Final[dict[str, Example]] = {
    "auth_token_create": Example(_TOKENS, {"username": "shopper", "password": "…"}),
    "auth_token_refresh_create": Example(_TOKENS, {"refresh": "eyJhbGciOi…"}),
    "list_products": Example(_page(_PRODUCT)),
    "create_order": Example(
        _ORDER, {"currency": "VND", "lines": [{"sku": "coffee-phin", "quantity": 2}]}
    ),
    "list_orders": Example(_page(_ORDER)),
    "get_order": Example(_ORDER),
    "cancel_order": Example(_ORDER | {"status": "CANCELLED"}),
    "create_payment": Example(
        _PAYMENT,
        {
            "order_id": _ORDER_ID,
            "amount": 250_000,
            "currency": "VND",
            "method": "vnpay",
            "channel": "qr",
            "return_url": "https://shop.example.com/thanks",
            "metadata": {"table": "7"},
        },
    ),
    "list_payments": Example(_page(_PAYMENT)),
    "get_payment": Example(_PAYMENT),
    "capture_payment": Example(
        _PAYMENT
        | {"method": "card", "channel": "", "gateway": "stripe", "capture": "manual"}
        | {"status": "AUTHORIZED", "next_action": None},
        {"amount": 200_000},
    ),
    "cancel_payment": Example(
        _PAYMENT | {"status": "FAILED", "next_action": None, "failure": {"code": "cancelled"}}
    ),
}
