"""Holds over every gateway that has them, and the refusals of those that have not."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from tests.e2e.payment_paths import BY_METHOD, Way, begin, standing
from tests.e2e.shop import Reply, Shop, eventually, send

HOLDING: Final = (BY_METHOD["card"], BY_METHOD["paypal"], BY_METHOD["momo"])
IN_PARTS: Final = (BY_METHOD["card"], BY_METHOD["paypal"])
# Longer than the longest hold of theirs (MoMo's thirty days), in the sandbox's time.
A_MONTH_S: Final = 31 * 24 * 3600
# Longer than anybody waits for an answer: what is asked for is done, and nobody hears of it.
SLOW: Final = "slow:30000"
DROPPED: Final = {"drop": True}


@pytest.fixture(scope="module", params=HOLDING, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


class TestAHold:
    def test_leaves_the_order_to_be_paid_and_takes_nothing(self, shop: Shop, way: Way) -> None:
        order, held = hold(shop, way)
        assert (held["status"], held["next_action"]) == ("AUTHORIZED", None)
        assert standing(shop, order) == ("PENDING", 0)
        assert book(shop, held) == [("authorized", 0)]
        assert booked(shop, held) == []

    def test_is_taken_whole(self, shop: Shop, way: Way) -> None:
        order, held = hold(shop, way)
        asked = capture(shop, held)
        assert (asked.status, asked.json["id"]) == (202, held["id"])
        assert_taken(shop, order, held, order["total"])

    @pytest.mark.parametrize("way", IN_PARTS, ids=str)
    def test_is_taken_in_part_and_the_rest_let_go(self, shop: Shop, way: Way) -> None:
        order, held = hold(shop, way)
        part = order["total"] // 3
        assert capture(shop, held, part).status == 202
        assert_taken(shop, order, held, part)
        refused = capture(shop, held, part)
        assert (refused.status, refused.json["code"]) == (409, "already_paid")

    def test_is_let_go(self, shop: Shop, way: Way) -> None:
        order, held = hold(shop, way)
        assert cancel(shop, held).status == 202
        assert_let_go(shop, order, held, "cancelled")
        assert book(shop, held) == [("voided", 0)]
        refused = capture(shop, held)
        assert (refused.status, refused.json["code"]) == (409, "not_capturable")

    def test_is_taken_once_by_many_who_ask_at_once(self, shop: Shop, way: Way) -> None:
        order, held = hold(shop, way)
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: capture(shop, held), range(8)))
        # Who comes when it has been taken already is told so.
        assert {202} <= {reply.status for reply in replies} <= {202, 409}
        assert_taken(shop, order, held, order["total"])

    @pytest.mark.parametrize("way", IN_PARTS, ids=str)
    def test_is_taken_with_one_of_two_amounts(self, shop: Shop, way: Way) -> None:
        order, held = hold(shop, way)
        amounts = [order["total"], order["total"] // 2]
        with ThreadPoolExecutor(2) as pool:
            replies = list(pool.map(lambda amount: capture(shop, held, amount), amounts))
        assert sorted(reply.status for reply in replies) == [202, 409]
        (won,) = [
            amount for amount, reply in zip(amounts, replies, strict=True) if reply.status == 202
        ]
        assert_taken(shop, order, held, won)

    def test_ends_in_one_way_when_both_are_asked_for_at_once(self, shop: Shop, way: Way) -> None:
        for _ in range(4):
            order, held = hold(shop, way)
            with ThreadPoolExecutor(2) as pool:
                captured = pool.submit(capture, shop, held)
                cancelled = pool.submit(cancel, shop, held)
            assert {captured.result().status, cancelled.result().status} <= {202, 409}
            if shop.ended(held["id"])["status"] == "SUCCESS":
                assert_taken(shop, order, held, order["total"])
            else:
                assert_let_go(shop, order, held, "cancelled")

    def test_is_taken_once_though_the_answer_is_lost(self, shop: Shop, way: Way) -> None:
        order, held = hold(shop, way, webhook=DROPPED)
        shop.behave(way.gateway, api={"fault": "timeout_after"})
        assert capture(shop, held).status == 202
        assert_taken(shop, order, held, order["total"])
        shop.behave(way.gateway)

    def test_is_let_go_though_the_answer_is_lost(self, shop: Shop, way: Way) -> None:
        order, held = hold(shop, way, webhook=DROPPED)
        shop.behave(way.gateway, api={"fault": "reset_after"})
        assert cancel(shop, held).status == 202
        assert_let_go(shop, order, held, "cancelled")
        shop.behave(way.gateway)


class TestAWorkerThatDies:
    def test_leaves_what_it_has_taken_to_the_next(self, shop: Shop) -> None:
        holds = [hold(shop, way, webhook=DROPPED) for way in HOLDING]
        shop.behave("*", api={"fault": SLOW})
        for _, held in holds:
            assert capture(shop, held).status == 202
        eventually(lambda: all(shop.charges(held["id"]) for _, held in holds))
        shop.stack.kill("worker")
        shop.end_leases_of_mails()
        assert {shop.payment(held["id"])["status"] for _, held in holds} == {"AUTHORIZED"}

        shop.behave("*")
        shop.stack.start("worker")
        for order, held in holds:
            assert_taken(shop, order, held, order["total"])


class TestAHoldThatRunsOut:
    def test_takes_nothing_and_leaves_the_order_to_be_paid(self, shop: Shop) -> None:
        holds = [hold(shop, way) for way in HOLDING]
        send("POST", f"{shop.sandbox}/control/clock", {"advance_s": A_MONTH_S})
        try:
            for order, held in holds:
                assert_let_go(shop, order, held, "expired")
        finally:
            shop.restore_gateways()
        for order, _ in holds:
            assert shop.api("POST", f"/orders/{order['id']}/cancel").status == 200


class TestWhatCannotBeHeld:
    def test_is_refused_before_anything_is_made(self, shop: Shop) -> None:
        order = shop.order("silk-scarf", "VND")
        refused = shop.pay(order, "vnpay", capture="manual")
        assert (refused.status, refused.json["code"]) == (422, "capture_unavailable")
        assert "vnpay takes the money at once" in refused.json["detail"]
        rows = shop.query(
            "SELECT (SELECT count(*) FROM transactions WHERE order_id = %s),"
            " (SELECT count(*) FROM idempotency_keys k JOIN transactions t"
            "  ON t.id = k.transaction_id WHERE t.order_id = %s)",
            *[order["id"].removeprefix("ord_")] * 2,
        )
        assert rows == [(0, 0)]

    def test_is_refused_in_part_where_a_gateway_takes_all_or_nothing(self, shop: Shop) -> None:
        order, held = hold(shop, BY_METHOD["momo"])
        refused = capture(shop, held, order["total"] - 1)
        assert (refused.status, refused.json["code"]) == (422, "capture_amount_refused")
        assert str(order["total"]) in refused.json["detail"]
        assert_untouched(shop, held)
        cancel(shop, held)
        assert_let_go(shop, order, held, "cancelled")

    def test_is_refused_above_what_is_held(self, shop: Shop, way: Way) -> None:
        order, held = hold(shop, way)
        refused = capture(shop, held, order["total"] + 1)
        assert (refused.status, refused.json["code"]) == (422, "capture_amount_refused")
        assert_untouched(shop, held)

    def test_is_refused_as_an_amount_that_is_none(self, shop: Shop) -> None:
        _, held = hold(shop, BY_METHOD["card"])
        amounts: list[object] = [0, -1, 1.5, float("nan"), "1", True, None, [], 10**30]
        for amount in amounts:
            refused = shop.api("POST", f"/payments/{held['id']}/capture", {"amount": amount})
            assert refused.status == 400, (amount, refused.text)
        bodies: list[object] = [[], 0, "", False, "1", [{"amount": 1}], {"sum": 1}]
        for body in bodies:
            refused = shop.api("POST", f"/payments/{held['id']}/capture", body)
            assert refused.status == 400, (body, refused.text)
        assert_untouched(shop, held)

    @pytest.mark.parametrize("method", sorted(BY_METHOD))
    def test_is_refused_for_a_payment_that_holds_nothing(self, shop: Shop, method: str) -> None:
        _, payment = begin(shop, BY_METHOD[method], decision="abandon")
        refused = capture(shop, payment)
        assert (refused.status, refused.json["code"]) == (409, "not_capturable")
        assert shop.payment(payment["id"])["status"] == "PROCESSING"


def hold(shop: Shop, way: Way, **rule: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An order, and a payment that holds its total."""
    order = shop.order(way.sku, way.currency)
    shop.behave(way.gateway, decision="approve", times=1, **rule)
    reply = shop.pay(order, way.method, way.token, capture="manual")
    assert reply.status == 201, reply.text

    def look() -> dict[str, Any] | None:
        payment = shop.payment(reply.json["id"])
        return payment if payment["status"] == "AUTHORIZED" else None

    return order, eventually(look)


