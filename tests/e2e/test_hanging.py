"""A gateway that answers only after half a minute keeps nobody waiting at the three others.

On a stack of its own, which has the patience to wait for such an answer.
"""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e.conftest import IMPATIENT
from tests.e2e.opening import open_shop
from tests.e2e.payment_paths import WAYS, Way, begin
from tests.e2e.shop import Shop, eventually

# Far longer than three payments take: who waits for one of these calls is seen to.
HANGS: Final = "slow:30000"
PATIENT: Final = IMPATIENT | {
    "STRIPE_READ_TIMEOUT_S": "60",
    # Of this a single call may take three tenths.
    "PAYPAL_READ_TIMEOUT_S": "120",
    "VNPAY_READ_TIMEOUT_S": "60",
    "MOMO_READ_TIMEOUT_S": "60",
}
HANGING: Final = 3


@pytest.fixture(scope="module", params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A stack that waits for an answer for as long as it takes."""
    with open_shop(PATIENT) as patient:
        patient.sign_in()
        yield patient
        patient.come_to_rest()
        patient.require_sound_books("--quiescent")


class TestOneGatewayThatHangs:
    def test_keeps_nobody_else_waiting(self, shop: Shop, way: Way) -> None:
        shop.behave(way.gateway, decision="approve", api={"fault": HANGS}, webhook={"drop": True})
        hanging = _hang(shop, way)
        others = [begin(shop, each, decision="approve")[1] for each in WAYS if each is not way]
        assert [shop.ended(each["id"])["status"] for each in others] == ["SUCCESS"] * len(others)
        # Nothing was heard of these yet: so the three were paid while all of them hung.
        assert [shop.payment(each)["status"] for each in hanging] == ["PROCESSING"] * HANGING
        assert [_answers(shop, each) for each in hanging] == [[None]] * HANGING
        shop.behave(way.gateway)


def _hang(shop: Shop, way: Way) -> list[str]:
    """Payments whose calls are out, and will not be answered while their gateway hangs."""
    orders = [shop.order(way.sku, way.currency) for _ in range(HANGING)]
    payments = [shop.pay(order, way.method).json["id"] for order in orders]
    if way.method == "vnpay":
        # There only a query is a call, and it follows some time after the link was opened.
        for each in payments:
            shop.open_page(shop.link(each))
    eventually(lambda: all(_answers(shop, each) for each in payments))
    return payments


def _answers(shop: Shop, payment_id: str) -> list[int | None]:
    """The HTTP statuses of the calls that went out; None where nothing was heard so far.

    VNPAY's link is made without a call.
    """
    rows = shop.query(
        "SELECT http_status FROM gateway_calls"
        " WHERE transaction_id = %s AND (gateway, verb) <> ('vnpay', 'CREATE')",
        payment_id.removeprefix("pay_"),
    )
    return [status for (status,) in rows]
