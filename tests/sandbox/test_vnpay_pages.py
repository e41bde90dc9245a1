"""The emulated VNPAY's payment link and pages, and the IPNs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.vnpay_client import (
    attempts,
    link_params,
    open_link,
    pay,
    press,
    query,
    query_of,
    returned,
    stamp,
    verified,
)

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop


class TestPayLink:
    def test_leads_to_the_page_and_leaves_the_payment_open(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        answer = open_link(sandbox, link_params(reference))
        assert answer.status_code == 302
        page = sandbox.http.get(sandbox.url + answer.headers["Location"], timeout=10)
        assert "Sandbox – no real money" in page.text
        assert "150,000 VND" in page.text
        assert sandbox.charge(reference)["status"] == "open"

    def test_speaks_vietnamese_when_asked(self, sandbox: SandboxProcess, reference: str) -> None:
        answer = open_link(sandbox, link_params(reference, vnp_Locale="vn"))
        page = sandbox.http.get(sandbox.url + answer.headers["Location"], timeout=10)
        assert '<html lang="vi">' in page.text
        assert "Chọn phương thức thanh toán" in page.text

    def test_can_be_opened_again_while_it_is_open(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        params = link_params(reference)
        assert (
            open_link(sandbox, params).headers["Location"]
            == open_link(sandbox, params).headers["Location"]
        )
        assert sandbox.charge(reference)["status"] == "open"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"vnp_TmnCode": "OTHER001"}, "72"),
            ({"vnp_Amount": "0"}, "03"),
            ({"vnp_Amount": "15000050"}, "03"),
            ({"vnp_IpAddr": "::1"}, "03"),
            ({"vnp_CurrCode": "USD"}, "03"),
            ({"vnp_OrderInfo": "<script>"}, "03"),
            ({"vnp_BankCode": "NOBODYSBANK"}, "03"),
            ({"vnp_CreateDate": "20261399000000"}, "03"),
            ({"vnp_ExpireDate": stamp(timedelta(minutes=-1))}, "15"),
        ],
    )
    def test_is_refused_with_its_code(
        self, sandbox: SandboxProcess, reference: str, changes: dict[str, str], code: str
    ) -> None:
        answer = open_link(sandbox, link_params(reference, **changes))
        assert answer.headers["Location"] == f"/paymentv2/Payment/Error.html?code={code}"
        assert sandbox.journal(reference=reference)["charges"] == []

    def test_is_refused_when_altered(self, sandbox: SandboxProcess, reference: str) -> None:
        address = f"{sandbox.url}/paymentv2/vpcpay.html?{query_of(link_params(reference))}"
        altered = address.replace("15000000", "15000100")
        answer = sandbox.http.get(altered, allow_redirects=False, timeout=10)
        assert answer.headers["Location"].endswith("code=70")

    def test_cannot_use_a_paid_reference_again(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        params = pay(sandbox, reference)
        assert open_link(sandbox, params).headers["Location"].endswith("code=02")


class TestPayPage:
    def test_pays_in_two_steps_and_tells_the_shop_before_the_shopper_returns(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        page = open_link(sandbox, link_params(reference))
        step = press(sandbox, page, decision="next", method="VNPAYQR")
        assert 'value="VNPAYQR"' in step.text
        back = returned(press(sandbox, page, decision="approve", method="VNPAYQR", otp="123456"))
        ipn = verified(shop.ipns(reference)[0].query)
        assert ipn == back
        assert (ipn["vnp_ResponseCode"], ipn["vnp_TransactionStatus"]) == ("00", "00")
        assert (ipn["vnp_Amount"], ipn["vnp_CardType"]) == ("15000000", "QRCODE")
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == ("captured", 150_000)
        assert charge["psp_reference"] == ipn["vnp_TransactionNo"]

    @pytest.mark.parametrize(
        ("code", "shows", "bank", "card_type"),
        [
            ("VNPAYQR", "Scan this code", "VNPAY", "QRCODE"),
            ("VNBANK", '<select id="bank" name="bank">', "NCB", "ATM"),
            ("INTCARD", "Choose a test card", "VISA", "VISA"),
            ("TECHCOMBANK", "<h2>Techcombank</h2>", "TECHCOMBANK", "ATM"),
        ],
    )
    def test_opens_the_door_that_the_link_names(
        self,
        sandbox: SandboxProcess,
        reference: str,
        code: str,
        shows: str,
        bank: str,
        card_type: str,
    ) -> None:
        answer = open_link(sandbox, link_params(reference, vnp_BankCode=code))
        page = sandbox.http.get(sandbox.url + answer.headers["Location"], timeout=10)
        assert shows in page.text
        assert "How do you want to pay?" not in page.text
        back = returned(press(sandbox, answer, decision="approve"))
        assert (back["vnp_BankCode"], back["vnp_CardType"]) == (bank, card_type)

    def test_takes_nothing_by_another_door(self, sandbox: SandboxProcess, reference: str) -> None:
        page = open_link(sandbox, link_params(reference, vnp_BankCode="VNPAYQR"))
        refused = press(sandbox, page, decision="approve", method="INTCARD")
        assert refused.headers["Location"].endswith("code=03")
        assert sandbox.charge(reference)["status"] == "open"

    def test_lets_the_shopper_choose_a_bank_or_a_card(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        page = open_link(sandbox, link_params(reference))
        assert (
            '<option value="BIDV">' in press(sandbox, page, decision="next", method="VNBANK").text
        )
        nobody = press(sandbox, page, decision="approve", method="VNBANK", bank="VISA")
        assert nobody.headers["Location"].endswith("code=03")
        back = returned(press(sandbox, page, decision="approve", method="VNBANK", bank="BIDV"))
        assert (back["vnp_BankCode"], back["vnp_CardType"]) == ("BIDV", "ATM")

    def test_asks_for_the_card_and_then_for_the_code(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        page = open_link(sandbox, link_params(reference))
        chosen = {"decision": "card", "method": "VNBANK", "bank": "BIDV"}
        card = press(sandbox, page, **(chosen | {"decision": "next"})).text
        assert 'value="9704 1985 2619 1432 198"' in card
        assert 'name="otp"' not in card
        wrong = press(sandbox, page, **chosen, account="4111 1111 1111 1111").text
        assert "Only the test card" in wrong
        assert "4111" not in wrong
        code = press(sandbox, page, **chosen, account="9704198526191432198")
        assert 'name="otp"' in code.text
        assert '<input type="hidden" name="bank" value="BIDV">' in code.text
        assert (code.request.method, "account" in code.url) == ("GET", False)
        assert sandbox.charge(reference)["status"] == "open"

    @pytest.mark.parametrize(
        ("form", "response", "status", "captured"),
        [
            ({"decision": "cancel"}, "24", "cancelled", 0),
            ({"decision": "decline:51"}, "51", "declined", 0),
            ({"decision": "decline:13"}, "13", "declined", 0),
            ({"decision": "approve", "otp": "000000"}, "13", "declined", 0),
            ({"decision": "decline:07"}, "07", "review", 150_000),
        ],
    )
    def test_ends_as_the_shopper_decides(
        self,
        sandbox: SandboxProcess,
        reference: str,
        form: dict[str, str],
        response: str,
        status: str,
        captured: int,
    ) -> None:
        back = returned(press(sandbox, open_link(sandbox, link_params(reference)), **form))
        assert back["vnp_ResponseCode"] == response
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == (status, captured)

    def test_names_no_bank_when_the_shopper_leaves_before_choosing_one(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision="cancel")
        back = returned(open_link(sandbox, link_params(reference)))
        assert (back["vnp_BankCode"], back["vnp_CardType"]) == ("VNPAY", "QRCODE")
        assert "vnp_BankTranNo" not in back

    def test_names_the_bank_when_the_shopper_leaves_it(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        page = open_link(sandbox, link_params(reference, vnp_BankCode="NCB"))
        back = returned(press(sandbox, page, decision="cancel"))
        assert (back["vnp_BankCode"], back["vnp_CardType"]) == ("NCB", "ATM")
        assert back["vnp_BankTranNo"].startswith("VNP")

    def test_tells_nobody_when_the_shopper_walks_away(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        page = press(sandbox, open_link(sandbox, link_params(reference)), decision="abandon")
        assert "walked away" in page.text
        assert shop.ipns(reference) == []
        assert sandbox.charge(reference)["status"] == "open"

    def test_takes_only_the_first_decision(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        page = open_link(sandbox, link_params(reference))
        press(sandbox, page, decision="approve")
        assert returned(press(sandbox, page, decision="cancel"))["vnp_ResponseCode"] == "00"
        assert len(shop.ipns(reference)) == 1

    def test_does_not_hold_the_shopper_for_a_slow_shop(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", webhook={"delay_ms": 5000})
        page, started = open_link(sandbox, link_params(reference)), time.monotonic()
        returned(press(sandbox, page, decision="approve"))
        assert time.monotonic() - started < 2.0

    def test_expires_with_the_link(self, sandbox: SandboxProcess, reference: str) -> None:
        page = open_link(sandbox, link_params(reference))
        sandbox.control("clock", advance_s=16 * 60)
        answer = press(sandbox, page, decision="approve")
        assert answer.headers["Location"].endswith("code=15")
        assert sandbox.charge(reference)["status"] == "expired"

    def test_decides_magic_amounts_by_itself(self, sandbox: SandboxProcess, reference: str) -> None:
        back = returned(open_link(sandbox, link_params(reference, 150_951)))
        assert back["vnp_ResponseCode"] == "51"


class TestAutomaticDecision:
    @pytest.mark.parametrize(
        ("decision", "response"),
        [("approve", "00"), ("cancel", "24"), ("decline:65", "65"), ("decline:what", "99"),
         ("decline:insufficient_funds", "51")],
    )  # fmt: skip
    def test_sends_the_shopper_straight_back(
        self, sandbox: SandboxProcess, reference: str, decision: str, response: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision=decision)
        back = returned(open_link(sandbox, link_params(reference)))
        assert back["vnp_ResponseCode"] == response

    def test_can_end_as_a_payment_that_was_called_off_after_the_bank_had_paid(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision="decline:reversed")
        params = link_params(reference)
        back = returned(open_link(sandbox, params))
        words = (back["vnp_ResponseCode"], back["vnp_TransactionStatus"])
        assert words == ("99", "04")
        assert query(sandbox, params)["vnp_TransactionStatus"] == "04"
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == ("review", 0)

    def test_leaves_a_pending_payment_for_a_later_word(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision="pending")
        params = link_params(reference)
        page = open_link(sandbox, params)
        sandbox.http.get(sandbox.url + page.headers["Location"], timeout=10)
        assert sandbox.charge(reference)["status"] == "pending"
        assert query(sandbox, params)["vnp_TransactionStatus"] == "01"
        sandbox.control("decide", gateway="vnpay", reference=reference, decision="approve")
        attempts(sandbox, reference, 1)
        assert query(sandbox, params)["vnp_TransactionStatus"] == "00"


class TestIpn:
    def test_is_repeated_every_five_minutes_ten_times_at_most(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        own_shop.answer = (200, b'{"RspCode":"99","Message":"later"}')
        pay(own_sandbox, reference)
        attempts(own_sandbox, reference, 1)
        own_sandbox.control("clock", advance_s=299)
        time.sleep(0.2)
        assert len(own_shop.ipns(reference)) == 1
        own_sandbox.control("clock", advance_s=2)
        attempts(own_sandbox, reference, 2)
        own_sandbox.control("clock", advance_s=86_400)
        attempts(own_sandbox, reference, 10)
        time.sleep(0.2)
        assert len(own_shop.ipns(reference)) == 10

    @pytest.mark.parametrize("code", [b"00", b"02"])
    def test_stops_when_the_shop_has_it(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str, code: bytes
    ) -> None:
        own_shop.answers[:] = [(500, b""), (200, b'{"RspCode":"' + code + b'","Message":""}')]
        pay(own_sandbox, reference)
        attempts(own_sandbox, reference, 1)
        own_sandbox.control("clock", advance_s=86_400)
        tried = attempts(own_sandbox, reference, 2)
        time.sleep(0.2)
        assert [attempt["status"] for attempt in tried] == [500, 200]
        assert len(own_shop.ipns(reference)) == 2

    def test_comes_after_the_shopper_when_reversed(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", webhook={"order": "reversed"})
        pay(sandbox, reference)
        assert shop.ipns(reference) == []
        attempts(sandbox, reference, 1)
