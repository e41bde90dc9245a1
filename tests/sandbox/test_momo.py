"""MoMo from the shop's side: create, pages, IPN, query, refund, confirm."""

from __future__ import annotations

import re
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.momo_shop import (
    PARTNER,
    RESULT,
    SIGNED,
    about,
    any_ipn,
    confirm,
    create,
    create_body,
    ipn,
    over,
    paid,
    press,
    query,
    refund,
    refund_body,
    returned,
    send,
    sign,
)
from tests.sandbox.sandbox_process import SandboxProcess, eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.sandbox_process import Shop


@pytest.fixture(autouse=True)
def _taken(shop: Shop) -> None:
    shop.answer = (204, b"")


def trans_id(payment: Any) -> int:
    number = payment["transId"]
    assert isinstance(number, int)
    return number


class TestCreate:
    def test_gives_links_and_leaves_the_payment_open(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        answer = create(sandbox, reference)
        assert answer["amount"] == 150_000
        assert answer["message"] == "Successful."
        assert "signature" not in answer
        for name in ("payUrl", "deeplink", "qrCodeUrl"):
            assert sandbox.http.get(answer[name], timeout=10).status_code == 200
        assert sandbox.charge(reference)["status"] == "open"
        assert query(sandbox, reference)["resultCode"] == 1000

    @pytest.mark.parametrize("request_type", ["payWithATM", "payWithCC"])
    def test_gives_cards_a_page_only(
        self, sandbox: SandboxProcess, reference: str, request_type: str
    ) -> None:
        answer = create(sandbox, reference, requestType=request_type)
        assert "payUrl" in answer
        assert not {"deeplink", "qrCodeUrl"} & set(answer)

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"partnerCode": "OTHER"}, 11),
            ({"amount": "12.5"}, 21),
            ({"amount": -5}, 21),
            ({"amount": True}, 21),
            ({"amount": 999}, 22),
            ({"amount": 50_000_001}, 22),
            ({"amount": 9_999, "requestType": "payWithATM"}, 22),
            ({"amount": 10_000_001, "requestType": "payWithCC"}, 22),
            ({"orderId": "-no"}, 20),
            ({"orderId": "a" * 201}, 20),
            ({"orderInfo": ""}, 20),
            ({"requestType": "linkWallet"}, 20),
            ({"redirectUrl": "javascript:1"}, 20),
            ({"ipnUrl": "https://shop.example.vn/momo ipn"}, 20),
            ({"ipnUrl": "https://cửahàng.example.vn/ipn"}, 20),
            ({"lang": "fr"}, 20),
            ({"autoCapture": "no"}, 20),
            ({"autoCapture": False, "requestType": "payWithATM"}, 47),
        ],
    )
    def test_refuses_what_is_malformed(
        self, sandbox: SandboxProcess, reference: str, changes: dict[str, Any], code: int
    ) -> None:
        answer = send(sandbox, "create", create_body(reference, **changes))
        assert (answer.status_code, answer.json()["resultCode"]) == (400, code)
        assert sandbox.journal(reference=reference)["charges"] == []

    def test_refuses_a_wrong_signature(self, sandbox: SandboxProcess, reference: str) -> None:
        body = {**create_body(reference), "signature": "0" * 64}
        answer = sandbox.http.post(f"{sandbox.url}/v2/gateway/api/create", json=body, timeout=10)
        assert answer.json()["resultCode"] == 13
        assert sandbox.journal(reference=reference)["charges"] == []

    def test_takes_json_only(self, sandbox: SandboxProcess, reference: str) -> None:
        url = f"{sandbox.url}/v2/gateway/api/create"
        assert sandbox.http.post(url, data=create_body(reference), timeout=10).status_code == 415

    def test_signs_its_answer_when_switched_on(
        self, shop: Shop, tmp_path: Path, reference: str
    ) -> None:
        form = {"SANDBOX_MOMO_SIGN_ANSWERS": "long"}
        signing = SandboxProcess(
            tmp_path, f"http://127.0.0.1:{shop.port}/webhooks", more_env=form
        ).start()
        try:
            answer = create(signing, reference)
        finally:
            signing.end()
        names = ["amount", "message", "orderId", "partnerCode", "payUrl", "requestId"]
        assert answer["signature"] == sign([*names, "responseTime", "resultCode"], answer)


