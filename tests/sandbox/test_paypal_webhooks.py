"""PayPal's webhooks, certificates, disputes and reports, from the shop's side."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from sandbox.paypal.certificates import SIGNER, Certificates
from sandbox.paypal.errors import PaypalError
from sandbox.paypal.reporting import require_showable
from tests.sandbox.paypal_client import (
    PAYMENTS,
    Caller,
    about,
    event,
    events,
    is_signed,
    issue_of,
    money,
    new_key,
    question,
    rfc3339,
)
from tests.sandbox.sandbox_process import ROOT, eventually

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop

HOUR_S = 3600
DAY_S = 24 * HOUR_S
REPORT = "/v1/reporting/transactions"
EVENTS = "/v1/notifications/webhooks-events"


@pytest.fixture
def app(sandbox: SandboxProcess) -> Caller:
    return Caller(sandbox)


@pytest.fixture
def own_app(own_sandbox: SandboxProcess) -> Caller:
    return Caller(own_sandbox)


class TestSignature:
    def test_is_good_for_the_bytes_that_were_sent(
        self, app: Caller, shop: Shop, reference: str
    ) -> None:
        app.captured(reference)
        got = event(shop, reference, "PAYMENT.CAPTURE.COMPLETED")
        assert is_signed(app.sandbox, got)
        assert got.json()["id"].startswith("WH-")

    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_is_broken_when_a_rule_says_so(
        self, app: Caller, shop: Shop, reference: str, corrupt: str
    ) -> None:
        app.sandbox.behaviour(gateway="paypal", reference=reference, webhook={"corrupt": corrupt})
        app.approved(reference)
        got = event(shop, reference, "CHECKOUT.ORDER.APPROVED")
        assert not is_signed(app.sandbox, got)

    @pytest.mark.parametrize(
        ("corrupt", "lie"),
        [
            ("amount", {"amount": money("20.99")}),
            ("currency", {"amount": money("19.99", "EUR")}),
            ("account", {"payee": {"merchant_id": "OTHERMERCHANT"}}),
        ],
    )
    def test_is_good_under_a_lie(
        self, app: Caller, shop: Shop, reference: str, corrupt: str, lie: dict[str, Any]
    ) -> None:
        app.sandbox.behaviour(gateway="paypal", reference=reference, webhook={"corrupt": corrupt})
        app.captured(reference)
        got = event(shop, reference, "PAYMENT.CAPTURE.COMPLETED")
        assert is_signed(app.sandbox, got)
        assert lie.items() <= got.json()["resource"].items()

    def test_is_judged_by_paypal_too(self, app: Caller, shop: Shop, reference: str) -> None:
        app.approved(reference)
        good = question(event(shop, reference, "CHECKOUT.ORDER.APPROVED"))
        bad = good.replace(b'"event_version": "1.0"', b'"event_version":  "1.0"')
        verdicts = [verdict(app, body) for body in (good, bad)]
        assert verdicts == ["SUCCESS", "FAILURE"]


def verdict(app: Caller, body: bytes) -> str:
    answer = app.sandbox.http.post(
        f"{app.sandbox.url}/v1/notifications/verify-webhook-signature",
        data=body,
        headers={"Authorization": f"Bearer {app.token}", "Content-Type": "application/json"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["verification_status"])


class TestDelivery:
    def test_is_tried_again_for_three_days(
        self, own_app: Caller, own_shop: Shop, reference: str
    ) -> None:
        kind = "CHECKOUT.ORDER.APPROVED"
        own_shop.answer = (500, b"")
        own_app.approved(reference)
        for count in range(1, 27):
            eventually(partial(heard_times, own_shop, reference, count), "a try")
            own_app.sandbox.control("clock", advance_s=12_600)
        own_app.sandbox.control("clock", advance_s=DAY_S)
        kept = own_app.sandbox.journal(reference=reference)["webhooks"]
        (delivery,) = (each for each in kept if each["type"] == kind)
        assert len(delivery["attempts"]) == 26
        tries = [got for got in about(own_shop, reference) if got.json()["event_type"] == kind]
        assert len({got.headers["PAYPAL-TRANSMISSION-ID"] for got in tries}) == 26
        assert len({got.json()["id"] for got in tries}) == 1

    def test_can_be_dropped_listed_and_sent_again(
        self, app: Caller, shop: Shop, reference: str
    ) -> None:
        app.sandbox.behaviour(gateway="paypal", reference=reference, webhook={"drop": True})
        order = app.approved(reference)
        listed = app.get(f"{EVENTS}?transaction_id={order['id']}")
        (missed,) = listed["events"]
        assert missed["event_type"] == "CHECKOUT.ORDER.APPROVED"
        assert events(shop, reference) == []
        assert app.post(f"{EVENTS}/{missed['id']}/resend").status_code == 202
        got = event(shop, reference, "CHECKOUT.ORDER.APPROVED")
        assert (got.json(), is_signed(app.sandbox, got)) == (missed, True)

    def test_may_come_before_the_answer(self, app: Caller, shop: Shop, reference: str) -> None:
        app.sandbox.behaviour(
            gateway="paypal", reference=reference, webhook={"order": "before_answer"}
        )
        app.captured(reference)
        assert "PAYMENT.CAPTURE.COMPLETED" in events(shop, reference)


def heard_times(shop: Shop, reference: str, count: int) -> bool:
    # A try that fails after the clock was moved is followed by the next ones at once.
    return events(shop, reference).count("CHECKOUT.ORDER.APPROVED") >= count


class TestCertificates:
    def test_pass_the_rules_of_the_web(self, tmp_path: Path) -> None:
        roots = tmp_path / "roots.pem"
        made = Certificates(tmp_path / "data", roots)
        chain = x509.load_pem_x509_certificates(made.chain)
        store = Store(x509.load_pem_x509_certificates(roots.read_bytes()))
        verifier = (
            PolicyBuilder()
            .store(store)
            .time(datetime.now(UTC))
            .build_server_verifier(x509.DNSName(SIGNER))
        )
        assert len(verifier.verify(chain[0], chain[1:])) == 2

    def test_stay_for_the_next_start(self, tmp_path: Path) -> None:
        first, second = (Certificates(tmp_path, tmp_path / "roots.pem") for _ in range(2))
        assert first.name == second.name
        assert second.signed(b"message", first.sign(b"message"))

    def test_are_others_for_another_sandbox(self, tmp_path: Path) -> None:
        one, other = (Certificates(tmp_path / name, tmp_path / f"{name}.pem") for name in "ab")
        assert not one.signed(b"message", other.sign(b"message"))

    def test_keep_their_key_to_their_owner(self, tmp_path: Path) -> None:
        Certificates(tmp_path, tmp_path / "roots.pem")
        mode = (tmp_path / "paypal-webhook-key.pem").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600

    def test_never_write_over_somebody_else_s_roots(
        self, sandbox: SandboxProcess, tmp_path: Path
    ) -> None:
        roots = tmp_path / "roots.pem"
        roots.write_text("not ours")
        env = {**sandbox.env, "PAYPAL_CERT_ROOTS": str(roots), "SANDBOX_DATA_DIR": str(tmp_path)}
        ended = subprocess.run(
            [sys.executable, "-m", "sandbox"],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert ended.returncode != 0
        assert "PAYPAL_CERT_ROOTS" in ended.stderr
        assert roots.read_text() == "not ours"

    def test_are_served_under_their_own_name_only(self, app: Caller) -> None:
        url = f"{app.sandbox.url}/v1/notifications/certs/CERT-0-0-0"
        assert app.sandbox.http.get(url, timeout=10).status_code == 404


class TestDispute:
    def open(self, app: Caller, reference: str, outcome: str) -> tuple[Any, Any]:
        capture = app.captured(reference)
        row = app.sandbox.control(
            "disputes", gateway="paypal", psp_reference=capture["id"], outcome=outcome
        )
        return capture, row

    def test_is_told_and_listed(self, app: Caller, shop: Shop, reference: str) -> None:
        capture, row = self.open(app, reference, "open")
        told = event(shop, reference, "CUSTOMER.DISPUTE.CREATED").json()["resource"]
        assert told == app.get(f"/v1/customer/disputes/{row['psp_reference']}")
        listed = app.get(f"/v1/customer/disputes?disputed_transaction_id={capture['id']}")
        assert [each["dispute_id"] for each in listed["items"]] == [row["psp_reference"]]
        assert (row["status"], row["amount"]) == ("open", 1999)

    def test_keeps_partial_refunds_back(self, app: Caller, reference: str) -> None:
        capture, _ = self.open(app, reference, "inquiry")
        path = f"{PAYMENTS}/captures/{capture['id']}/refund"
        answer = app.post(path, {"amount": money("1.00")}, key=new_key())
        assert issue_of(answer) == (422, "TRANSACTION_DISPUTED")

    def test_takes_the_money_when_it_is_lost(self, app: Caller, shop: Shop, reference: str) -> None:
        capture, row = self.open(app, reference, "open")
        path = f"/v1/customer/disputes/{row['psp_reference']}"
        assert app.post(f"{path}/provide-evidence").status_code == 200
        assert app.get(path)["status"] == "UNDER_REVIEW"
        assert app.post(f"{path}/accept-claim").status_code == 200
        told = event(shop, reference, "PAYMENT.CAPTURE.REVERSED").json()
        # What took the money, as a refund; its capture is named by a link.
        assert told["resource_type"] == "refund"
        links = {link["rel"]: link["href"] for link in told["resource"]["links"]}
        assert links["up"].endswith(f"/v2/payments/captures/{capture['id']}")
        assert app.get(links["self"].removeprefix(app.sandbox.url)) == told["resource"]
        assert app.get(path)["dispute_outcome"]["outcome_code"] == "ACCEPTED"
        refund = app.post(f"{PAYMENTS}/captures/{capture['id']}/refund", key=new_key())
        assert issue_of(refund) == (422, "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK")
        (kept,) = app.sandbox.journal(reference=reference)["disputes"]
        assert kept["status"] == "lost"

    def test_is_about_money_that_was_taken(self, app: Caller, reference: str) -> None:
        order = app.create(reference)
        answer = app.sandbox.http.post(
            f"{app.sandbox.url}/control/disputes",
            json={"gateway": "paypal", "psp_reference": order["id"]},
            timeout=10,
        )
        assert answer.status_code == 400


class TestReport:
    def rows(self, app: Caller, **query: Any) -> list[Any]:
        asked = {"start_date": rfc3339(-DAY_S), "end_date": rfc3339(2 * DAY_S), **query}
        text = "&".join(f"{name}={value}" for name, value in asked.items())
        answer = app.get(f"{REPORT}?{text}")
        return [each["transaction_info"] for each in answer["transaction_details"]]

    def test_is_three_hours_late(self, own_app: Caller, reference: str) -> None:
        capture = own_app.captured(reference, "100.00")
        own_app.post(f"{PAYMENTS}/captures/{capture['id']}/refund", key=new_key())
        own_app.sandbox.control("clock", advance_s=3 * HOUR_S - 60)
        assert self.rows(own_app) == []
        own_app.sandbox.control("clock", advance_s=120)
        paid, refunded = self.rows(own_app)
        assert (paid["transaction_id"], paid["custom_field"]) == (capture["id"], reference)
        assert (paid["transaction_event_code"], refunded["transaction_event_code"]) == (
            "T0006",
            "T1107",
        )
        assert (paid["fee_amount"], refunded["transaction_amount"]) == (
            money("-3.98"),
            money("-100.00"),
        )
        assert refunded["paypal_reference_id"] == capture["id"]

    def test_shows_a_lost_dispute(self, own_app: Caller, reference: str) -> None:
        capture = own_app.captured(reference)
        about_it = {"gateway": "paypal", "psp_reference": capture["id"]}
        own_app.sandbox.control("disputes", **about_it, outcome="won")
        own_app.sandbox.control("clock", advance_s=4 * HOUR_S)
        codes = [(r["transaction_event_code"], r["transaction_amount"]) for r in self.rows(own_app)]
        assert codes == [
            ("T0006", money("19.99")),
            ("T1201", money("-19.99")),
            ("T1202", money("19.99")),
        ]

    def test_comes_in_pages(self, own_app: Caller) -> None:
        for _ in range(5):
            own_app.captured(new_key())
        own_app.sandbox.control("clock", advance_s=4 * HOUR_S)
        pages = [self.rows(own_app, page_size=2, page=number) for number in (1, 2, 3)]
        assert [len(page) for page in pages] == [2, 2, 1]
        assert len({row["transaction_id"] for page in pages for row in page}) == 5

    @pytest.mark.parametrize(
        ("start_s", "end_s"), [(-32 * DAY_S, 0), (0, -DAY_S)], ids=["too long", "backwards"]
    )
    def test_covers_31_days_at_most(self, app: Caller, start_s: int, end_s: int) -> None:
        query = f"start_date={rfc3339(start_s)}&end_date={rfc3339(end_s)}"
        assert app.call("GET", f"{REPORT}?{query}").status_code == 400

    def test_shows_nothing_of_a_search_that_finds_too_much(self) -> None:
        require_showable(10_000)
        with pytest.raises(PaypalError) as raised:
            require_showable(10_001)
        answer = raised.value.response()
        assert answer.status == 400
        assert json.loads(answer.text or "")["name"] == "RESULTSET_TOO_LARGE"

    def test_agrees_with_the_balance(self, own_app: Caller, reference: str) -> None:
        own_app.captured(reference, "100.00")
        (line,) = own_app.get("/v1/reporting/balances")["balances"]
        assert line["total_balance"] == money("96.02")
