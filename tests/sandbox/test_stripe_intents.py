"""PaymentIntents by token, through the official SDK."""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe

from tests.sandbox.sandbox_process import STRIPE_SECRETS, eventually

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop

BACK = "http://127.0.0.1:9/back"


def create(sandbox: SandboxProcess, reference: str, card: str = "pm_card_visa", **more: Any) -> Any:
    body = {
        "amount": 150_000,
        "currency": "vnd",
        "confirm": True,
        "payment_method": card,
        "metadata": {"reference": reference},
        "return_url": BACK,
    } | more
    return sandbox.stripe().v1.payment_intents.create(body)


def declined(sandbox: SandboxProcess, reference: str, token: str, **more: Any) -> Any:
    with pytest.raises(stripe.CardError) as caught:
        create(sandbox, reference, token, **more)
    return caught.value


def tries(sandbox: SandboxProcess, reference: str, kind: str) -> int:
    """How often Stripe has tried to tell of ``kind``."""
    (event,) = (
        each for each in sandbox.journal(reference=reference)["webhooks"] if each["type"] == kind
    )
    return len(event["attempts"])


def tried_more(sandbox: SandboxProcess, reference: str, kind: str, made: int) -> bool:
    return tries(sandbox, reference, kind) > made


class TestConfirm:
    @pytest.mark.parametrize(
        "token", ["pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_visa_debit"]
    )
    def test_takes_the_money(self, sandbox: SandboxProcess, reference: str, token: str) -> None:
        intent = create(sandbox, reference, token)
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
        assert create(sandbox, reference).status == "processing"
        assert sandbox.charge(reference)["status"] == "pending"
        sandbox.control("decide", gateway="stripe", reference=reference, decision="approve")
        assert sandbox.charge(reference)["captured"] == 150_000
        eventually(lambda: "payment_intent.succeeded" in shop.events(reference))

    def test_declines_late(
        self, own_player: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        own_player.behaviour(
            gateway="stripe", decision="decline:insufficient_funds", decide_after_ms=60_000
        )
        intent = create(own_player, reference)
        assert intent.status == "processing"
        own_player.control("clock", advance_s=61)
        later = own_player.stripe().v1.payment_intents.retrieve(intent.id)
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
        intent = create(sandbox, reference, "pm_card_threeDSecure2Required")
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
        intent = create(sandbox, reference, "pm_card_authenticationRequired")
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
        intent = create(sandbox, reference, capture_method="manual")
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
        intent = create(sandbox, reference, capture_method="manual")
        ended = sandbox.stripe().v1.payment_intents.cancel(
            intent.id, {"cancellation_reason": "requested_by_customer"}
        )
        assert ended.status == "canceled"
        assert sandbox.charge(reference)["status"] == "voided"
        eventually(lambda: "charge.refunded" in shop.events(reference))
        assert sandbox.journal(reference=reference)["refunds"] == []

    def test_lets_the_hold_go_after_a_week(
        self, own_player: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        intent = create(own_player, reference, capture_method="manual")
        own_player.end()
        own_player.start()
        own_player.control("clock", advance_s=7 * 86_400 + 1)
        ended = own_player.stripe().v1.payment_intents.retrieve(intent.id)
        assert (ended.status, ended.cancellation_reason) == ("canceled", "automatic")
        # Stripe says so with a refund, too, that the shop has never asked for.
        eventually(lambda: b"expired_uncaptured_charge" in own_shop.received[-1].body)
        (refund,) = own_player.stripe().v1.refunds.list({"payment_intent": intent.id}).data
        assert (refund.balance_transaction, refund.metadata.to_dict()) == (None, {})
        assert own_player.journal(reference=reference)["refunds"] == []


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
            create(sandbox, reference, **changes)
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
    def test_pages_newest_first(self, own_player: SandboxProcess, reference: str) -> None:
        ids = [create(own_player, f"{reference}{n}").id for n in range(5)]
        intents = own_player.stripe().v1.payment_intents
        page = intents.list({"limit": 2})
        assert [intent.id for intent in page.data] == [ids[4], ids[3]]
        assert page.has_more
        after = intents.list({"limit": 2, "starting_after": ids[3]})
        assert [intent.id for intent in after.data] == [ids[2], ids[1]]
        before = intents.list({"limit": 2, "ending_before": ids[1]})
        assert [intent.id for intent in before.data] == [ids[3], ids[2]]
        assert [intent.id for intent in page.auto_paging_iter()] == ids[::-1]

    def test_filters_by_time(self, own_player: SandboxProcess, reference: str) -> None:
        early = create(own_player, f"{reference}1")
        own_player.control("clock", advance_s=100)
        late = create(own_player, f"{reference}2")
        intents = own_player.stripe().v1.payment_intents
        found = intents.list({"created": {"gt": early.created, "lte": late.created}}).data
        assert [intent.id for intent in found] == [late.id]

    def test_expands_to_the_balance_transaction(
        self, own_player: SandboxProcess, reference: str
    ) -> None:
        intent = create(own_player, reference, amount=10_000, currency="usd")
        own_player.control("clock", advance_s=5)
        path = {"expand": ["latest_charge.balance_transaction"]}
        found = own_player.stripe().v1.payment_intents.retrieve(intent.id, path)
        line = found.latest_charge.balance_transaction
        assert (line.amount, line.fee, line.net) == (10_000, 320, 9_680)

    def test_finds_by_metadata_after_a_moment(
        self, own_player: SandboxProcess, reference: str
    ) -> None:
        intent = create(own_player, reference)
        query = {"query": f"metadata['reference']:'{reference}' AND amount>1000"}
        intents = own_player.stripe().v1.payment_intents
        assert intents.search(query).data == []
        own_player.control("clock", advance_s=3)
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
        assert set(create(sandbox, reference).to_dict()) == set(names.split())


class TestEvents:
    def test_are_signed_with_every_secret(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        intent = create(sandbox, reference)
        eventually(lambda: "payment_intent.succeeded" in shop.events(reference))
        got = shop.about(reference)[0]
        for secret in STRIPE_SECRETS:
            event = sandbox.stripe().construct_event(
                got.body, got.headers["Stripe-Signature"], secret
            )
            assert event.data.object.id == intent.id
        assert event.api_version == "2026-10-28.endive"
        assert event.livemode is False
        assert event.request.id == intent.last_response.headers["Request-Id"]

    def test_tell_the_late_balance_transaction(
        self, own_player: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        create(own_player, reference)
        own_player.control("clock", advance_s=5)
        eventually(lambda: "charge.updated" in own_shop.events(reference))
        assert own_shop.events(reference) == ["payment_intent.succeeded", "charge.updated"]

    def test_are_retried_with_a_fresh_signature(
        self, own_player: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        own_shop.answers[:] = [(500, b"")]
        create(own_player, reference)
        eventually(lambda: own_shop.events(reference))
        own_player.control("clock", advance_s=601)
        eventually(lambda: own_shop.events(reference).count("payment_intent.succeeded") == 2)
        first, second = (
            got for got in own_shop.received if b'"payment_intent.succeeded"' in got.body
        )
        assert first.json()["id"] == second.json()["id"]
        assert first.headers["Stripe-Signature"] != second.headers["Stripe-Signature"]

    def test_are_given_up_after_three_retries(
        self, own_player: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        kind = "payment_intent.succeeded"
        own_shop.answer = (500, b"")
        create(own_player, reference)
        eventually(lambda: tries(own_player, reference, kind) == 1, "the first try")
        for made, minutes in enumerate((10, 60, 120), start=1):
            own_player.control("clock", advance_s=minutes * 60 - 30)
            assert tries(own_player, reference, kind) == made
            own_player.control("clock", advance_s=31)
            eventually(partial(tried_more, own_player, reference, kind, made), "a retry")
        own_player.control("clock", advance_s=7 * 24 * 3600)
        time.sleep(0.2)
        assert tries(own_player, reference, kind) == 4

    @pytest.mark.parametrize(
        ("corrupt", "path", "value"),
        [
            ("amount", ("data", "object", "amount"), 150_100),
            ("currency", ("data", "object", "currency"), "eur"),
            ("account", ("account",), "acct_other"),
            ("mode", ("livemode",), True),
        ],
    )
    def test_lie_under_a_good_signature(
        self,
        sandbox: SandboxProcess,
        shop: Shop,
        reference: str,
        corrupt: str,
        path: tuple[str, ...],
        value: object,
    ) -> None:
        sandbox.behaviour(gateway="stripe", webhook={"corrupt": corrupt})
        create(sandbox, reference)
        eventually(lambda: shop.events(reference))
        got = shop.about(reference)[0]
        sandbox.stripe().construct_event(
            got.body, got.headers["Stripe-Signature"], STRIPE_SECRETS[0]
        )
        node = got.json()
        for part in path:
            node = node[part]
        assert node == value

    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_break_the_signature(
        self, sandbox: SandboxProcess, shop: Shop, reference: str, corrupt: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", webhook={"corrupt": corrupt})
        create(sandbox, reference)
        eventually(lambda: shop.events(reference))
        got = shop.about(reference)[0]
        with pytest.raises(stripe.SignatureVerificationError):
            sandbox.stripe().construct_event(
                got.body, got.headers["Stripe-Signature"], STRIPE_SECRETS[0]
            )
        assert json.loads(got.body)["type"] == "payment_intent.succeeded"

    def test_can_be_listed_by_delivery(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        shop.answer = (500, b"")
        intent = create(sandbox, reference)
        eventually(lambda: shop.events(reference))
        time.sleep(0.1)
        events = sandbox.stripe().v1.events.list(
            {"delivery_success": False, "types": ["payment_intent.succeeded"], "limit": 100}
        )
        assert intent.id in {event.data.object.id for event in events.data}


class TestIdempotency:
    def post(
        self, sandbox: SandboxProcess, key: str, body: str, path: str = ""
    ) -> requests.Response:
        return sandbox.http.post(
            f"{sandbox.url}/v1/payment_intents{path}",
            data=body,
            headers={"Authorization": "Bearer sk_test_sandbox_suite", "Idempotency-Key": key},
            timeout=10,
        )

    def test_gives_the_first_answer_again(self, sandbox: SandboxProcess, reference: str) -> None:
        body = f"amount=500&currency=usd&metadata[reference]={reference}"
        first, second = (self.post(sandbox, reference, body) for _ in range(2))
        assert (first.status_code, first.text) == (second.status_code, second.text)
        assert "Idempotent-Replayed" not in first.headers
        assert second.headers["Idempotent-Replayed"] == "true"
        assert len(sandbox.journal(reference=reference)["charges"]) == 1

    def test_gives_a_decline_again(self, sandbox: SandboxProcess, reference: str) -> None:
        body = (
            "amount=500&currency=usd&confirm=true&payment_method=pm_card_visa_chargeDeclined"
            f"&metadata[reference]={reference}"
        )
        first, second = (self.post(sandbox, reference, body) for _ in range(2))
        assert (first.status_code, first.text) == (402, second.text)
        assert len(sandbox.journal(reference=reference)["charges"]) == 1

    def test_refuses_other_parameters_and_other_paths(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        intent = self.post(sandbox, reference, "amount=500&currency=usd").json()["id"]
        other = self.post(sandbox, reference, "amount=501&currency=usd")
        assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
        path = self.post(sandbox, reference, "amount=500&currency=usd", f"/{intent}")
        assert path.json()["error"]["type"] == "idempotency_error"

    def test_forgets_a_request_that_was_refused(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        assert self.post(sandbox, reference, "amount=5x&currency=usd").status_code == 400
        assert self.post(sandbox, reference, "amount=500&currency=usd").status_code == 200

    def test_refuses_a_key_that_is_running(self, sandbox: SandboxProcess, reference: str) -> None:
        sandbox.behaviour(gateway="stripe", decision="approve", decide_after_ms=800)
        body = (
            "amount=500&currency=usd&confirm=true&payment_method=pm_card_visa"
            f"&metadata[reference]={reference}"
        )
        first: list[requests.Response] = []
        thread = threading.Thread(
            target=lambda: first.append(
                requests.post(
                    f"{sandbox.url}/v1/payment_intents",
                    data=body,
                    headers={
                        "Authorization": "Bearer sk_test_sandbox_suite",
                        "Idempotency-Key": reference,
                    },
                    timeout=10,
                )
            )
        )
        thread.start()
        time.sleep(0.3)
        second = self.post(sandbox, reference, body)
        thread.join()
        assert second.status_code == 409
        assert second.json()["error"]["code"] == "idempotency_key_in_use"
        assert first[0].status_code == 200
        assert sandbox.charge(reference)["captured"] == 500

    def test_executes_again_after_a_day(self, own_player: SandboxProcess, reference: str) -> None:
        body = f"amount=500&currency=usd&metadata[reference]={reference}"
        first = self.post(own_player, reference, body).json()["id"]
        own_player.control("clock", advance_s=86_401)
        assert self.post(own_player, reference, body).json()["id"] != first
        assert len(own_player.journal(reference=reference)["charges"]) == 2

    def test_refuses_a_key_that_is_too_long(self, sandbox: SandboxProcess) -> None:
        assert self.post(sandbox, "k" * 256, "amount=500&currency=usd").status_code == 400
