"""The emulated MoMo's pages, what decides in a shopper's place, and the IPNs."""

from __future__ import annotations

import re
from functools import partial
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.momo_client import (
    RESULT,
    about,
    any_ipn,
    create,
    ipn,
    over,
    paid,
    press,
    query,
    returned,
    sign,
)
from tests.sandbox.sandbox_process import SandboxProcess, eventually

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import Shop

pytestmark = pytest.mark.usefixtures("acknowledging_shop")


class TestPages:
    def test_show_a_code_an_app_link_and_a_way_out(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        page = sandbox.http.get(create(sandbox, reference)["payUrl"], timeout=10)
        assert "Sandbox – no real money" in page.text
        assert "150,000 VND" in page.text
        assert "<svg" in page.text
        assert "<script" not in page.text
        assert page.headers["Refresh"] == "10"
        links = [unescape(link) for link in re.findall(r'href="([^"]+)"', page.text)]
        assert [link.rpartition("from=")[2] for link in links] == ["app", "web"]

    def test_speak_vietnamese_when_asked(self, sandbox: SandboxProcess, reference: str) -> None:
        page = sandbox.http.get(create(sandbox, reference, lang="vi")["payUrl"], timeout=10)
        assert '<html lang="vi">' in page.text
        assert "Quét mã này bằng ứng dụng MoMo" in page.text

    def test_open_for_nobody_who_made_up_the_link(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        url = create(sandbox, reference)["payUrl"]
        for bad in (url[:-1] + ("0" if url[-1] != "0" else "1"), url.replace("?t=", "?t=A")):
            assert sandbox.http.get(bad, timeout=10).status_code == 404

    @pytest.mark.parametrize(("link", "pay_type"), [("deeplink", "app"), ("qrCodeUrl", "qr")])
    def test_pay_in_the_app(
        self, sandbox: SandboxProcess, shop: Shop, reference: str, link: str, pay_type: str
    ) -> None:
        url = create(sandbox, reference)[link]
        assert "Wallet PIN" in sandbox.http.get(url, timeout=10).text
        back = returned(press(sandbox, url, decision="approve", method=pay_type, code="000000"))
        told = ipn(shop, reference)
        assert {name: str(value) for name, value in told.items()} == back
        assert (told["resultCode"], told["payType"], told["amount"]) == (0, pay_type, 150_000)
        assert told["message"] == "Successful."
        assert type(told["transId"]) is type(told["responseTime"]) is int
        asked = query(sandbox, reference)
        assert (asked["resultCode"], asked["transId"]) == (0, told["transId"])
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == ("captured", 150_000)
        assert charge["psp_reference"] == str(told["transId"])

    @pytest.mark.parametrize(
        ("decision", "code", "status"),
        [
            ("cancel", 1006, "cancelled"),
            ("decline:1001", 1001, "declined"),
            ("decline:1002", 1002, "declined"),
            ("decline:1005", 1005, "expired"),
        ],
    )
    def test_say_no_in_momo_s_way(
        self,
        sandbox: SandboxProcess,
        shop: Shop,
        reference: str,
        decision: str,
        code: int,
        status: str,
    ) -> None:
        url = create(sandbox, reference, lang="vi")["payUrl"]
        back = returned(press(sandbox, url, decision=decision, method="web"))
        told = ipn(shop, reference)
        assert back["resultCode"] == str(told["resultCode"]) == str(code)
        # On a refusal the number is a clock's value.
        assert len(str(told["transId"])) == 13
        if code == 1006:
            assert told["payType"] == ""
            assert told["message"] == "Giao dịch bị từ chối bởi người dùng."
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == (status, 0)

    def test_refuse_a_wrong_pin(self, sandbox: SandboxProcess, reference: str) -> None:
        url = create(sandbox, reference)["deeplink"]
        back = returned(press(sandbox, url, decision="approve", method="app", code="123456"))
        assert back["resultCode"] == "4100"

    def test_leave_everything_open_when_the_shopper_walks_away(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        url = create(sandbox, reference)["payUrl"]
        assert "walked away" in press(sandbox, url, decision="abandon", method="web").text
        assert query(sandbox, reference)["resultCode"] == 1000
        assert about(shop, reference) == []

    def test_pay_by_atm_card_and_code(self, sandbox: SandboxProcess, reference: str) -> None:
        url = create(sandbox, reference, requestType="payWithATM")["payUrl"]
        assert "NAPAS •••• 0018" in sandbox.http.get(url, timeout=10).text
        step = press(sandbox, url, decision="card", method="atm", card="atm_ok")
        assert "One-time code" in step.text
        back = returned(press(sandbox, url, decision="approve", method="atm", code="OTP"))
        assert (back["resultCode"], back["payType"]) == ("0", "napas")

    @pytest.mark.parametrize(
        ("kind", "method", "card", "code"),
        [
            ("payWithATM", "atm", "atm_poor", "1001"),
            ("payWithATM", "atm", "atm_locked", "1007"),
            ("payWithCC", "card", "card_fails", "1002"),
            ("payWithCC", "card", "card_direct", "0"),
        ],
    )
    def test_answer_as_the_test_card_does(
        self, sandbox: SandboxProcess, reference: str, kind: str, method: str, card: str, code: str
    ) -> None:
        url = create(sandbox, reference, requestType=kind)["payUrl"]
        back = returned(press(sandbox, url, decision="card", method=method, card=card))
        assert back["resultCode"] == code

    def test_let_the_shopper_choose_the_way(self, sandbox: SandboxProcess, reference: str) -> None:
        url = create(sandbox, reference, requestType="payWithMethod")["payUrl"]
        assert "International card" in sandbox.http.get(url, timeout=10).text
        assert "Visa •••• 1111" in press(sandbox, url, decision="method", method="card").text
        assert "<svg" in press(sandbox, url, decision="method", method="wallet").text
        code = press(sandbox, url, decision="card", method="card", card="card_ok")
        assert 'name="code"' in code.text
        assert code.request.method == "GET"

    @pytest.mark.parametrize(
        ("dong", "auto_capture", "atm", "card"),
        [
            (150_000, True, True, True),
            (9_999, True, False, True),
            (10_000_001, True, True, False),
            (150_000, False, False, True),
        ],
    )
    def test_offer_only_what_takes_the_payment(
        self,
        sandbox: SandboxProcess,
        reference: str,
        dong: int,
        *,
        auto_capture: bool,
        atm: bool,
        card: bool,
    ) -> None:
        url = create(
            sandbox, reference, dong, requestType="payWithMethod", autoCapture=auto_capture
        )["payUrl"]
        text = sandbox.http.get(url, timeout=10).text
        assert ('value="atm"' in text, 'value="card"' in text) == (atm, card)
        assert 'value="wallet"' in text

    @pytest.mark.parametrize(
        ("kind", "method"),
        [("captureWallet", "atm"), ("payWithATM", "card"), ("payWithCC", "app")],
    )
    def test_take_nothing_by_another_door(
        self, sandbox: SandboxProcess, reference: str, kind: str, method: str
    ) -> None:
        url = create(sandbox, reference, requestType=kind)["payUrl"]
        assert press(sandbox, url, decision="approve", method=method).status_code == 200
        assert sandbox.charge(reference)["status"] == "open"

    @pytest.mark.parametrize(("decision", "code"), [("approve", 0), ("decline:1002", 1002)])
    def test_wait_for_a_slow_bank(
        self, sandbox: SandboxProcess, shop: Shop, reference: str, decision: str, code: int
    ) -> None:
        shop.answer = (204, b"")
        url = create(sandbox, reference)["deeplink"]
        back = returned(press(sandbox, url, decision=f"slow:{decision}", method="app"))
        assert back["resultCode"] == "7002"
        assert about(shop, reference) == []
        sandbox.control("clock", advance_s=61)
        assert ipn(shop, reference)["resultCode"] == code

    def test_end_with_the_link(self, sandbox: SandboxProcess, shop: Shop, reference: str) -> None:
        url = create(sandbox, reference)["payUrl"]
        sandbox.control("clock", advance_s=15 * 60 + 1)
        assert sandbox.http.get(url, timeout=10).status_code == 410
        assert press(sandbox, url, decision="approve", method="web").status_code == 410
        assert query(sandbox, reference)["resultCode"] == 1005
        assert sandbox.charge(reference)["status"] == "expired"
        assert about(shop, reference) == []


class TestRules:
    @pytest.mark.parametrize(
        ("decision", "code"),
        [
            ("approve", 0),
            ("cancel", 1006),
            ("decline:insufficient_funds", 1001),
            ("decline:1004", 1004),
            ("decline:98", 98),
            ("decline:1017", 1017),
            ("decline:4002", 4002),
            ("decline:whatever", 1002),
            ("pending", 7002),
        ],
    )
    def test_decide_without_anybody(
        self, sandbox: SandboxProcess, reference: str, decision: str, code: int
    ) -> None:
        sandbox.behaviour(gateway="momo", reference=reference, decision=decision)
        url = create(sandbox, reference)["payUrl"]
        page = sandbox.http.get(url, allow_redirects=False, timeout=10)
        assert returned(page)["resultCode"] == str(code)

    def test_leave_a_payment_to_the_bank_until_somebody_decides(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="momo", reference=reference, decision="pending")
        create(sandbox, reference)
        eventually(lambda: over(sandbox, reference), "the decision")
        assert sandbox.charge(reference)["status"] == "pending"
        sandbox.control("decide", gateway="momo", reference=reference, decision="approve")
        assert ipn(shop, reference)["resultCode"] == 0

    @pytest.mark.parametrize(("dong", "code"), [(21_001, 1001), (21_006, 1006), (27_002, 7002)])
    def test_are_beaten_by_a_magic_amount(
        self, sandbox: SandboxProcess, reference: str, dong: int, code: int
    ) -> None:
        sandbox.behaviour(gateway="momo", decision="approve")
        create(sandbox, reference, dong)
        found = eventually(lambda: over(sandbox, reference), "the decision")
        assert found["resultCode"] == code

    @pytest.mark.parametrize(
        ("corrupt", "lie"),
        [("amount", {"amount": 151_000}), ("account", {"partnerCode": "MOMOOTHER"})],
    )
    def test_lie_under_a_good_signature(
        self, sandbox: SandboxProcess, shop: Shop, reference: str, corrupt: str, lie: dict[str, Any]
    ) -> None:
        sandbox.behaviour(
            gateway="momo", reference=reference, decision="approve", webhook={"corrupt": corrupt}
        )
        create(sandbox, reference)
        told = ipn(shop, reference)
        assert lie.items() <= told.items()

    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_break_the_signature(
        self, sandbox: SandboxProcess, shop: Shop, reference: str, corrupt: str
    ) -> None:
        sandbox.behaviour(
            gateway="momo", reference=reference, decision="approve", webhook={"corrupt": corrupt}
        )
        create(sandbox, reference)
        told = any_ipn(shop, reference)
        assert told["signature"] != sign(RESULT, told)


class TestIpn:
    def test_is_sent_again_until_it_is_answered_by_204(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        own_shop.answers = [(200, b"{}"), (500, b"")]
        own_shop.answer = (204, b"")
        paid(own_sandbox, reference)
        eventually(lambda: len(about(own_shop, reference)) == 1, "the first IPN")
        for wait_s, count in ((31, 2), (301, 3), (901, 3)):
            own_sandbox.control("clock", advance_s=wait_s)
            eventually(partial(heard_times, own_shop, reference, count), "the IPN")
        (delivery,) = own_sandbox.journal(reference=reference)["webhooks"]
        assert [each["status"] for each in delivery["attempts"]] == [200, 500, 204]

    def test_comes_in_copies_and_after_a_resend(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(
            gateway="momo", reference=reference, decision="approve", webhook={"copies": 3}
        )
        create(sandbox, reference)
        eventually(lambda: len(about(shop, reference)) == 3, "three copies")
        sandbox.control("webhooks/resend", gateway="momo", reference=reference)
        assert len(about(shop, reference)) == 4


def heard_times(shop: Shop, reference: str, count: int) -> bool:
    return len(about(shop, reference)) == count
