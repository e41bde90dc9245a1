"""Our account at PayPal in these tests, and PayPal's orders."""

from typing import Any, Final

from gateways.operation import Json, PaymentDetails
from money.money import Money
from tests.gateways import samples
from tests.gateways.samples import REFERENCE

MERCHANT: Final = "MERCHANT12345"
ORDER: Final = "0KD30046EH157382X"
PAGE: Final = f"https://www.sandbox.paypal.com/checkoutnow?token={ORDER}"
OPTIONS: Final = {
    "client_id": "cid",
    "secret": "csec-very-secret",
    "merchant_id": MERCHANT,
    "webhook_ids": "96605875FF6516633",
}
TOKEN: Final = {"access_token": "A21AAFtoken", "token_type": "Bearer", "expires_in": 31668}
USD: Final = Money(1999, "USD")


def details(**changes: Any) -> PaymentDetails:
    """19.99 USD, not yet known to PayPal."""
    return samples.details(**{"money": USD, "method": "paypal", "locale": "en", **changes})


def created(**changes: Any) -> PaymentDetails:
    """The same, after PayPal made an order of it."""
    data = {"approve_url": PAGE, **changes.pop("psp_data", {})}
    return details(psp_reference=ORDER, psp_data=data, **changes)


def amount(value: str = "19.99", currency: str = "USD") -> Json:
    return {"currency_code": currency, "value": value}


def order(status: str, **payments: object) -> Json:
    """An order as PayPal represents it, with a person in it."""
    unit: Json = {
        "reference_id": "default",
        "amount": amount(),
        "payee": {"merchant_id": MERCHANT, "email_address": "shop@example.com"},
        "custom_id": REFERENCE,
        "invoice_id": REFERENCE,
    }
    if payments:
        unit["payments"] = payments
    return {
        "id": ORDER,
        "intent": "CAPTURE",
        "status": status,
        "payer": {"name": {"given_name": "Linh"}, "email_address": "linh@example.com"},
        "payment_source": {"paypal": {"email_address": "linh@example.com"}},
        "purchase_units": [unit],
        "links": [
            {"href": f"https://api.sandbox.paypal.com/v2/checkout/orders/{ORDER}", "rel": "self"},
            {"href": PAGE, "rel": "payer-action", "method": "GET"},
        ],
    }


def capture(status: str = "COMPLETED", **changes: object) -> Json:
    node: Json = {
        "id": "3C679366HH908993F",
        "status": status,
        "amount": amount(),
        "final_capture": True,
        "custom_id": REFERENCE,
        "seller_receivable_breakdown": {
            "gross_amount": amount(),
            "paypal_fee": amount("1.19"),
            "net_amount": amount("18.80"),
        },
    }
    return {**node, **changes}


def hold(status: str = "CREATED", **changes: object) -> Json:
    node: Json = {
        "id": "0AW2184448108334S",
        "status": status,
        "amount": amount(),
        "custom_id": REFERENCE,
        "expiration_time": "2026-12-21T03:31:00Z",
    }
    return {**node, **changes}


def refusal(issue: str, name: str = "UNPROCESSABLE_ENTITY") -> Json:
    """An error of PayPal's, with the text that must never decide anything."""
    return {
        "name": name,
        "message": "The payment was COMPLETED, says the text.",
        "debug_id": "90957fca61718",
        "details": [{"issue": issue, "description": "whatever"}],
    }
