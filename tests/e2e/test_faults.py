"""Kill anything, at the worst moment: no payment is lost and nobody pays twice."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.shop import Shop, eventually

ONE = 1


class TestLostAnswers:
    def test_charges_once_when_the_answer_is_lost(self, shop: Shop) -> None:
        shop.behave("stripe", api={"fault": "timeout_after"}, webhook={"drop": True}, times=1)
        payment = shop.pay(shop.order("mug", "USD"), "card", "pm_card_visa").json

        eventually(lambda: shop.payment(payment["id"])["status"] == "PROCESSING")
        assert shop.ended(payment["id"])["status"] == "SUCCESS"
        assert len(shop.charges(payment["id"])) == ONE

    def test_applies_a_webhook_that_overtakes_the_answer(self, shop: Shop) -> None:
        shop.behave("stripe", webhook={"order": "before_answer"}, times=1)
        payment = shop.pay(shop.order("mug", "USD"), "card", "pm_card_visa").json

        assert shop.ended(payment["id"])["status"] == "SUCCESS"
        assert len(shop.charges(payment["id"])) == ONE

    def test_asks_the_gateway_when_no_webhook_ever_comes(self, shop: Shop) -> None:
        shop.behave("vnpay", decision="approve", webhook={"drop": True}, times=1)
        payment = shop.pay(shop.order(), "vnpay", wait_s=10).json
        shop.open_page(payment["next_action"]["url"])

        assert shop.ended(payment["id"])["status"] == "SUCCESS"
        assert len(shop.charges(payment["id"])) == ONE


class TestKills:
    def test_finishes_after_the_worker_was_killed_during_the_call(self, shop: Shop) -> None:
        shop.behave("stripe", api={"fault": "slow:1500"}, webhook={"drop": True}, times=3)
        payments = [
            shop.pay(shop.order("mug", "USD"), "card", "pm_card_visa").json for _ in range(3)
        ]
        eventually(lambda: shop.payment(payments[-1]["id"])["status"] == "PROCESSING")
        shop.stack.kill("worker")
        shop.end_leases_of_mails()
        time.sleep(1)
        shop.stack.start("worker")

        for payment in payments:
            assert shop.ended(payment["id"])["status"] == "SUCCESS"
            assert len(shop.charges(payment["id"])) == ONE

    def test_keeps_answering_while_redis_is_down(self, shop: Shop) -> None:
        shop.servers.stop_redis()
        began = [shop.pay(shop.order("mug", "USD"), "card", "pm_card_visa") for _ in range(3)]
        shop.servers.start_redis()

        assert [reply.status for reply in began] == [201, 201, 201]
        for reply in began:
            assert shop.ended(reply.json["id"])["status"] == "SUCCESS"
            assert len(shop.charges(reply.json["id"])) == ONE

    def test_needs_nothing_that_was_in_redis(self, shop: Shop) -> None:
        shop.stack.kill("worker")
        shop.end_leases_of_mails()
        payments = [
            shop.pay(shop.order("mug", "USD"), "card", "pm_card_visa").json for _ in range(3)
        ]
        shop.servers.flush_redis()
        shop.stack.start("worker")

        for payment in payments:
            assert shop.ended(payment["id"])["status"] == "SUCCESS"

    def test_goes_on_after_postgresql_was_restarted(self, shop: Shop) -> None:
        shop.behave("stripe", api={"fault": "slow:800"}, times=2)
        payments = [
            shop.pay(shop.order("mug", "USD"), "card", "pm_card_visa").json for _ in range(2)
        ]
        shop.servers.kill_postgres()
        shop.servers.start_postgres()
        shop.end_leases_of_mails()

        for payment in payments:
            assert shop.ended(payment["id"])["status"] == "SUCCESS"
            assert len(shop.charges(payment["id"])) == ONE


class TestRaces:
    def test_makes_one_payment_of_fifty_equal_requests(self, shop: Shop) -> None:
        order = shop.order("mug", "USD")
        body = {
            "order_id": order["id"], "amount": 1999, "currency": "USD", "method": "card",
            "payment_token": "pm_card_visa",
        }  # fmt: skip
        headers = {"Idempotency-Key": f"fifty-{order['number']}"}
        with ThreadPoolExecutor(50) as pool:
            replies = list(
                pool.map(lambda _: shop.api("POST", "/payments", body, headers), range(50))
            )

        assert {reply.status for reply in replies} == {201}
        assert len({reply.text for reply in replies}) == ONE
        payment = shop.ended(replies[0].json["id"])
        assert payment["status"] == "SUCCESS"
        assert len(shop.charges(payment["id"])) == ONE

    def test_applies_one_of_many_copies_of_a_webhook(self, shop: Shop) -> None:
        shop.behave("vnpay", decision="approve", webhook={"copies": 20}, times=1)
        payment = shop.pay(shop.order(), "vnpay", wait_s=10).json
        shop.open_page(payment["next_action"]["url"])

        assert shop.ended(payment["id"])["status"] == "SUCCESS"