class TestRequestId:
    def test_gives_the_same_link_again(self, sandbox: SandboxProcess, reference: str) -> None:
        body = create_body(reference)
        first, again = (send(sandbox, "create", body) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 201)
        assert first.json() == again.json()

    def test_is_used_up_by_a_code_that_is_not_final(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        body = create_body(reference, 999)
        codes = [send(sandbox, "create", body).json()["resultCode"] for _ in range(2)]
        assert codes == [22, 40]

    def test_cannot_be_used_for_something_else(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        payment = paid(sandbox, reference, requestId=(known := uuid.uuid4().hex))
        assert refund(sandbox, trans_id(payment), 5_000, requestId=known)["resultCode"] == 40
        assert sandbox.charge(reference)["refunded"] == 0

    def test_leaves_the_order_id_taken(self, sandbox: SandboxProcess, reference: str) -> None:
        create(sandbox, reference)
        assert send(sandbox, "create", create_body(reference)).json()["resultCode"] == 41

    def test_moves_money_once_when_many_ask_at_once(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        payment = paid(sandbox, reference)
        body = refund_body(trans_id(payment), 5_000)

        def ask(_: int) -> tuple[int, int]:
            with requests.Session() as http:
                signed = send_with(http, sandbox, body)
                return signed.status_code, signed.json()["resultCode"]

        with ThreadPoolExecutor(16) as threads:
            answers = set(threads.map(ask, range(32)))
        assert answers <= {(200, 0), (201, 0), (422, 7000)}
        assert sandbox.charge(reference)["refunded"] == 5_000

    def test_is_forgotten_after_a_month(self, sandbox: SandboxProcess, reference: str) -> None:
        body = create_body(reference)
        send(sandbox, "create", body)
        sandbox.control("clock", advance_s=31 * 24 * 3600 + 1)
        assert send(sandbox, "create", body).json()["resultCode"] == 41


def send_with(
    http: requests.Session, sandbox: SandboxProcess, body: dict[str, Any]
) -> requests.Response:
    signed = {**body, "signature": sign(SIGNED["refund"], body)}
    return http.post(f"{sandbox.url}/v2/gateway/api/refund", json=signed, timeout=10)


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
        self, own_player: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        own_shop.answers = [(200, b"{}"), (500, b"")]
        own_shop.answer = (204, b"")
        paid(own_player, reference)
        eventually(lambda: len(about(own_shop, reference)) == 1, "the first IPN")
        for wait_s, count in ((31, 2), (301, 3), (901, 3)):
            own_player.control("clock", advance_s=wait_s)
            eventually(partial(heard_times, own_shop, reference, count), "the IPN")
        (delivery,) = own_player.journal(reference=reference)["webhooks"]
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


class TestRefund:
    def test_gives_a_part_and_then_the_rest_back(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        number = trans_id(paid(sandbox, reference))
        first, rest = refund(sandbox, number, 50_000), refund(sandbox, number, 100_000)
        assert (first["resultCode"], rest["resultCode"]) == (0, 0)
        assert len({number, first["transId"], rest["transId"]}) == 3
        listed = query(sandbox, reference)["refundTrans"]
        assert [(each["amount"], each["resultCode"]) for each in listed] == [
            (50_000, 0),
            (100_000, 0),
        ]
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["refunded"]) == ("refunded", 150_000)
        assert refund(sandbox, number, 1_000)["resultCode"] == 1081

    def test_needs_an_order_id_of_its_own(self, sandbox: SandboxProcess, reference: str) -> None:
        number = trans_id(paid(sandbox, reference))
        assert refund(sandbox, number, 5_000, orderId=reference)["resultCode"] == 41
        assert sandbox.charge(reference)["refunded"] == 0

    @pytest.mark.parametrize(("dong", "code"), [(999, 22), (150_001, 1081)])
    def test_keeps_to_its_bounds(
        self, sandbox: SandboxProcess, reference: str, dong: int, code: int
    ) -> None:
        number = trans_id(paid(sandbox, reference))
        assert refund(sandbox, number, dong)["resultCode"] == code
        assert sandbox.charge(reference)["refunded"] == 0

    def test_has_a_higher_floor_for_atm_cards(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        number = trans_id(paid(sandbox, reference, requestType="payWithATM"))
        assert refund(sandbox, number, 9_000)["resultCode"] == 22
        assert refund(sandbox, number, 10_000)["resultCode"] == 0

    def test_is_unknown_for_a_number_nobody_gave(self, sandbox: SandboxProcess) -> None:
        assert refund(sandbox, 1, 5_000)["resultCode"] == 42

    def test_is_the_same_refund_under_the_same_request_id(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        body = refund_body(trans_id(paid(sandbox, reference)), 5_000)
        first, again = (send(sandbox, "refund", body).json() for _ in range(2))
        assert first == again
        assert sandbox.charge(reference)["refunded"] == 5_000

    def test_fails_for_now_and_works_as_a_new_one(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        number = trans_id(paid(sandbox, reference))
        assert refund(sandbox, number, 11_080)["resultCode"] == 1080
        assert sandbox.charge(reference)["refunded"] == 0
        sandbox.behaviour(gateway="momo", reference=reference, decision="decline:1080")
        assert refund(sandbox, number, 5_000)["resultCode"] == 1080
        sandbox.behaviour(gateway="momo", reference=reference)
        assert refund(sandbox, number, 5_000)["resultCode"] == 0

    def test_may_take_a_minute(self, sandbox: SandboxProcess, reference: str) -> None:
        number = trans_id(paid(sandbox, reference))
        body = refund_body(number, 17_002)
        assert send(sandbox, "refund", body).json()["resultCode"] == 7002
        asked = {**body, "requestId": uuid.uuid4().hex}
        assert send(sandbox, "refund/query", asked).json()["resultCode"] == 7002
        # The repeat of a request that is not final must not move money twice.
        assert send(sandbox, "refund", body).json()["resultCode"] == 40
        sandbox.control("clock", advance_s=61)
        found = send(sandbox, "refund/query", asked).json()
        (entry,) = found["refundTrans"]
        assert (entry["orderId"], entry["amount"], entry["resultCode"]) == (
            body["orderId"],
            17_002,
            0,
        )
        assert sandbox.charge(reference)["refunded"] == 17_002

    def test_is_unknown_to_a_query_before_it_was_made(self, sandbox: SandboxProcess) -> None:
        body = {"partnerCode": PARTNER, "requestId": uuid.uuid4().hex, "orderId": "r-1"}
        assert send(sandbox, "refund/query", body).json()["resultCode"] == 42


class TestConfirm:
    def hold(self, sandbox: SandboxProcess, reference: str) -> None:
        assert paid(sandbox, reference, autoCapture=False)["resultCode"] == 9000
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == ("authorized", 0)

    def test_takes_what_was_held(self, sandbox: SandboxProcess, reference: str) -> None:
        self.hold(sandbox, reference)
        assert confirm(sandbox, reference, 150_000, "capture")["resultCode"] == 0
        assert query(sandbox, reference)["resultCode"] == 0
        assert sandbox.charge(reference)["captured"] == 150_000
        assert confirm(sandbox, reference, 150_000, "cancel")["resultCode"] == 47

    def test_lets_the_money_go(self, sandbox: SandboxProcess, reference: str) -> None:
        self.hold(sandbox, reference)
        assert confirm(sandbox, reference, 150_000, "cancel")["resultCode"] == 0
        assert query(sandbox, reference)["resultCode"] == 1003
        assert sandbox.charge(reference)["status"] == "voided"
        assert confirm(sandbox, reference, 150_000, "capture")["resultCode"] == 47

    def test_takes_the_whole_amount_only(self, sandbox: SandboxProcess, reference: str) -> None:
        self.hold(sandbox, reference)
        assert confirm(sandbox, reference, 50_000, "capture")["resultCode"] == 22
        assert sandbox.charge(reference)["captured"] == 0

    def test_comes_too_late_after_a_month(self, sandbox: SandboxProcess, reference: str) -> None:
        self.hold(sandbox, reference)
        sandbox.control("clock", advance_s=31 * 24 * 3600)
        assert query(sandbox, reference)["resultCode"] == 1003

    def test_comes_before_any_refund(self, sandbox: SandboxProcess, reference: str) -> None:
        self.hold(sandbox, reference)
        number = trans_id(query(sandbox, reference))
        assert refund(sandbox, number, 5_000)["resultCode"] == 1088


class TestFaults:
    @pytest.mark.parametrize("fault", ["refuse", "timeout_before", "http_500", "garbage"])
    def test_before_do_nothing(self, sandbox: SandboxProcess, reference: str, fault: str) -> None:
        sandbox.behaviour(gateway="momo", reference=reference, api={"fault": fault})
        body = create_body(reference)
        unheard(sandbox, body)
        assert sandbox.journal(reference=reference)["charges"] == []
        sandbox.behaviour(gateway="momo", reference=reference)
        assert send(sandbox, "create", body).status_code == 200

    @pytest.mark.parametrize(
        "fault", ["timeout_after", "reset_after", "cut_body", "http_500_after"]
    )
    def test_after_are_done_and_the_repeat_hears_it(
        self, sandbox: SandboxProcess, reference: str, fault: str
    ) -> None:
        sandbox.behaviour(gateway="momo", reference=reference, api={"fault": fault})
        body = create_body(reference)
        unheard(sandbox, body)
        assert sandbox.charge(reference)["status"] == "open"
        again = eventually(lambda: heard(sandbox, body), "an answer")
        assert (again["resultCode"], again["orderId"]) == (0, reference)


def heard_times(shop: Shop, reference: str, count: int) -> bool:
    return len(about(shop, reference)) == count


def unheard(sandbox: SandboxProcess, body: dict[str, Any]) -> None:
    try:
        answer = send(sandbox, "create", body, timeout_s=0.5)
    except requests.RequestException:
        return
    assert answer.status_code == 500 or not answer.text.startswith("{"), answer.text


def heard(sandbox: SandboxProcess, body: dict[str, Any]) -> Any:
    answer = send(sandbox, "create", body)
    return answer.json() if answer.status_code == 201 else None


class TestSettlement:
    def test_lists_payments_and_refunds_of_a_day(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        payment = paid(sandbox, reference)
        refund(sandbox, trans_id(payment), 50_000)
        at = sandbox.charge(reference)["captured_at"]
        day = datetime.fromisoformat(at).astimezone(timezone(timedelta(hours=7))).date()
        report = sandbox.http.get(
            f"{sandbox.url}/control/settlement",
            params={"gateway": "momo", "date": day.isoformat()},
            timeout=10,
        ).json()
        lines = [each for each in report["lines"] if each["reference"] == reference]
        assert [(each["type"], each["gross"], each["fee"]) for each in lines] == [
            ("payment", 150_000, 2_250),
            ("refund", -50_000, 0),
        ]


class TestRestart:
    def test_keeps_payments_decisions_and_request_ids(
        self, own_player: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        own_shop.answer = (204, b"")
        own_player.behaviour(
            gateway="momo", reference=reference, decision="approve", decide_after_ms=3000
        )
        body = create_body(reference)
        first = send(own_player, "create", body).json()
        own_player.end(signal.SIGKILL)
        own_player.start()
        assert send(own_player, "create", body).json() == first
        own_player.control("clock", advance_s=4)
        assert ipn(own_shop, reference)["resultCode"] == 0
        assert own_player.charge(reference)["captured"] == 150_000
