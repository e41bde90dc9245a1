"""The emulated VNPAY's merchant API: query and refund."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.vnpay_client import (
    link_params,
    open_link,
    pay,
    press,
    query,
    refund,
    request_body,
    returned,
    send,
)

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess


class TestQuery:
    def test_reports_the_payment_with_its_original_text(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        params = pay(sandbox, reference)
        answer = query(sandbox, params)
        assert (answer["vnp_ResponseCode"], answer["vnp_TransactionStatus"]) == ("00", "00")
        assert answer["vnp_OrderInfo"] == "Thanh toan don hang 1"
        assert answer["vnp_Amount"] == "15000000"
        assert all(isinstance(value, str) for value in answer.values())

    def test_does_not_know_a_link_that_nobody_opened(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        assert query(sandbox, link_params(reference))["vnp_ResponseCode"] == "91"

    def test_reports_an_open_payment_as_not_completed(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        params = link_params(reference)
        open_link(sandbox, params)
        assert query(sandbox, params)["vnp_TransactionStatus"] == "01"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [({"vnp_TransactionDate": "20200101000000"}, "91"), ({"vnp_TmnCode": "OTHER001"}, "02"),
         ({"vnp_RequestId": "-"}, "03")],
    )  # fmt: skip
    def test_refuses_with_its_code(
        self, sandbox: SandboxProcess, reference: str, changes: dict[str, str], code: str
    ) -> None:
        params = pay(sandbox, reference)
        assert query(sandbox, params, **changes)["vnp_ResponseCode"] == code

    def test_refuses_a_wrong_signature_and_a_used_request(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        body = request_body("querydr", pay(sandbox, reference))
        forged = body | {"vnp_SecureHash": "0" * 128}
        assert send(sandbox, forged)["vnp_ResponseCode"] == "97"
        assert send(sandbox, body)["vnp_ResponseCode"] == "00"
        assert send(sandbox, body)["vnp_ResponseCode"] == "94"

    def test_turns_a_caller_without_a_user_agent_away(self, sandbox: SandboxProcess) -> None:
        caller = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
        caller.request("POST", "/merchant_webapi/api/transaction", b"{}")
        answer = caller.getresponse()
        assert answer.status == 403
        assert answer.headers["Content-Type"].startswith("text/html")
        caller.close()


class TestRefund:
    def test_gives_everything_back_once(self, sandbox: SandboxProcess, reference: str) -> None:
        params = pay(sandbox, reference)
        answer = refund(sandbox, params)
        assert (answer["vnp_ResponseCode"], answer["vnp_TransactionStatus"]) == ("00", "05")
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["refunded"]) == ("refunded", 150_000)
        assert refund(sandbox, params)["vnp_ResponseCode"] == "04"
        assert sandbox.journal(reference=reference)["refunds"][0]["amount"] == 150_000

    def test_gives_parts_back_up_to_the_payment(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        params = pay(sandbox, reference)
        part = {"vnp_TransactionType": "03", "vnp_Amount": "10000000"}
        assert refund(sandbox, params, **part)["vnp_ResponseCode"] == "00"
        assert refund(sandbox, params, **part)["vnp_ResponseCode"] == "93"
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["refunded"]) == ("captured", 100_000)

    def test_is_not_done_twice_under_one_request_id(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        body = request_body(
            "refund", pay(sandbox, reference), vnp_TransactionType="03", vnp_Amount="1000000"
        )
        assert send(sandbox, body)["vnp_ResponseCode"] == "00"
        assert send(sandbox, body)["vnp_ResponseCode"] == "94"
        assert sandbox.charge(reference)["refunded"] == 10_000

    def test_refuses_an_unpaid_payment_and_a_wrong_full_amount(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        params = link_params(reference)
        page = open_link(sandbox, params)
        assert refund(sandbox, params)["vnp_ResponseCode"] == "95"
        press(sandbox, page, decision="approve")
        assert refund(sandbox, params, vnp_Amount="100")["vnp_ResponseCode"] == "93"
        assert sandbox.charge(reference)["refunded"] == 0

    @pytest.mark.parametrize(
        ("word", "code"),
        [
            ("refund_partial_only", "13"),
            ("refund_in_progress", "94"),
            ("refund_not_possible", "95"),
            ("refund_not_enabled", "99"),
        ],
    )
    def test_is_refused_by_a_rule_that_lets_the_payment_pass(
        self, sandbox: SandboxProcess, reference: str, word: str, code: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision=f"decline:{word}")
        params = link_params(reference)
        assert returned(open_link(sandbox, params))["vnp_ResponseCode"] == "00"
        assert refund(sandbox, params)["vnp_ResponseCode"] == code
        sandbox.behaviour(gateway="vnpay", decision="approve")
        assert sandbox.charge(reference)["refunded"] == 0
        assert refund(sandbox, params)["vnp_ResponseCode"] == "00"
