"""Every gateway through the whole product: paid, declined, cancelled, left and resumed, booked."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.e2e.shop import Shop, eventually, send

# Longer than everything else in its test: the others must not need to wait for it.
HANGS: Final = "slow:10000"
# More than the calls of one gateway that a worker makes at once would be unkind to two processors.
HANGING: Final = 6


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to pay: its method, its gateway, what is bought by it, and a no in its words."""

    method: str
    gateway: str
    sku: str
    currency: str
    decline: str
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


@pytest.fixture(scope="module", params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


@pytest.fixture(scope="module")
def shop(running: Shop) -> Iterator[Shop]:
    """As everywhere, but the books are checked once for this file: every look costs a process."""
    running.sign_in()
    yield running
    running.behave("*")
    running.require_sound_books()


class TestEveryMethod:
    def test_is_paid(self, shop: Shop, way: Way) -> None:
        order, payment = begin(shop, way, decision="approve")
        assert (payment["gateway"], payment["method"]) == (way.gateway, way.method)
        assert shop.ended(payment["id"])["status"] == "SUCCESS"
        assert standing(shop, order) == ("PAID", order["total"])
        (charge,) = shop.charges(payment["id"])
        assert (charge["captured"], charge["currency"]) == (order["total"], way.currency)

    def test_is_declined_and_leaves_the_order_to_be_paid(self, shop: Shop, way: Way) -> None:
        order, payment = begin(shop, way, decision=way.decline, token=way.token_of_decline)
        ended = shop.ended(payment["id"])
        assert (ended["status"], ended["failure"]["code"]) == ("FAILED", way.failure)
        assert (standing(shop, order), shop.charges(payment["id"])) == (("PENDING", 0), [])
        _, again = begin(shop, way, order=order, decision="approve")
        assert shop.ended(again["id"])["status"] == "SUCCESS"
        assert len(shop.charges(again["id"])) == 1

    def test_is_cancelled_while_nobody_has_paid(self, shop: Shop, way: Way) -> None:
        order, payment = begin(shop, way, decision="abandon")
        assert shop.api("POST", f"/payments/{payment['id']}/cancel").status == 202
        ended = shop.ended(payment["id"])
        assert (ended["status"], ended["failure"]["code"]) == ("FAILED", "cancelled")
        assert (standing(shop, order), shop.charges(payment["id"])) == (("PENDING", 0), [])

    def test_is_left_and_paid_later_by_the_same_link(self, shop: Shop, way: Way) -> None:
        order, payment = begin(shop, way, decision="abandon")
        link = payment["next_action"]["url"]
        again = shop.pay(order, way.method)
        # Whoever asks for the same once more is given the same, and not a second payment.
        assert (again.status, again.json["id"]) == (201, payment["id"])
        kept = shop.payment(payment["id"])
        assert (kept["status"], kept["next_action"]["url"]) == ("PROCESSING", link)
        decide(shop, way, payment)
        assert shop.ended(payment["id"])["status"] == "SUCCESS"
        assert standing(shop, order) == ("PAID", order["total"])
        assert len(shop.charges(payment["id"])) == 1


class TestOneGatewayThatHangs:
    def test_keeps_nobody_else_waiting(self, shop: Shop) -> None:
        slow = BY_METHOD["momo"]
        shop.behave(slow.gateway, decision="abandon", api={"fault": HANGS}, times=HANGING)
        orders = [shop.order(slow.sku, slow.currency) for _ in range(HANGING)]
        hanging = [shop.pay(order, slow.method).json for order in orders]
        others = [begin(shop, way, decision="approve")[1] for way in WAYS if way is not slow]

        assert [shop.ended(each["id"])["status"] for each in others] == ["SUCCESS"] * len(others)
        # No answer yet, so the three were paid while all of these were still under way.
        assert [shop.payment(each["id"])["next_action"] for each in hanging] == [None] * HANGING
        eventually(lambda: all(shop.payment(each["id"])["next_action"] for each in hanging))


class TestTheBooks:
    def test_say_what_the_gateways_say(self, shop: Shop) -> None:
        for way in WAYS:
            _, payment = begin(shop, way, decision="approve")
            assert shop.ended(payment["id"])["status"] == "SUCCESS"
        theirs = eventually(lambda: agreed(shop), within_s=30)
        assert {(way.gateway, way.currency) for way in WAYS} <= theirs.keys()

    def test_are_in_order_for_the_doctor(self, shop: Shop) -> None:
        report = shop.manage("doctor")
        assert report.returncode == 0, report.stdout + report.stderr
        for way in WAYS:
            assert f"ok       {way.gateway:<10} credentials" in report.stdout


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


def agreed(shop: Shop) -> Counter[tuple[str, str]]:
    """What each gateway owes us by its own book, if our ledger says the same to the unit."""
    theirs: Counter[tuple[str, str]] = Counter()
    for charge in send("GET", f"{shop.sandbox}/control/book?limit=10000").json["charges"]:
        owed = charge["captured"] - charge["refunded"]
        theirs[charge["gateway"], charge["currency"]] += owed
    return +theirs if +theirs == ledger(shop) else Counter()


def ledger(shop: Shop) -> Counter[tuple[str, str]]:
    """The same by our transfers into and out of the clearing accounts."""
    rows = shop.query(
        "SELECT a.gateway, a.currency, sum(CASE WHEN f.debit_id = a.id THEN f.amount"
        " ELSE -f.amount END)::bigint FROM ledger_accounts a"
        " JOIN transfers f ON a.id IN (f.debit_id, f.credit_id)"
        " WHERE a.kind = 'clearing' GROUP BY 1, 2"
    )
    return +Counter({(gateway, currency): amount for gateway, currency, amount in rows})
