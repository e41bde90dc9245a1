"""The control interface: what it refuses, and which payment a rule is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.vnpay_client import (
    attempts,
    link_params,
    open_link,
    press,
    query,
    returned,
    verified,
)

if TYPE_CHECKING:
    import requests

    from tests.sandbox.sandbox_process import SandboxProcess, Shop


def response_of(sandbox: SandboxProcess, reference: str) -> str:
    return returned(open_link(sandbox, link_params(reference)))["vnp_ResponseCode"]


class TestBehaviour:
    @pytest.mark.parametrize(
        ("body", "says"),
        [
            ([], "JSON object"),
            ({}, "gateway must be one of"),
            ({"gateway": "visa"}, "gateway must be one of paypal, vnpay, momo, stripe"),
            ({"gateway": "*", "decision": "maybe"}, "decision must be one of"),
            ({"gateway": "*", "decision": "decline:"}, "decision must be one of"),
            ({"gateway": "*", "times": 0}, "times must be a whole number"),
            ({"gateway": "*", "times": True}, "times must be a whole number"),
            ({"gateway": "*", "webhook": {"copies": "2"}}, "copies must be a whole number"),
            ({"gateway": "*", "webhook": {"order": "odd"}}, "order must be one of"),
            ({"gateway": "*", "webhook": {"corrupt": "time"}}, "corrupt must be one of"),
            ({"gateway": "*", "webhook": {"twice": 1}}, "webhook has unknown members: twice"),
            ({"gateway": "*", "api": {"fault": "slow:x"}}, "api.fault must be null or one of"),
            ({"gateway": "*", "api": {"fault": ["refuse"]}}, "api.fault must be null or one of"),
            ({"gateway": "*", "colour": "red"}, "unknown members: colour"),
        ],
    )
    def test_is_refused_with_what_is_wrong(
        self, sandbox: SandboxProcess, body: Any, says: str
    ) -> None:
        answer = sandbox.http.put(f"{sandbox.url}/control/behaviour", json=body, timeout=5)
        assert answer.status_code == 400
        assert says in answer.json()["error"]

    def test_is_refused_when_it_is_no_json(self, sandbox: SandboxProcess) -> None:
        answer = sandbox.http.put(f"{sandbox.url}/control/behaviour", data=b"{", timeout=5)
        assert answer.status_code == 400
        assert "not JSON" in answer.json()["error"]

    def test_fills_in_the_defaults(self, sandbox: SandboxProcess) -> None:
        assert sandbox.behaviour(gateway="vnpay", decision="approve") == {
            "gateway": "vnpay",
            "reference": None,
            "times": None,
            "decision": "approve",
            "decide_after_ms": 20,
            "webhook": {
                "copies": 1,
                "delay_ms": 0,
                "order": "normal",
                "drop": False,
                "corrupt": None,
            },
            "api": {"fault": None},
        }

    def test_prefers_the_reference_then_the_gateway_then_everybody(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        mine, other = f"{reference}a", f"{reference}b"
        sandbox.behaviour(gateway="*", decision="cancel")
        assert response_of(sandbox, f"{reference}c") == "24"
        sandbox.behaviour(gateway="vnpay", decision="approve")
        sandbox.behaviour(gateway="vnpay", reference=mine, decision="decline:51")
        assert response_of(sandbox, mine) == "51"
        assert response_of(sandbox, other) == "00"

    def test_counts_payments(self, sandbox: SandboxProcess, reference: str) -> None:
        sandbox.behaviour(gateway="*", decision="approve")
        sandbox.behaviour(gateway="vnpay", decision="decline:51", times=2)
        codes = [response_of(sandbox, f"{reference}{number}") for number in range(3)]
        assert codes == ["51", "51", "00"]

    def test_does_not_change_a_payment_that_exists(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        page = open_link(sandbox, link_params(reference))
        sandbox.behaviour(gateway="vnpay", decision="cancel", webhook={"drop": True})
        assert returned(press(sandbox, page, decision="approve"))["vnp_ResponseCode"] == "00"
        attempts(sandbox, reference, 1)

    def test_goes_back_to_the_start_with_a_reset(self, sandbox: SandboxProcess) -> None:
        sandbox.behaviour(gateway="vnpay", decision="approve")
        sandbox.control("clock", advance_s=60)
        sandbox.control("reset")
        assert sandbox.http.get(f"{sandbox.url}/control/behaviour", timeout=5).json()["rules"] == []
        clock = sandbox.http.get(f"{sandbox.url}/control/clock", timeout=5).json()
        assert clock["ahead_s"] == 0

    def test_survives_a_restart(self, own_sandbox: SandboxProcess, reference: str) -> None:
        own_sandbox.behaviour(gateway="vnpay", decision="cancel")
        own_sandbox.end()
        own_sandbox.start()
        assert response_of(own_sandbox, reference) == "24"


class TestWebhookRules:
    def test_sends_copies(self, sandbox: SandboxProcess, shop: Shop, reference: str) -> None:
        sandbox.behaviour(gateway="vnpay", decision="approve", webhook={"copies": 3})
        response_of(sandbox, reference)
        attempts(sandbox, reference, 3)
        assert len({got.query for got in shop.ipns(reference)}) == 1

    def test_drops_and_can_send_again(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision="approve", webhook={"drop": True})
        response_of(sandbox, reference)
        webhook = sandbox.journal(reference=reference)["webhooks"][0]
        assert (webhook["dropped"], webhook["attempts"], shop.ipns(reference)) == (True, [], [])
        resent = sandbox.control("webhooks/resend", gateway="vnpay", reference=reference)
        assert resent == {"resent": 1}
        assert verified(shop.ipns(reference)[0].query)["vnp_ResponseCode"] == "00"

    @pytest.mark.parametrize(
        ("corrupt", "field", "value"),
        [("amount", "vnp_Amount", "15100000"), ("account", "vnp_TmnCode", "OTHER001")],
    )
    def test_lies_under_a_good_signature(
        self,
        sandbox: SandboxProcess,
        shop: Shop,
        reference: str,
        corrupt: str,
        field: str,
        value: str,
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision="approve", webhook={"corrupt": corrupt})
        response_of(sandbox, reference)
        attempts(sandbox, reference, 1)
        assert verified(shop.ipns(reference)[0].query)[field] == value

    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_breaks_the_signature(
        self, sandbox: SandboxProcess, shop: Shop, reference: str, corrupt: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision="approve", webhook={"corrupt": corrupt})
        response_of(sandbox, reference)
        attempts(sandbox, reference, 1)
        with pytest.raises(AssertionError):
            verified(shop.ipns(reference)[0].query)

    def test_is_delayed(self, sandbox: SandboxProcess, shop: Shop, reference: str) -> None:
        sandbox.behaviour(gateway="vnpay", decision="approve", webhook={"delay_ms": 1500})
        response_of(sandbox, reference)
        assert shop.ipns(reference) == []
        attempts(sandbox, reference, 1)


class TestBook:
    def test_filters_by_gateway_time_and_number(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision="approve")
        for number in range(3):
            response_of(sandbox, f"{reference}{number}")
        first = sandbox.charge(f"{reference}0")["created_at"]
        found = sandbox.journal(gateway="vnpay", since=first, limit=2)["charges"]
        assert [row["reference"] for row in found] == [f"{reference}0", f"{reference}1"]
        assert sandbox.journal(gateway="stripe", since=first)["charges"] == []

    @pytest.mark.parametrize("query", [{"limit": "0"}, {"since": "soon"}, {"colour": "red"}])
    def test_refuses_what_it_does_not_understand(
        self, sandbox: SandboxProcess, query: dict[str, str]
    ) -> None:
        answer = sandbox.http.get(f"{sandbox.url}/control/book", params=query, timeout=5)
        assert answer.status_code == 400
        assert answer.json()["error"]


class TestSettlement:
    def test_lists_a_days_lines_with_fees(
        self, own_sandbox: SandboxProcess, reference: str
    ) -> None:
        own_sandbox.behaviour(gateway="vnpay", decision="approve")
        params = link_params(reference, 1_000_000)
        open_link(own_sandbox, params)
        day = (
            f"{params['vnp_CreateDate'][:4]}-{params['vnp_CreateDate'][4:6]}-"
            + (params["vnp_CreateDate"][6:8])
        )
        answer = own_sandbox.http.get(
            f"{own_sandbox.url}/control/settlement",
            params={"gateway": "vnpay", "date": day},
            timeout=5,
        ).json()
        assert answer["totals"] == {"VND": {"gross": 1_000_000, "fee": 11_000, "net": 989_000}}
        assert answer["lines"][0]["reference"] == reference

    def test_is_a_file_too_where_the_gateway_publishes_one(
        self, own_sandbox: SandboxProcess, reference: str
    ) -> None:
        own_sandbox.behaviour(gateway="vnpay", decision="approve")
        params = link_params(reference, 1_000_000)
        open_link(own_sandbox, params)
        created = params["vnp_CreateDate"]
        day = f"{created[:4]}-{created[4:6]}-{created[6:8]}"
        answer = self.asked(own_sandbox, gateway="vnpay", date=day, format="csv")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert f'"vnpay-{day}.csv"' in answer.headers["Content-Disposition"]
        header, paid = answer.text.splitlines()
        assert header.startswith("vnp_TmnCode,vnp_TxnRef,vnp_RequestId,vnp_TransactionType,")
        assert f",{reference},,01,14000000,100000000,1100000,98900000," in paid

    @pytest.mark.parametrize(
        ("gateway", "form"), [("stripe", "csv"), ("paypal", "csv"), ("vnpay", "xml")]
    )
    def test_is_no_file_anywhere_else(
        self, sandbox: SandboxProcess, gateway: str, form: str
    ) -> None:
        answer = self.asked(sandbox, gateway=gateway, date="2026-11-22", format=form)
        assert answer.status_code == 400
        assert answer.json()["error"]

    def asked(self, sandbox: SandboxProcess, **query: str) -> requests.Response:
        return sandbox.http.get(f"{sandbox.url}/control/settlement", params=query, timeout=10)


class TestPageForPeople:
    def test_sets_a_rule_and_shows_the_book(self, sandbox: SandboxProcess, reference: str) -> None:
        form = {"action": "behaviour", "gateway": "vnpay", "decision": "approve", "order": "normal"}
        assert "approve" in sandbox.http.post(sandbox.url, data=form, timeout=5).text
        response_of(sandbox, reference)
        page = sandbox.http.get(sandbox.url, timeout=5).text
        assert reference in page
        assert "pm_card_visa_chargeDeclined" in page

    def test_says_what_is_wrong(self, sandbox: SandboxProcess) -> None:
        form = {"action": "behaviour", "gateway": "vnpay", "decision": "maybe"}
        answer = sandbox.http.post(sandbox.url, data=form, timeout=5)
        assert answer.status_code == 400
        assert "decision must be one of" in answer.text

    def test_refuses_a_form_of_another_site(self, sandbox: SandboxProcess) -> None:
        answer = sandbox.http.post(
            sandbox.url, data={"action": "reset"}, headers={"Origin": "https://evil"}, timeout=5
        )
        assert answer.status_code == 403


class TestClock:
    def test_cannot_go_back(self, sandbox: SandboxProcess) -> None:
        answer = sandbox.http.post(
            f"{sandbox.url}/control/clock", json={"advance_s": -1}, timeout=5
        )
        assert answer.status_code == 400

    def test_moves_what_the_gateways_write(
        self, own_sandbox: SandboxProcess, reference: str
    ) -> None:
        own_sandbox.control("clock", advance_s=86_400)
        expires = link_params(reference)["vnp_ExpireDate"]
        params = link_params(reference, vnp_ExpireDate=str(int(expires[:4]) + 1) + expires[4:])
        own_sandbox.behaviour(gateway="vnpay", decision="approve")
        open_link(own_sandbox, params)
        assert query(own_sandbox, params)["vnp_PayDate"] > params["vnp_CreateDate"]
