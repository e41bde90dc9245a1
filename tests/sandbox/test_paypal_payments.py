"""PayPal from the shop's side: captures, holds and refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.paypal_client import (
    ORDERS,
    PAYMENTS,
    Caller,
    event,
    issue_of,
    money,
    new_key,
    page_of,
    press,
)

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop

HOUR_S = 3600
DAY_S = 24 * HOUR_S


@pytest.fixture
def app(sandbox: SandboxProcess) -> Caller:
    return Caller(sandbox)


@pytest.fixture
def own_app(own_sandbox: SandboxProcess) -> Caller:
    return Caller(own_sandbox)


class TestCapture:
    def test_takes_the_money_and_the_fee(self, app: Caller, shop: Shop, reference: str) -> None:
        capture = app.captured(reference, "100.00")
        assert (capture["status"], capture["custom_id"]) == ("COMPLETED", reference)
        assert capture["seller_receivable_breakdown"] == {
            "gross_amount": money("100.00"),
            "paypal_fee": money("3.98"),
            "net_amount": money("96.02"),
        }
        told = event(shop, reference, "PAYMENT.CAPTURE.COMPLETED").json()["resource"]
        assert told == capture
        charge = app.sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == ("captured", 10_000)

    def test_needs_an_approval(self, app: Caller, reference: str) -> None:
        path = f"{ORDERS}/{app.create(reference)['id']}/capture"
        assert issue_of(app.post(path, key=new_key())) == (422, "ORDER_NOT_APPROVED")

    def test_is_done_once(self, app: Caller, reference: str) -> None:
        order = app.approved(reference)
        path = f"{ORDERS}/{order['id']}/capture"
        app.post(path, key=new_key())
        assert issue_of(app.post(path, key=new_key())) == (422, "ORDER_ALREADY_CAPTURED")
        assert app.sandbox.charge(reference)["captured"] == 1999

    def test_is_no_authorization(self, app: Caller, reference: str) -> None:
        path = f"{ORDERS}/{app.approved(reference)['id']}/authorize"
        assert issue_of(app.post(path, key=new_key())) == (422, "ACTION_DOES_NOT_MATCH_INTENT")

    def test_may_be_declined_although_the_order_is_complete(
        self, app: Caller, shop: Shop, reference: str
    ) -> None:
        order = app.create(reference)
        press(app.sandbox, page_of(order), decision="decline:DECLINED")
        answer = app.post(f"{ORDERS}/{order['id']}/capture", key=new_key()).json()
        capture = answer["purchase_units"][0]["payments"]["captures"][0]
        assert (answer["status"], capture["status"]) == ("COMPLETED", "DECLINED")
        event(shop, reference, "PAYMENT.CAPTURE.DECLINED")
        assert app.sandbox.charge(reference)["status"] == "declined"

    @pytest.mark.parametrize(
        ("decision", "status", "word"),
        [("approve", "COMPLETED", "COMPLETED"), ("decline:x", "DECLINED", "DENIED")],
    )
    def test_may_wait_for_a_review(
        self,
        app: Caller,
        shop: Shop,
        reference: str,
        decision: str,
        status: str,
        word: str,
    ) -> None:
        order = app.create(reference)
        press(app.sandbox, page_of(order), decision="pending")
        answer = app.post(f"{ORDERS}/{order['id']}/capture", key=new_key()).json()
        capture = answer["purchase_units"][0]["payments"]["captures"][0]
        assert capture["status_details"] == {"reason": "PENDING_REVIEW"}
        assert "seller_receivable_breakdown" not in capture
        refund = app.post(f"{PAYMENTS}/captures/{capture['id']}/refund", key=new_key())
        assert issue_of(refund) == (422, "PENDING_CAPTURE")
        app.sandbox.control("decide", gateway="paypal", reference=reference, decision=decision)
        event(shop, reference, f"PAYMENT.CAPTURE.{word}")
        assert app.get(f"{PAYMENTS}/captures/{capture['id']}")["status"] == status
        taken = 1999 if status == "COMPLETED" else 0
        assert app.sandbox.charge(reference)["captured"] == taken

    def test_comes_too_late_when_the_approval_was_reversed(
        self, own_app: Caller, own_shop: Shop, reference: str
    ) -> None:
        order = own_app.approved(reference)
        own_app.sandbox.control("clock", advance_s=3 * HOUR_S + 1)
        event(own_shop, reference, "CHECKOUT.PAYMENT-APPROVAL.REVERSED")
        answer = own_app.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
        assert issue_of(answer) == (422, "ORDER_EXPIRED")
        assert own_app.sandbox.charge(reference)["captured"] == 0


class TestHold:
    def held(self, app: Caller, reference: str) -> Any:
        order = app.approved(reference, intent="AUTHORIZE")
        answer = app.post(f"{ORDERS}/{order['id']}/authorize", key=new_key()).json()
        hold = answer["purchase_units"][0]["payments"]["authorizations"][0]
        assert (answer["status"], hold["status"]) == ("COMPLETED", "CREATED")
        assert app.sandbox.charge(reference)["status"] == "authorized"
        return hold

    def test_is_taken_in_parts(self, app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(app, reference)['id']}"
        for value, status in (("5.00", "PARTIALLY_CAPTURED"), ("14.99", "CAPTURED")):
            answer = app.post(f"{path}/capture", {"amount": money(value)}, key=new_key())
            assert answer.status_code == 201
            assert app.get(path)["status"] == status
        late = app.post(f"{path}/capture", {"amount": money("1.00")}, key=new_key())
        assert issue_of(late) == (422, "AUTHORIZATION_ALREADY_CAPTURED")
        assert app.sandbox.charge(reference)["captured"] == 1999

    @pytest.mark.parametrize(
        ("amount", "issue"),
        [
            (money("20.00"), "MAX_CAPTURE_AMOUNT_EXCEEDED"),
            (money("5.00", "EUR"), "AUTH_CAPTURE_CURRENCY_MISMATCH"),
        ],
    )
    def test_gives_no_more_than_it_holds(
        self, app: Caller, reference: str, amount: dict[str, str], issue: str
    ) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(app, reference)['id']}/capture"
        assert issue_of(app.post(path, {"amount": amount}, key=new_key())) == (422, issue)
        assert app.sandbox.charge(reference)["captured"] == 0

    def test_is_let_go(self, app: Caller, shop: Shop, reference: str) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(app, reference)['id']}"
        assert app.post(f"{path}/void", key=new_key(), full=False).status_code == 204
        assert issue_of(app.post(f"{path}/void", key=new_key())) == (422, "PREVIOUSLY_VOIDED")
        assert issue_of(app.post(f"{path}/capture", key=new_key())) == (
            422,
            "AUTHORIZATION_VOIDED",
        )
        event(shop, reference, "PAYMENT.AUTHORIZATION.VOIDED")
        assert app.sandbox.charge(reference)["status"] == "voided"

    def test_cannot_be_let_go_once_it_is_taken(self, app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(app, reference)['id']}"
        app.post(f"{path}/capture", key=new_key())
        assert issue_of(app.post(f"{path}/void", key=new_key())) == (422, "PREVIOUSLY_CAPTURED")

    def test_is_renewed_once_from_the_fourth_day_on(self, own_app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(own_app, reference)['id']}/reauthorize"
        statuses = []
        for days in (0, 4, 4):
            own_app.sandbox.control("clock", advance_s=days * DAY_S)
            own_app.renew()
            statuses.append(own_app.post(path, key=new_key()).status_code)
        assert statuses == [422, 201, 422]
        assert own_app.sandbox.charge(reference)["status"] == "authorized"

    def test_is_renewed_under_another_id_that_is_captured_then(
        self, own_app: Caller, reference: str
    ) -> None:
        first = self.held(own_app, reference)
        own_app.sandbox.control("clock", advance_s=4 * DAY_S)
        own_app.renew()
        path, key = f"{PAYMENTS}/authorizations/{first['id']}", new_key()
        too_much = own_app.post(f"{path}/reauthorize", {"amount": money("22.99")}, key=new_key())
        assert issue_of(too_much) == (422, "REAUTHORIZATION_NOT_SUPPORTED")
        renewed = own_app.post(f"{path}/reauthorize", {"amount": money("22.98")}, key=key).json()
        assert own_app.post(f"{path}/reauthorize", {"amount": money("22.98")}, key=key).json() == (
            renewed
        )
        assert renewed["id"] != first["id"]
        # The 29 days are those of the first hold.
        assert renewed["expiration_time"] == first["expiration_time"]
        assert issue_of(own_app.post(f"{path}/capture", key=new_key())) == (
            422,
            "AUTHORIZATION_VOIDED",
        )
        path = f"{PAYMENTS}/authorizations/{renewed['id']}"
        assert own_app.post(f"{path}/capture", key=new_key()).status_code == 201
        assert own_app.sandbox.charge(reference)["captured"] == 2298

    @pytest.mark.parametrize("word", ["PAYER_CANNOT_PAY", "DECLINED"])
    def test_stands_after_a_capture_that_a_later_rule_declines(
        self, app: Caller, reference: str, word: str
    ) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(app, reference)['id']}"
        app.sandbox.behaviour(gateway="paypal", reference=reference, decision=f"decline:{word}")
        no = app.post(f"{path}/capture", key=new_key()).json()
        assert no.get("status") == "DECLINED" or no["details"][0]["issue"] == word
        assert app.get(path)["status"] == "CREATED"
        assert app.sandbox.charge(reference)["status"] == "authorized"
        app.sandbox.behaviour(gateway="paypal", reference=reference, decision="approve")
        assert app.post(f"{path}/capture", key=new_key()).json()["status"] == "COMPLETED"
        assert app.sandbox.charge(reference)["captured"] == 1999

    def test_ends_after_29_days(self, own_app: Caller, own_shop: Shop, reference: str) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(own_app, reference)['id']}/capture"
        own_app.sandbox.control("clock", advance_s=29 * DAY_S + 1)
        own_app.renew()
        event(own_shop, reference, "PAYMENT.AUTHORIZATION.VOIDED")
        assert issue_of(own_app.post(path, key=new_key())) == (422, "AUTHORIZATION_EXPIRED")
        assert own_app.sandbox.charge(reference)["status"] == "voided"


class TestRefund:
    def test_gives_a_part_and_then_the_rest(self, app: Caller, shop: Shop, reference: str) -> None:
        capture = f"{PAYMENTS}/captures/{app.captured(reference)['id']}"
        part = app.post(f"{capture}/refund", {"amount": money("5.00")}, key=new_key())
        assert (part.status_code, part.json()["status"]) == (201, "COMPLETED")
        assert app.get(capture)["status"] == "PARTIALLY_REFUNDED"
        rest = app.post(f"{capture}/refund", key=new_key()).json()
        assert rest["amount"] == money("14.99")
        assert rest["seller_payable_breakdown"]["total_refunded_amount"] == money("19.99")
        assert app.get(capture)["status"] == "REFUNDED"
        assert app.get(f"{PAYMENTS}/refunds/{rest['id']}") == rest
        event(shop, part.json()["id"], "PAYMENT.CAPTURE.REFUNDED")
        charge = app.sandbox.charge(reference)
        assert (charge["status"], charge["refunded"]) == ("refunded", 1999)
        again = app.post(f"{capture}/refund", key=new_key())
        assert issue_of(again) == (422, "CAPTURE_FULLY_REFUNDED")

    @pytest.mark.parametrize(
        ("amount", "issue"),
        [
            (money("20.00"), "REFUND_AMOUNT_EXCEEDED"),
            (money("5.00", "EUR"), "REFUND_CAPTURE_CURRENCY_MISMATCH"),
            (money("0.00"), "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ],
    )
    def test_keeps_to_its_bounds(
        self, app: Caller, reference: str, amount: dict[str, str], issue: str
    ) -> None:
        path = f"{PAYMENTS}/captures/{app.captured(reference)['id']}/refund"
        assert issue_of(app.post(path, {"amount": amount}, key=new_key())) == (422, issue)
        assert app.sandbox.charge(reference)["refunded"] == 0

    def test_has_an_invoice_id_of_its_own(self, app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/captures/{app.captured(reference)['id']}/refund"
        body = {"amount": money("1.00"), "invoice_id": reference}
        assert issue_of(app.post(path, body, key=new_key())) == (422, "DUPLICATE_INVOICE_ID")

    def test_ends_after_180_days(self, own_app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/captures/{own_app.captured(reference)['id']}/refund"
        own_app.sandbox.control("clock", advance_s=181 * DAY_S)
        own_app.renew()
        assert issue_of(own_app.post(path, key=new_key())) == (422, "REFUND_TIME_LIMIT_EXCEEDED")

    def test_that_fails_later_gives_the_money_back_to_the_payment(
        self, own_app: Caller, own_shop: Shop, reference: str
    ) -> None:
        capture = f"{PAYMENTS}/captures/{own_app.captured(reference)['id']}"
        own_app.sandbox.behaviour(
            gateway="paypal", reference=reference, decision="decline:REFUND_FAILED"
        )
        refund = own_app.post(f"{capture}/refund", key=new_key()).json()
        assert (refund["status"], own_app.sandbox.charge(reference)["refunded"]) == (
            "PENDING",
            1999,
        )
        own_app.sandbox.control("clock", advance_s=61)
        event(own_shop, refund["id"], "PAYMENT.REFUND.FAILED")
        assert own_app.get(capture)["status"] == "COMPLETED"
        assert own_app.sandbox.charge(reference)["refunded"] == 0