def capture(shop: Shop, held: dict[str, Any], amount: int | None = None) -> Reply:
    """Ask for all of it, or for a part."""
    body = None if amount is None else {"amount": amount}
    return shop.api("POST", f"/payments/{held['id']}/capture", body)


def cancel(shop: Shop, held: dict[str, Any]) -> Reply:
    """Ask for its end."""
    return shop.api("POST", f"/payments/{held['id']}/cancel")


def assert_taken(shop: Shop, order: dict[str, Any], held: dict[str, Any], amount: int) -> None:
    """``amount`` was taken once, says everybody."""
    paid = shop.ended(held["id"])
    assert (paid["status"], paid["amount_captured"]) == ("SUCCESS", amount)
    assert standing(shop, order) == ("PAID", amount)
    assert book(shop, held) == [("captured", amount)]
    assert booked(shop, held) == [(amount, order["currency"])]


def assert_let_go(shop: Shop, order: dict[str, Any], held: dict[str, Any], code: str) -> None:
    """Nothing was taken, says everybody, and the order can be paid."""
    ended = shop.ended(held["id"])
    assert (ended["status"], ended["failure"]["code"]) == ("FAILED", code)
    assert (standing(shop, order), shop.charges(held["id"])) == (("PENDING", 0), [])
    assert booked(shop, held) == []


def assert_untouched(shop: Shop, held: dict[str, Any]) -> None:
    """It is held as before, and nobody has been asked for anything."""
    assert shop.payment(held["id"])["status"] == "AUTHORIZED"
    assert book(shop, held) == [("authorized", 0)]
    requests = shop.query(
        "SELECT capture_amount, cancel_code FROM transactions WHERE id = %s",
        held["id"].removeprefix("pay_"),
    )
    assert requests == [(None, "")]


def book(shop: Shop, held: dict[str, Any]) -> list[tuple[str, int]]:
    """Each charge in the gateway's book: its status, and what was taken."""
    charges = shop.book(held["id"])["charges"]
    return [(charge["status"], charge["captured"]) for charge in charges]


def booked(shop: Shop, held: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Our transfers about it."""
    return shop.query(
        "SELECT amount, currency FROM transfers WHERE transaction_id = %s",
        held["id"].removeprefix("pay_"),
    )
