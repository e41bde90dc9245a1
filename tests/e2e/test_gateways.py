"""Every gateway through the whole product: paid, declined, cancelled, left and resumed, booked."""

import pytest

from tests.e2e.books import agreed
from tests.e2e.payment_paths import WAYS, Way, begin, decide, standing
from tests.e2e.shop import Shop, eventually


@pytest.fixture(scope="module", params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


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


class TestTheBooks:
    def test_say_what_the_gateways_say(self, shop: Shop) -> None:
        for way in WAYS:
            _, payment = begin(shop, way, decision="approve")
            assert shop.ended(payment["id"])["status"] == "SUCCESS"
        theirs = eventually(lambda: agreed(shop), within_s=30)
        assert {(way.gateway, way.currency) for way in WAYS} <= {key[::2] for key in theirs}

    def test_are_in_order_for_the_doctor(self, shop: Shop) -> None:
        report = shop.manage("doctor")
        assert report.returncode == 0, report.stdout + report.stderr
        for way in WAYS:
            assert f"ok       {way.gateway:<10} credentials" in report.stdout
