"""PaymentIntents by token, through the official SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

from tests.sandbox.sandbox_process import eventually
from tests.sandbox.stripe_client import create_intent

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop


def declined(sandbox: SandboxProcess, reference: str, token: str, **more: Any) -> Any:
    with pytest.raises(stripe.CardError) as caught:
        create_intent(sandbox, reference, token, **more)
    return caught.value


class TestConfirm:
    @pytest.mark.parametrize(
        "token", ["pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_visa_debit"]
    )
    def test_takes_the_money(self, sandbox: SandboxProcess, reference: str, token: str) -> None:
        intent = create_intent(sandbox, reference, token)
        assert (intent.status, intent.amount_received) == ("succeeded", 150_000)
        charge = sandbox.charge(reference)
        assert charge == charge | {
            "gateway": "stripe",
            "account": "acct_suite",
            "psp_reference": intent.id,
            "status": "captured",
            "amount": 150_000,
            "captured": 150_000,
            "currency": "VND",
        }

    @pytest.mark.parametrize(
        ("token", "code", "decline_code"),
        [
            ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
            ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
            ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
            ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
            ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ],
    )
    def test_declines_with_the_cards_code(
        self, sandbox: SandboxProcess, reference: str, token: str, code: str, decline_code: str
    ) -> None:
        error = declined(sandbox, reference, token)
        assert (error.http_status, error.code) == (402, code)
        assert error.error.decline_code == decline_code
        assert error.error.payment_intent.status == "requires_payment_method"
        assert error.error.doc_url.endswith(f"/error-codes/{code.replace('_', '-')}")
        refused = sandbox.stripe().v1.charges.retrieve(error.error.charge)
        assert (refused.outcome.type, refused.outcome.reason) == ("issuer_declined", decline_code)
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == ("declined", 0)

    def test_can_be_tried_again_after_a_decline(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        error = declined(sandbox, reference, "pm_card_visa_chargeDeclined")
        intents = sandbox.stripe().v1.payment_intents
        again = intents.confirm(error.error.payment_intent.id, {"payment_method": "pm_card_visa"})
        assert again.status == "succeeded"
        assert sandbox.charge(reference)["captured"] == 150_000

    @pytest.mark.parametrize("token", ["ctoken_card_visa", "made"])
    def test_takes_confirmation_tokens(
        self, sandbox: SandboxProcess, reference: str, token: str
    ) -> None:
        if token == "made":
            made = sandbox.http.post(
                f"{sandbox.url}/v1/test_helpers/confirmation_tokens",
                data="payment_method=pm_card_visa",
                auth=("sk_test_sandbox_suite", ""),
                timeout=5,
            )
            token = made.json()["id"]
        body = {"amount": 500, "currency": "usd", "confirm": True, "confirmation_token": token,
                "metadata": {"reference": reference}}  # fmt: skip
        assert sandbox.stripe().v1.payment_intents.create(body).status == "succeeded"

    def test_wants_a_new_card_after_a_decline(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        error = declined(sandbox, reference, "pm_card_visa_chargeDeclined")
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.stripe().v1.payment_intents.confirm(error.error.payment_intent.id)
        assert caught.value.code == "payment_intent_unexpected_state"

    def test_follows_the_rule_for_ordinary_cards_only(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", decision="decline:insufficient_funds")
        error = declined(sandbox, f"{reference}a", "pm_card_visa")
        assert error.error.decline_code == "insufficient_funds"
        sandbox.behaviour(gateway="stripe", decision="approve")
        declined(sandbox, f"{reference}b", "pm_card_visa_chargeDeclined")

    def test_processes_while_the_bank_is_silent(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", decision="pending")
        assert create_intent(sandbox, reference).status == "processing"
        assert sandbox.charge(reference)["status"] == "pending"
        sandbox.control("decide", gateway="stripe", reference=reference, decision="approve")
        assert sandbox.charge(reference)["captured"] == 150_000
        eventually(lambda: "payment_intent.succeeded" in shop.events(reference))

    def test_declines_late(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        own_sandbox.behaviour(
            gateway="stripe", decision="decline:insufficient_funds", decide_after_ms=60_000
        )
        intent = create_intent(own_sandbox, reference)
        assert intent.status == "processing"
        own_sandbox.control("clock", advance_s=61)
        later = own_sandbox.stripe().v1.payment_intents.retrieve(intent.id)
        assert later.status == "requires_payment_method"
        assert later.last_payment_error.decline_code == "insufficient_funds"


class TestThreeDSecure:
    @pytest.mark.parametrize(
        ("decision", "status", "word"),
        [
            ("approve", "succeeded", "succeeded"),
            ("cancel", "requires_payment_method", "failed"),
        ],
    )
    def test_sends_the_shopper_to_the_bank_and_back(
        self, sandbox: SandboxProcess, reference: str, decision: str, status: str, word: str
    ) -> None:
        intent = create_intent(sandbox, reference, "pm_card_threeDSecure2Required")
        assert intent.status == "requires_action"
        page = intent.next_action.redirect_to_url.url
        assert "Your bank asks" in sandbox.http.get(page, timeout=5).text
        answer = sandbox.http.post(
            page, data={"decision": decision}, allow_redirects=False, timeout=5
        )
        back = urlsplit(answer.headers["Location"])
        assert parse_qs(back.query)["redirect_status"] == [word]
        assert parse_qs(back.query)["payment_intent"] == [intent.id]
        assert sandbox.stripe().v1.payment_intents.retrieve(intent.id).status == status

    def test_cannot_be_passed_without_the_secret(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        intent = create_intent(sandbox, reference, "pm_card_authenticationRequired")
        page = f"{sandbox.url}/3ds/{intent.id}?secret=guess"
        assert sandbox.http.post(page, data={"decision": "approve"}, timeout=5).status_code == 404
        assert sandbox.charge(reference)["captured"] == 0

    def test_is_a_decline_where_nobody_can_act(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        error = declined(sandbox, reference, "pm_card_authenticationRequired", off_session=True)
        assert error.error.decline_code == "authentication_required"


class TestManualCapture:
    def test_holds_then_takes_a_part(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        intent = create_intent(sandbox, reference, capture_method="manual")
        assert (intent.status, intent.amount_capturable) == ("requires_capture", 150_000)
        assert sandbox.charge(reference)["status"] == "authorized"
        intents = sandbox.stripe().v1.payment_intents
        taken = intents.capture(intent.id, {"amount_to_capture": 100_000})
        assert (taken.status, taken.amount_received) == ("succeeded", 100_000)
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == ("captured", 100_000)
        with pytest.raises(stripe.InvalidRequestError) as caught:
            intents.capture(intent.id)
        assert caught.value.code == "payment_intent_unexpected_state"

    def test_releases_the_hold(self, sandbox: SandboxProcess, shop: Shop, reference: str) -> None:
        intent = create_intent(sandbox, reference, capture_method="manual")
        ended = sandbox.stripe().v1.payment_intents.cancel(
            intent.id, {"cancellation_reason": "requested_by_customer"}
        )
        assert ended.status == "canceled"
        assert sandbox.charge(reference)["status"] == "voided"
        eventually(lambda: "charge.refunded" in shop.events(reference))
        assert sandbox.journal(reference=reference)["refunds"] == []

    def test_lets_the_hold_go_after_a_week(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        intent = create_intent(own_sandbox, reference, capture_method="manual")
        own_sandbox.end()
        own_sandbox.start()
        own_sandbox.control("clock", advance_s=7 * 86_400 + 1)
        ended = own_sandbox.stripe().v1.payment_intents.retrieve(intent.id)
        assert (ended.status, ended.cancellation_reason) == ("canceled", "automatic")
        # Stripe says so with a refund, too, that the shop has never asked for.
        eventually(lambda: b"expired_uncaptured_charge" in own_shop.received[-1].body)
        (refund,) = own_sandbox.stripe().v1.refunds.list({"payment_intent": intent.id}).data
        assert (refund.balance_transaction, refund.metadata.to_dict()) == (None, {})
        assert own_sandbox.journal(reference=reference)["refunds"] == []


class TestRefusal:
    @pytest.mark.parametrize(
        ("changes", "code", "param"),
        [
            ({"amount": 0}, "parameter_invalid_integer", "amount"),
            ({"amount": 10, "currency": "usd"}, "amount_too_small", "amount"),
            ({"amount": "ten"}, "parameter_invalid_integer", "amount"),
            ({"amount": ""}, "parameter_invalid_integer", "amount"),
            ({"colour": "red"}, "parameter_unknown", "colour"),
            ({"payment_method": "pm_nobody"}, "resource_missing", "payment_method"),
            ({"payment_method_types": ["card"]}, "payment_method_types_no_longer_supported",
             "payment_method_types"),
        ],
    )  # fmt: skip
    def test_names_the_parameter(
        self,
        sandbox: SandboxProcess,
        reference: str,
        changes: dict[str, Any],
        code: str,
        param: str,
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            create_intent(sandbox, reference, **changes)
        assert (caught.value.http_status, caught.value.code) == (400, code)
        assert caught.value.param == param
        assert sandbox.journal(reference=reference)["charges"] == []

    def test_wants_the_amount(self, sandbox: SandboxProcess) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.stripe().v1.payment_intents.create({"currency": "usd"})
        assert (caught.value.code, caught.value.param) == ("parameter_missing", "amount")

    def test_lets_nobody_in_with_another_key(self, sandbox: SandboxProcess) -> None:
        with pytest.raises(stripe.AuthenticationError):
            sandbox.stripe(key="sk_test_other").v1.payment_intents.list()

    def test_takes_the_key_as_a_user_name_too(self, sandbox: SandboxProcess) -> None:
        answer = sandbox.http.get(
            f"{sandbox.url}/v1/charges", auth=("sk_test_sandbox_suite", ""), timeout=5
        )
        assert answer.json()["object"] == "list"

    def test_answers_unknown_objects_and_paths_404(self, sandbox: SandboxProcess) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.stripe().v1.payment_intents.retrieve("pi_nobody")
        assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
        assert sandbox.http.get(f"{sandbox.url}/v1/coupons", timeout=5).status_code == 404


class TestReading:
    def test_pages_newest_first(self, own_sandbox: SandboxProcess, reference: str) -> None:
        ids = [create_intent(own_sandbox, f"{reference}{n}").id for n in range(5)]
        intents = own_sandbox.stripe().v1.payment_intents
        page = intents.list({"limit": 2})
        assert [intent.id for intent in page.data] == [ids[4], ids[3]]
        assert page.has_more
        after = intents.list({"limit": 2, "starting_after": ids[3]})
        assert [intent.id for intent in after.data] == [ids[2], ids[1]]
        before = intents.list({"limit": 2, "ending_before": ids[1]})
        assert [intent.id for intent in before.data] == [ids[3], ids[2]]
        assert [intent.id for intent in page.auto_paging_iter()] == ids[::-1]

    def test_filters_by_time(self, own_sandbox: SandboxProcess, reference: str) -> None:
        early = create_intent(own_sandbox, f"{reference}1")
        own_sandbox.control("clock", advance_s=100)
        late = create_intent(own_sandbox, f"{reference}2")
        intents = own_sandbox.stripe().v1.payment_intents
        found = intents.list({"created": {"gt": early.created, "lte": late.created}}).data
        assert [intent.id for intent in found] == [late.id]

    def test_expands_to_the_balance_transaction(
        self, own_sandbox: SandboxProcess, reference: str
    ) -> None:
        intent = create_intent(own_sandbox, reference, amount=10_000, currency="usd")
        own_sandbox.control("clock", advance_s=5)
        path = {"expand": ["latest_charge.balance_transaction"]}
        found = own_sandbox.stripe().v1.payment_intents.retrieve(intent.id, path)
        line = found.latest_charge.balance_transaction
        assert (line.amount, line.fee, line.net) == (10_000, 320, 9_680)

    def test_finds_by_metadata_after_a_moment(
        self, own_sandbox: SandboxProcess, reference: str
    ) -> None:
        intent = create_intent(own_sandbox, reference)
        query = {"query": f"metadata['reference']:'{reference}' AND amount>1000"}
        intents = own_sandbox.stripe().v1.payment_intents
        assert intents.search(query).data == []
        own_sandbox.control("clock", advance_s=3)
        assert [found.id for found in intents.search(query).data] == [intent.id]

    def test_has_every_member_of_the_published_object(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        names = (
            "id object amount amount_capturable amount_received amount_details application "
            "application_fee_amount allowed_payment_method_types automatic_payment_methods "
            "canceled_at cancellation_reason capture_method client_secret confirmation_method "
            "created currency customer customer_account description "
            "excluded_payment_method_types last_payment_error latest_charge livemode "
            "managed_payments metadata next_action on_behalf_of payment_details "
            "payment_method payment_method_configuration_details payment_method_options "
            "payment_method_types payment_record presentment_details processing receipt_email "
            "review setup_future_usage shipping source statement_descriptor "
            "statement_descriptor_suffix status transfer_data transfer_group"
        )
        assert set(create_intent(sandbox, reference).to_dict()) == set(names.split())
