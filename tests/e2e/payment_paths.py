"""The ways to pay, one for each gateway, and how a test walks one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.e2e.shop import Shop, send


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to pay: its method, its gateway, what is bought by it, and a no in its words."""

    method: str
    gateway: str
    sku: str
    currency: str
    decline: str
    # Pays at once, without a page.
    token: str = ""
    token_of_decline: str = ""
    failure: str

    def __str__(self) -> str:
        return self.method


WAYS: Final = (
    Way(
        method="card",
        gateway="stripe",
        sku="mug",
        currency="USD",
        decline="ask",
        token="pm_card_visa",
        # On Stripe's page a declined shopper tries again; only a token is declined for good.
        token_of_decline="pm_card_visa_chargeDeclinedInsufficientFunds",
        failure="insufficient_funds",
    ),
    Way(
        method="paypal",
        gateway="paypal",
        sku="poster",
        currency="USD",
        decline="decline:TRANSACTION_REFUSED",
        failure="declined",
    ),
    Way(
        method="vnpay",
        gateway="vnpay",
        sku="silk-scarf",
        currency="VND",
        decline="decline:51",
        failure="insufficient_funds",
    ),
    Way(
        method="momo",
        gateway="momo",
        sku="coffee-phin",
        currency="VND",
        decline="decline:1001",
        failure="insufficient_funds",
    ),
)
BY_METHOD: Final = {way.method: way for way in WAYS}


def begin(
    shop: Shop, way: Way, *, order: dict[str, Any] | None = None, decision: str, token: str = ""
) -> tuple[dict[str, Any], dict[str, Any]]:
    """An order and a payment of it, up to where its gateway waits for its shopper."""
    order = order or shop.order(way.sku, way.currency)
    shop.behave(way.gateway, decision=decision, times=1)
    reply = shop.pay(order, way.method, token, wait_s=10)
    assert reply.status == 201, reply.text
    action = reply.json["next_action"]
    if way.method == "vnpay":
        # VNPAY learns of a payment, and takes the decision, when its link is opened.
        shop.open_page(action["url"])
    return order, dict(reply.json)


def decide(shop: Shop, way: Way, payment: Mapping[str, Any]) -> None:
    """The shopper comes back to the gateway's page and pays."""
    reference = payment["id"].removeprefix("pay_")
    body = {"gateway": way.gateway, "reference": reference, "decision": "approve"}
    reply = send("POST", f"{shop.sandbox}/control/decide", body)
    assert reply.status == 200, reply.text


def standing(shop: Shop, order: Mapping[str, Any]) -> tuple[str, int]:
    """An order's status and what was paid of it."""
    now = shop.api("GET", f"/orders/{order['id']}").json
    return now["status"], now["amount_paid"]
