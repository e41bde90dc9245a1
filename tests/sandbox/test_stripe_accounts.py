"""What a shop keeps at Stripe for itself: customers, their cards, and webhook endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import stripe

from tests.sandbox.sandbox_process import eventually

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import Received, SandboxProcess, Shop


def pay(sandbox: SandboxProcess, reference: str, **more: Any) -> Any:
    body = {"amount": 1000, "currency": "usd", "confirm": True,
            "metadata": {"reference": reference}, **more}  # fmt: skip
    return sandbox.stripe().v1.payment_intents.create(body)


class TestCustomers:
    def test_are_kept_changed_and_listed(self, sandbox: SandboxProcess, reference: str) -> None:
        customers = sandbox.stripe().v1.customers
        email = f"{reference}@shop.example"
        made = customers.create({"email": email, "name": "Linh", "metadata": {"since": "2026"}})
        changed = customers.update(made.id, {"name": "", "metadata": {"since": ""}})
        assert (changed.email, changed.name, changed.metadata.to_dict()) == (email, None, {})
        (found,) = customers.list({"email": email}).data
        assert found.id == made.id

    def test_leave_their_id_behind(self, sandbox: SandboxProcess, reference: str) -> None:
        customers = sandbox.stripe().v1.customers
        email = f"{reference}@shop.example"
        made = customers.create({"email": email})
        gone = {"id": made.id, "object": "customer", "deleted": True}
        assert customers.delete(made.id).to_dict() == gone
        assert customers.retrieve(made.id).to_dict() == gone
        assert customers.list({"email": email}).data == []
        with pytest.raises(stripe.InvalidRequestError) as caught:
            pay(sandbox, reference, customer=made.id, payment_method="pm_card_visa")
        assert (caught.value.http_status, caught.value.param) == (400, "customer")

    def test_pay_with_a_card_that_was_kept(self, sandbox: SandboxProcess, reference: str) -> None:
        client = sandbox.stripe().v1
        linh = client.customers.create({"name": "Linh"})
        card = client.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})
        client.payment_methods.attach(card.id, {"customer": linh.id})
        (kept,) = client.customers.payment_methods.list(linh.id).data
        assert (kept.id, kept.card.last4) == (card.id, "4444")
        paid = pay(sandbox, reference, customer=linh.id, payment_method=card.id,
                   expand=["latest_charge.customer"])  # fmt: skip
        assert (paid.status, paid.payment_method) == ("succeeded", card.id)
        assert paid.latest_charge.payment_method_details.card.brand == "mastercard"
        assert paid.latest_charge.customer.name == "Linh"
        with pytest.raises(stripe.InvalidRequestError, match="another customer"):
            pay(sandbox, reference, payment_method=card.id)
        assert client.payment_methods.detach(card.id).customer is None

    def test_are_made_by_a_page_that_makes_one_of_everybody(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", reference=reference, decision="approve")
        line = {"currency": "usd", "unit_amount": 1000, "product_data": {"name": "Tea"}}
        sessions = sandbox.stripe().v1.checkout.sessions
        made = sessions.create(
            {
                "mode": "payment",
                "success_url": "https://shop.example/ok",
                "client_reference_id": reference,
                "customer_creation": "always",
                "customer_email": "linh@shop.example",
                "line_items": [{"quantity": 1, "price_data": line}],
            }
        )
        found = eventually(lambda: sessions.retrieve(made.id).customer, "a customer")
        assert sandbox.stripe().v1.customers.retrieve(found).email == "linh@shop.example"


class TestObjects:
    def test_have_no_member_that_the_sdk_does_not_know(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        client = sandbox.stripe().v1
        linh = client.customers.create({"name": "Linh"})
        held = pay(sandbox, reference, customer=linh.id, payment_method="pm_card_createDispute",
                   capture_method="automatic", expand=["latest_charge.balance_transaction"],
                   receipt_email="linh@shop.example")  # fmt: skip
        charge = held.latest_charge
        assert (charge.customer, charge.receipt_email) == (linh.id, "linh@shop.example")
        (dispute,) = client.disputes.list({"payment_intent": held.id}).data
        method = client.payment_methods.retrieve(held.payment_method)
        for each in (linh, held, charge, charge.balance_transaction, dispute, method):
            assert set(each.to_dict()) <= {"object", *type(each).__annotations__}, each.object


class TestPaymentMethods:
    def test_are_found_by_the_id_that_a_payment_names(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        paid = pay(sandbox, reference, payment_method="pm_card_amex")
        assert (
            sandbox.stripe().v1.payment_methods.retrieve(paid.payment_method).card.brand == "amex"
        )

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({"type": "card", "card": {"number": "4242424242424242"}}, None),
            ({"type": "card"}, "card[token]"),
            ({"type": "card", "card": {"token": "tok_nobody"}}, "card[token]"),
            ({"type": "boleto"}, "type"),
        ],
    )
    def test_come_from_test_tokens_only(
        self, sandbox: SandboxProcess, body: dict[str, Any], param: str | None
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.stripe().v1.payment_methods.create(body)
        assert (caught.value.http_status, caught.value.param) == (400, param)

    def test_that_are_test_cards_are_declined_as_ever(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        methods = sandbox.stripe().v1.payment_methods
        card = methods.create({"type": "card", "card": {"token": "tok_chargeDeclined"}})
        with pytest.raises(stripe.CardError) as caught:
            pay(sandbox, reference, payment_method=card.id)
        assert caught.value.code == "card_declined"


def endpoint(sandbox: SandboxProcess, shop: Shop, **more: Any) -> Any:
    url = f"http://127.0.0.1:{shop.port}/of-its-own/stripe"
    body = {"url": url, "enabled_events": ["charge.succeeded"], **more}
    return sandbox.stripe().v1.webhook_endpoints.create(body)


def heard(shop: Shop, reference: str) -> list[Received]:
    return [got for got in shop.about(reference) if got.path.startswith("/of-its-own/")]


class TestWebhookEndpoints:
    def test_hear_what_they_asked_for_under_their_own_secret(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        made = endpoint(sandbox, shop)
        try:
            pay(sandbox, reference, payment_method="pm_card_visa")
            (got,) = eventually(lambda: heard(shop, reference))
        finally:
            sandbox.stripe().v1.webhook_endpoints.delete(made.id)
        header = got.headers["Stripe-Signature"]
        event = sandbox.stripe().construct_event(got.body, header, made.secret)
        assert event.type == "charge.succeeded"
        eventually(lambda: "payment_intent.succeeded" in shop.events(reference))
        assert len(heard(shop, reference)) == 1

    def test_tell_their_secret_once(self, sandbox: SandboxProcess, shop: Shop) -> None:
        endpoints = sandbox.stripe().v1.webhook_endpoints
        made = endpoint(sandbox, shop)
        assert made.secret.startswith("whsec_")
        (listed,) = endpoints.list().data
        assert (listed.id, "secret" in listed) == (made.id, False)
        assert endpoints.delete(made.id).deleted is True
        with pytest.raises(stripe.InvalidRequestError) as caught:
            endpoints.retrieve(made.id)
        assert caught.value.http_status == 404

    def test_are_not_tried_again_once_they_are_disabled(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        endpoints = sandbox.stripe().v1.webhook_endpoints
        made = endpoint(sandbox, shop)
        shop.answer = (500, b"")
        pay(sandbox, reference, payment_method="pm_card_visa")
        eventually(lambda: heard(shop, reference))
        assert endpoints.update(made.id, {"disabled": True}).status == "disabled"
        sandbox.control("clock", advance_s=86_400)
        # The endpoint of the environment hears all three tries more.
        other = "payment_intent.succeeded"
        eventually(lambda: shop.events(reference).count(other) == 4)
        assert len(heard(shop, reference)) == 1
        endpoints.delete(made.id)

    @pytest.mark.parametrize(
        ("changes", "param"),
        [
            ({"url": "shop.example"}, "url"),
            ({"enabled_events": []}, "enabled_events"),
            ({"enabled_events": ["everything"]}, "enabled_events"),
        ],
    )
    def test_need_an_address_and_events(
        self, sandbox: SandboxProcess, shop: Shop, changes: dict[str, Any], param: str
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            endpoint(sandbox, shop, **changes)
        assert (caught.value.http_status, caught.value.param) == (400, param)

    def test_elsewhere_are_kept_and_never_called(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        made = endpoint(sandbox, shop, url="https://shop.example/hook", enabled_events=["*"])
        pay(sandbox, reference, payment_method="pm_card_visa")
        sent = sandbox.journal(reference=reference)["webhooks"]
        sandbox.stripe().v1.webhook_endpoints.delete(made.id)
        assert sent
        assert not any(made.id in each["event_id"] for each in sent)
