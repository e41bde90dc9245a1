"""Checkout Sessions at the emulated Stripe, on the hosted page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import stripe

from tests.sandbox.sandbox_process import eventually

if TYPE_CHECKING:
    import requests

    from tests.sandbox.sandbox_process import SandboxProcess, Shop

OK = "http://127.0.0.1:9/ok?sid={CHECKOUT_SESSION_ID}"
CANCEL = "http://127.0.0.1:9/cancel"


def create(sandbox: SandboxProcess, reference: str, amount: int = 3998, **more: Any) -> Any:
    body = {
        "mode": "payment",
        "success_url": OK,
        "cancel_url": CANCEL,
        "client_reference_id": reference,
        "payment_intent_data": {"metadata": {"reference": reference}},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "usd",
                    "unit_amount": amount,
                    "product_data": {"name": "Cà phê <sữa>"},
                },
            }
        ],
    } | more
    return sandbox.stripe().v1.checkout.sessions.create(body)


VISA = "4242 4242 4242 4242"
DECLINED = "4000000000000002"
WITHOUT_FUNDS = "4000000000009995"
WITH_A_CHALLENGE = "4000 0000 0000 3220"


def press(sandbox: SandboxProcess, session: Any, number: str, **typed: str) -> requests.Response:
    return sandbox.http.post(
        str(session.url),
        data={"decision": "pay", "number": number, "expiry": "12 / 34", "cvc": "123"} | typed,
        allow_redirects=False,
        timeout=10,
    )


def fresh(sandbox: SandboxProcess, session: Any) -> Any:
    return sandbox.stripe().v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge"]}
    )


class TestHostedPage:
    def test_shows_the_order_and_a_test_card_filled_in(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        session = create(sandbox, reference)
        assert (session.status, session.payment_status) == ("open", "unpaid")
        assert session.payment_intent is None
        page = sandbox.http.get(session.url, timeout=5).text
        assert "Cà phê &lt;sữa&gt;" in page
        assert "39.98 USD" in page
        assert f'value="{VISA}"' in page
        assert "no real money" in page

    def test_pays_and_leads_back_with_the_sessions_id(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        session = create(sandbox, reference)
        answer = press(sandbox, session, VISA)
        assert answer.headers["Location"] == f"http://127.0.0.1:9/ok?sid={session.id}"
        paid = fresh(sandbox, session)
        assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
        assert paid.payment_intent.amount_received == 3998
        assert paid.payment_intent.metadata["reference"] == reference
        assert shop.events(reference)[:2] == [
            "payment_intent.succeeded",
            "checkout.session.completed",
        ]
        charge = sandbox.charge(reference)
        assert (charge["captured"], charge["psp_reference"]) == (3998, paid.payment_intent.id)

    def test_shows_a_decline_and_takes_the_next_card(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        session = create(sandbox, reference)
        page = press(sandbox, session, WITHOUT_FUNDS)
        assert page.status_code == 200
        assert "insufficient funds" in page.text
        open_still = fresh(sandbox, session)
        assert (open_still.status, open_still.payment_status) == ("open", "unpaid")
        assert sandbox.charge(reference)["status"] == "open"
        press(sandbox, session, VISA)
        assert fresh(sandbox, session).payment_intent.id == open_still.payment_intent.id
        assert sandbox.charge(reference)["captured"] == 3998

    def test_asks_the_bank_when_the_card_wants_it(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        session = create(sandbox, reference)
        bank = press(sandbox, session, WITH_A_CHALLENGE).headers["Location"]
        no = sandbox.http.post(bank, data={"decision": "cancel"}, allow_redirects=False, timeout=5)
        assert no.headers["Location"] == session.url
        assert fresh(sandbox, session).status == "open"
        bank = press(sandbox, session, WITH_A_CHALLENGE).headers["Location"]
        sandbox.http.post(bank, data={"decision": "approve"}, allow_redirects=False, timeout=5)
        assert fresh(sandbox, session).payment_status == "paid"

    def test_stays_open_when_the_shopper_walks_away(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        session = create(sandbox, reference)
        assert "walked away" in press(sandbox, session, "", decision="abandon").text
        assert fresh(sandbox, session).status == "open"

    def test_holds_with_manual_capture(self, sandbox: SandboxProcess, reference: str) -> None:
        data = {"metadata": {"reference": reference}, "capture_method": "manual"}
        session = create(sandbox, reference, payment_intent_data=data)
        press(sandbox, session, VISA)
        held = fresh(sandbox, session)
        assert (held.status, held.payment_intent.status) == ("complete", "requires_capture")
        sandbox.stripe().v1.payment_intents.capture(held.payment_intent.id)
        assert sandbox.charge(reference)["captured"] == 3998
        assert fresh(sandbox, session).payment_status == "paid"

    def test_fills_in_the_test_card_that_was_chosen(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        session = create(sandbox, reference)
        page = sandbox.http.get(f"{session.url}?card=card_amex", timeout=5).text
        assert 'value="3714 4963 5398 431"' in page
        assert 'value="1234"' in page

    @pytest.mark.parametrize(
        ("typed", "message"),
        [
            ({"number": "4111 1111 1111 1111"}, "not one of the test cards"),
            ({"number": ""}, "not one of the test cards"),
            ({"expiry": "10 / 26"}, "date is over"),
            ({"expiry": "13 / 34"}, "date is over"),
            ({"cvc": "12"}, "three digits"),
            ({"number": "371449635398431"}, "three digits, or four"),
        ],
    )
    def test_takes_nothing_but_a_test_card_that_is_filled_in_rightly(
        self, sandbox: SandboxProcess, reference: str, typed: dict[str, str], message: str
    ) -> None:
        session = create(sandbox, reference)
        page = press(sandbox, session, **({"number": VISA} | typed))
        assert message in page.text
        assert "4111" not in page.text
        assert fresh(sandbox, session).payment_intent is None

    def test_speaks_vietnamese(self, sandbox: SandboxProcess, reference: str) -> None:
        session = create(sandbox, reference, locale="vi")
        assert "Thẻ của bạn không đủ số dư." in press(sandbox, session, WITHOUT_FUNDS).text


class TestSessionEnd:
    def test_expires_on_request_and_cannot_be_paid_then(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        session = create(sandbox, reference)
        press(sandbox, session, DECLINED)
        ended = sandbox.stripe().v1.checkout.sessions.expire(session.id)
        assert ended.status == "expired"
        assert press(sandbox, session, VISA).status_code == 410
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == ("expired", 0)
        assert fresh(sandbox, session).payment_intent.status == "canceled"
        eventually(lambda: "checkout.session.expired" in shop.events(reference))
        with pytest.raises(stripe.InvalidRequestError):
            sandbox.stripe().v1.checkout.sessions.expire(session.id)

    def test_cannot_expire_once_it_is_paid(self, sandbox: SandboxProcess, reference: str) -> None:
        session = create(sandbox, reference)
        press(sandbox, session, VISA)
        with pytest.raises(stripe.InvalidRequestError):
            sandbox.stripe().v1.checkout.sessions.expire(session.id)
        assert fresh(sandbox, session).status == "complete"
        assert sandbox.charge(reference)["captured"] == 3998

    def test_expires_by_the_clock_also_after_a_restart(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        session = create(own_sandbox, reference)
        own_sandbox.end()
        own_sandbox.start()
        own_sandbox.control("clock", advance_s=86_401)
        assert fresh(own_sandbox, session).status == "expired"
        eventually(lambda: "checkout.session.expired" in own_shop.events(reference))

    def test_keeps_its_intent_from_being_confirmed_directly(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        session = create(sandbox, reference)
        press(sandbox, session, DECLINED)
        intent = fresh(sandbox, session).payment_intent.id
        intents = sandbox.stripe().v1.payment_intents
        for call in (intents.confirm, intents.cancel):
            with pytest.raises(stripe.InvalidRequestError):
                call(intent)


class TestAutomaticDecision:
    def test_pays_without_a_shopper(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", decision="approve")
        session = create(sandbox, reference)
        eventually(lambda: "checkout.session.completed" in shop.events(reference))
        assert sandbox.charge(reference)["captured"] == 3998
        answer = sandbox.http.get(session.url, allow_redirects=False, timeout=5)
        assert answer.headers["Location"] == f"http://127.0.0.1:9/ok?sid={session.id}"

    def test_can_be_told_before_the_session_is_answered(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", decision="approve", webhook={"order": "before_answer"})
        session = create(sandbox, reference)
        assert session.status == "open"
        assert "checkout.session.completed" in shop.events(reference)

    def test_leads_a_cancelling_shopper_back(self, sandbox: SandboxProcess, reference: str) -> None:
        sandbox.behaviour(gateway="stripe", decision="cancel")
        answer = sandbox.http.get(
            str(create(sandbox, reference).url), allow_redirects=False, timeout=5
        )
        assert answer.headers["Location"] == CANCEL

    def test_declines_and_leaves_the_page_open(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", decision="decline:insufficient_funds")
        session = create(sandbox, reference)
        eventually(lambda: "payment_intent.payment_failed" in shop.events(reference))
        assert fresh(sandbox, session).status == "open"

    def test_completes_unpaid_while_the_bank_is_silent(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", decision="pending")
        session = create(sandbox, reference)
        eventually(lambda: "checkout.session.completed" in shop.events(reference))
        waiting = fresh(sandbox, session)
        assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
        sandbox.control("decide", gateway="stripe", reference=reference, decision="approve")
        eventually(lambda: "checkout.session.async_payment_succeeded" in shop.events(reference))
        assert fresh(sandbox, session).payment_status == "paid"

    def test_follows_a_magic_amount(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        create(sandbox, reference, amount=17_302)
        eventually(lambda: "payment_intent.payment_failed" in shop.events(reference))


class TestRefusal:
    @pytest.mark.parametrize(
        ("changes", "param"),
        [
            ({"line_items": []}, "line_items"),
            ({"success_url": "ftp://x"}, "success_url"),
            ({"expires_at": 1}, "expires_at"),
            ({"mode": "subscription"}, "mode"),
            ({"ui_mode": "hosted"}, "ui_mode"),
            ({"payment_intent_data": {"amount": 5}}, "payment_intent_data[amount]"),
            ({"line_items": [{"quantity": 1}]}, "line_items[0][price_data]"),
        ],
    )
    def test_names_the_parameter(
        self, sandbox: SandboxProcess, reference: str, changes: dict[str, Any], param: str
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            create(sandbox, reference, **changes)
        assert caught.value.param == param
        assert sandbox.journal(reference=reference)["charges"] == []
