"""Paying an order through every part: API, worker, gateway, webhook, ledger, mail, audit."""

from pathlib import Path

from tests.e2e.shop import Shop, eventually, send


class TestPaying:
    def test_pays_by_vnpay_over_the_api(self, shop: Shop) -> None:
        order = shop.order()
        payment = shop.pay(order, "vnpay", wait_s=10).json
        assert payment["status"] == "PROCESSING"
        shop.open_page(payment["next_action"]["url"])

        assert shop.ended(payment["id"])["status"] == "SUCCESS"
        paid = shop.api("GET", f"/orders/{order['id']}").json
        assert (paid["status"], paid["amount_paid"]) == ("PAID", order["total"])
        assert [charge["captured"] for charge in shop.charges(payment["id"])] == [order["total"]]

    def test_pays_by_a_card_token_over_the_api(self, shop: Shop) -> None:
        order = shop.order("mug", "USD")
        payment = shop.pay(order, "card", "pm_card_visa", wait_s=10).json

        assert shop.ended(payment["id"])["status"] == "SUCCESS"
        assert [charge["captured"] for charge in shop.charges(payment["id"])] == [1999]

    def test_charges_dong_at_stripe_without_a_factor(self, shop: Shop) -> None:
        order = shop.order("coffee-phin", "VND")
        payment = shop.pay(order, "card", "pm_card_visa", wait_s=10).json

        assert shop.ended(payment["id"])["status"] == "SUCCESS"
        assert [charge["captured"] for charge in shop.charges(payment["id"])] == [125_000]

    def test_lets_the_shopper_try_again_after_a_decline(self, shop: Shop) -> None:
        order = shop.order("mug", "USD")
        declined = shop.pay(order, "card", "pm_card_visa_chargeDeclinedInsufficientFunds").json
        ended = shop.ended(declined["id"])
        assert (ended["status"], ended["failure"]["code"]) == ("FAILED", "insufficient_funds")

        again = shop.pay(order, "card", "pm_card_visa").json
        assert again["id"] != declined["id"]
        assert shop.ended(again["id"])["status"] == "SUCCESS"

    def test_sends_one_mail(self, shop: Shop) -> None:
        order = shop.order("mug", "USD")
        payment = shop.pay(order, "card", "pm_card_visa").json
        shop.ended(payment["id"])

        mails = eventually(lambda: _mails_about(shop, order["number"]))
        assert len(mails) == 1
        assert "$19.99" in mails[0]


class TestPayingAgain:
    def test_keeps_the_second_of_two_paid_links_in_suspense(self, shop: Shop) -> None:
        order = shop.order()
        first = shop.pay(order, "vnpay", wait_s=10).json
        assert shop.api("POST", f"/payments/{first['id']}/cancel").status == 202
        assert shop.ended(first["id"])["failure"]["code"] == "cancelled"
        second = shop.pay(order, "vnpay", wait_s=10).json
        assert second["id"] != first["id"]

        shop.open_page(second["next_action"]["url"])
        # Where the two overtake each other, the other one pays the order.
        assert shop.ended(second["id"])["status"] == "SUCCESS"
        shop.open_page(first["next_action"]["url"])

        eventually(lambda: shop.payment(first["id"])["status"] == "SUCCESS")
        assert shop.api("GET", f"/orders/{order['id']}").json["amount_paid"] == order["total"]
        rows = shop.query(
            "SELECT t.applied, a.kind, c.kind FROM transactions t"
            " JOIN transfers f ON f.transaction_id = t.id"
            " JOIN ledger_accounts a ON a.id = f.credit_id"
            " LEFT JOIN cases c ON c.transaction_id = t.id"
            " WHERE t.order_id = %s ORDER BY t.created_at",
            order["id"].removeprefix("ord_"),
        )
        assert rows == [(False, "suspense", "duplicate"), (True, "revenue", None)]

    def test_refuses_a_second_payment_while_one_lives(self, shop: Shop) -> None:
        order = shop.order()
        live = shop.pay(order, "vnpay", wait_s=10).json
        refused = shop.pay(order, "card", "pm_card_visa")

        assert refused.status == 409
        assert refused.json["code"] == "payment_in_progress"
        assert refused.json["payment_id"] == live["id"]
        shop.open_page(live["next_action"]["url"])
        assert shop.ended(live["id"])["status"] == "SUCCESS"


class TestAbandoning:
    def test_ends_when_the_page_has_expired_and_takes_nothing(self, shop: Shop) -> None:
        order = shop.order("mug", "USD")
        shop.behave("stripe", decision="abandon", times=1)
        left = shop.pay(order, "card", wait_s=10).json
        assert left["next_action"]["url"].startswith(shop.sandbox)

        send("POST", f"{shop.sandbox}/control/clock", {"advance_s": 3 * 3600})
        try:
            ended = shop.ended(left["id"])
        finally:
            shop.restore_gateways()
        assert (ended["status"], ended["failure"]["code"]) == ("FAILED", "expired")
        assert shop.charges(left["id"]) == []
        assert shop.api("GET", f"/orders/{order['id']}").json["status"] == "PENDING"


class TestForgeries:
    def test_changes_nothing_for_a_forged_webhook(self, shop: Shop) -> None:
        order = shop.order()
        payment = shop.pay(order, "vnpay", wait_s=10).json
        reference = payment["id"].removeprefix("pay_")
        forged = send(
            "GET",
            f"{shop.base}/webhooks/vnpay?vnp_TxnRef={reference}&vnp_Amount=12500000"
            "&vnp_ResponseCode=00&vnp_TransactionStatus=00&vnp_SecureHash=" + "0" * 128,
        )

        assert forged.json["RspCode"] == "97"
        assert shop.payment(payment["id"])["status"] == "PROCESSING"


def _mails_about(shop: Shop, number: str) -> list[str]:
    folder = Path(shop.stack.settings["DATA_DIR"]) / "mail"
    texts = [path.read_text() for path in folder.glob("*")] if folder.exists() else []
    mails = [mail for text in texts for mail in text.split("-" * 79)]
    return [mail for mail in mails if f"rder {number}" in mail]
