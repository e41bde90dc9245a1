"""Create at the emulated MoMo: answers, request ids, faults and restarts."""

from __future__ import annotations

import signal
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.momo_client import (
    SIGNED,
    create,
    create_body,
    ipn,
    paid,
    query,
    read_trans_id,
    refund,
    refund_body,
    send,
    sign,
)
from tests.sandbox.sandbox_process import SandboxProcess, eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.sandbox_process import Shop

pytestmark = pytest.mark.usefixtures("acknowledging_shop")


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
        assert refund(sandbox, read_trans_id(payment), 5_000, requestId=known)["resultCode"] == 40
        assert sandbox.charge(reference)["refunded"] == 0

    def test_leaves_the_order_id_taken(self, sandbox: SandboxProcess, reference: str) -> None:
        create(sandbox, reference)
        assert send(sandbox, "create", create_body(reference)).json()["resultCode"] == 41

    def test_moves_money_once_when_many_ask_at_once(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        payment = paid(sandbox, reference)
        body = refund_body(read_trans_id(payment), 5_000)

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


def unheard(sandbox: SandboxProcess, body: dict[str, Any]) -> None:
    try:
        answer = send(sandbox, "create", body, timeout_s=0.5)
    except requests.RequestException:
        return
    assert answer.status_code == 500 or not answer.text.startswith("{"), answer.text


def heard(sandbox: SandboxProcess, body: dict[str, Any]) -> Any:
    answer = send(sandbox, "create", body)
    return answer.json() if answer.status_code == 201 else None


class TestRestart:
    def test_keeps_payments_decisions_and_request_ids(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        own_shop.answer = (204, b"")
        own_sandbox.behaviour(
            gateway="momo", reference=reference, decision="approve", decide_after_ms=3000
        )
        body = create_body(reference)
        first = send(own_sandbox, "create", body).json()
        own_sandbox.end(signal.SIGKILL)
        own_sandbox.start()
        assert send(own_sandbox, "create", body).json() == first
        own_sandbox.control("clock", advance_s=4)
        assert ipn(own_shop, reference)["resultCode"] == 0
        assert own_sandbox.charge(reference)["captured"] == 150_000
