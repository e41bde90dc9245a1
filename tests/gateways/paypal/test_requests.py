"""What leaves for PayPal, and that PayPal's published schemas accept it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from gateways.operation import CaptureMethod, Json, PaymentDetails, UnsupportedOperation, Verb
from gateways.paypal.config import Config
from gateways.paypal.gateway import PaypalGateway
from gateways.paypal.requests import BUILDERS
from money.money import Money
from tests.gateways.local_server import LocalServer
from tests.gateways.paypal.account import OPTIONS, ORDER, TOKEN, USD, created, details, order
from tests.gateways.samples import CALL_REFERENCE, REFERENCE, operation, run

CONFIG = Config.from_settings({**OPTIONS, "api_base": "https://api-m.sandbox.paypal.com"})
HELD = created(capture=CaptureMethod.MANUAL, psp_data={"authorization_id": "AUTH1"})
PAID = created(psp_data={"capture_id": "CAP1"})
SCHEMAS = json.loads((Path(__file__).parent / "request_schemas.json").read_text())


def frozen(verb: Verb, payment: PaymentDetails | None = None, **changes: Any) -> dict[str, Any]:
    return BUILDERS[verb](operation(verb, payment or created(), **changes), CONFIG)


class TestCreate:
    def test_makes_one_unit_with_our_reference_in_it(self) -> None:
        body = frozen(Verb.CREATE)["body"]
        (unit,) = body["purchase_units"]
        assert unit["amount"] == {"currency_code": "USD", "value": "19.99"}
        assert (unit["custom_id"], unit["invoice_id"]) == (REFERENCE, REFERENCE)
        assert body["intent"] == "CAPTURE"

    def test_asks_to_hold_only_for_manual_capture(self) -> None:
        assert (
            frozen(Verb.CREATE, details(capture=CaptureMethod.MANUAL))["body"]["intent"]
            == "AUTHORIZE"
        )

    def test_uses_no_deprecated_field(self) -> None:
        body = frozen(Verb.CREATE)["body"]
        assert not {"application_context", "payer"} & body.keys()

    def test_refuses_echecks_and_shipping_and_names_both_returns(self) -> None:
        context = frozen(Verb.CREATE)["body"]["payment_source"]["paypal"]["experience_context"]
        assert context["payment_method_preference"] == "IMMEDIATE_PAYMENT_REQUIRED"
        assert context["shipping_preference"] == "NO_SHIPPING"
        assert context["user_action"] == "PAY_NOW"
        assert context["return_url"].endswith("/checkout/return")
        assert context["cancel_url"].endswith("/checkout/cancel")
        assert context["locale"] == "en-US"

    def test_leaves_a_language_out_that_paypal_does_not_name(self) -> None:
        body = frozen(Verb.CREATE, details(locale="vi"))["body"]
        assert "locale" not in body["payment_source"]["paypal"]["experience_context"]

    def test_shows_the_brand_and_a_short_description(self) -> None:
        config = replace(CONFIG, brand_name="Demo Shop")
        made = BUILDERS[Verb.CREATE](
            operation(Verb.CREATE, details(description="x " * 200)), config
        )
        text = json.dumps(made)
        assert '"brand_name": "Demo Shop"' in text
        (unit,) = made["body"]["purchase_units"]  # type: ignore[index]
        assert len(unit["description"]) <= 127

    def test_refuses_dong(self) -> None:
        with pytest.raises(UnsupportedOperation):
            frozen(Verb.CREATE, details(money=Money(100_000, "VND")))


class TestPaths:
    def test_complete_the_order_in_the_mode_it_was_made_for(self) -> None:
        assert frozen(Verb.CAPTURE)["path"] == f"/v2/checkout/orders/{ORDER}/capture"
        manual = frozen(Verb.CAPTURE, created(capture=CaptureMethod.MANUAL))
        assert (manual["path"], manual["body"]) == (f"/v2/checkout/orders/{ORDER}/authorize", {})

    def test_take_a_part_of_a_hold_and_close_the_rest(self) -> None:
        made = frozen(Verb.CAPTURE, HELD, money=Money(1000, "USD"))
        assert made["path"] == "/v2/payments/authorizations/AUTH1/capture"
        assert made["body"]["amount"]["value"] == "10.00"
        assert made["body"]["final_capture"] is True

    def test_never_take_a_hold_for_an_approval_that_is_told_again(self) -> None:
        # Without an amount nobody asked for the money: it is the order that is completed.
        assert frozen(Verb.CAPTURE, HELD)["path"] == f"/v2/checkout/orders/{ORDER}/authorize"
        with pytest.raises(UnsupportedOperation):
            frozen(Verb.CAPTURE, created(capture=CaptureMethod.MANUAL), money=USD)

    def test_take_an_order_only_whole(self) -> None:
        with pytest.raises(UnsupportedOperation):
            frozen(Verb.CAPTURE, money=Money(1000, "USD"))

    def test_void_the_hold(self) -> None:
        assert frozen(Verb.VOID, HELD)["path"] == "/v2/payments/authorizations/AUTH1/void"

    def test_refund_the_capture_and_never_the_order(self) -> None:
        made = frozen(Verb.REFUND, PAID, money=Money(500, "USD"))
        assert made["path"] == "/v2/payments/captures/CAP1/refund"
        assert made["body"]["amount"] == {"currency_code": "USD", "value": "5.00"}
        assert made["body"]["custom_id"] == made["body"]["invoice_id"] == CALL_REFERENCE
        with pytest.raises(UnsupportedOperation):
            frozen(Verb.REFUND, created(), money=USD)

    def test_ask_for_a_refund_by_its_id_or_else_by_its_order(self) -> None:
        by_id = frozen(Verb.QUERY_REFUND, PAID, refund_psp_reference="R1")
        by_order = frozen(Verb.QUERY_REFUND, PAID, refund_reference="aa")
        assert by_id["path"] == "/v2/payments/refunds/R1"
        assert by_order["path"] == f"/v2/checkout/orders/{ORDER}"
        with pytest.raises(UnsupportedOperation):
            frozen(Verb.QUERY_REFUND, PAID)

    @pytest.mark.parametrize("bad", ["", "../orders", "A B", "A/B", "a?b", "x" * 65])
    def test_take_no_id_that_could_lead_elsewhere(self, bad: str) -> None:
        for verb, payment in (
            (Verb.CAPTURE, replace(created(), psp_reference=bad)),
            (Verb.VOID, created(psp_data={"authorization_id": bad})),
            (Verb.REFUND, created(psp_data={"capture_id": bad})),
        ):
            with pytest.raises(UnsupportedOperation):
                frozen(verb, payment)

    def test_close_does_not_exist(self) -> None:
        with pytest.raises(UnsupportedOperation, match="runs out by itself"):
            PaypalGateway(CONFIG).freeze(operation(Verb.CLOSE, created()))


class TestWire:
    def test_sends_key_token_and_the_wish_for_the_long_form(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply_json(order("PAYER_ACTION_REQUIRED"))
        run(paypal, operation(Verb.CREATE, details()))
        headers = server.received[0].headers
        assert headers["paypal-request-id"] == CALL_REFERENCE
        assert headers["authorization"] == f"Bearer {TOKEN['access_token']}"
        assert headers["prefer"] == "return=representation"
        assert headers["content-type"] == "application/json"

    def test_sends_an_empty_object_where_there_is_nothing_to_say(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply_json(order("COMPLETED"))
        run(paypal, operation(Verb.CAPTURE, created()))
        assert server.received[0].body == b"{}"

    def test_sends_no_key_with_a_question(self, paypal: PaypalGateway, server: LocalServer) -> None:
        server.reply_json(order("CREATED"))
        run(paypal, operation(Verb.QUERY, created()))
        assert server.received[0].method == "GET"
        assert "paypal-request-id" not in server.received[0].headers

    def test_repeats_the_same_bytes_and_key_out_of_a_store_that_reorders(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply_json(order("CREATED"))
        made = operation(Verb.CREATE, details())
        request = paypal.freeze(made)
        for stored in (request, _reordered(request)):
            paypal.perform(replace(made, request=stored))
        first, second = server.received
        assert first.body == second.body
        assert first.headers["paypal-request-id"] == second.headers["paypal-request-id"]

    def test_keeps_no_token_no_secret_and_nobody_personal(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply_json(order("CREATED"))
        outcome = run(paypal, operation(Verb.CREATE, details()))
        kept = repr(outcome) + repr(paypal._config)
        for private in (TOKEN["access_token"], OPTIONS["secret"], "Linh", "linh@", "shop@"):
            assert str(private) not in kept

    def test_asks_nobody_about_an_order_whose_id_never_came(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        outcome = run(paypal, operation(Verb.QUERY, details()))
        assert outcome.kind == "UNPAID"
        assert server.received == []


class TestPublishedSchemas:
    """``request_schemas.json`` is the part of PayPal's OpenAPI files that these calls use."""

    @pytest.mark.parametrize(
        ("schema", "body"),
        [
            ("order_request", frozen(Verb.CREATE)["body"]),
            (
                "order_request",
                frozen(Verb.CREATE, details(locale="vi", capture=CaptureMethod.MANUAL))["body"],
            ),
            ("order_capture_request", frozen(Verb.CAPTURE)["body"]),
            (
                "order_authorize_request",
                frozen(Verb.CAPTURE, created(capture=CaptureMethod.MANUAL))["body"],
            ),
            ("capture_request", frozen(Verb.CAPTURE, HELD, money=USD)["body"]),
            ("refund_request", frozen(Verb.REFUND, PAID, money=USD)["body"]),
        ],
    )
    def test_accept_what_we_send(self, schema: str, body: Json) -> None:
        assert _errors(schema, body) == []

    def test_would_notice_a_mistake(self) -> None:
        body = frozen(Verb.CREATE)["body"]
        body["purchase_units"][0]["amount"]["value"] = "19,99"
        body["intent"] = "SALE"
        assert len(_errors("order_request", body)) == 2

    def test_know_every_field_that_we_send(self) -> None:
        # Their schemas let unknown properties pass, so a typo would go unnoticed.
        known = json.dumps(SCHEMAS)
        for verb, payment in ((Verb.CREATE, details()), (Verb.CAPTURE, HELD), (Verb.REFUND, PAID)):
            for name in _names(frozen(verb, payment, money=USD)["body"]):
                assert f'"{name}":' in known, name


def _reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reordered(item) for name, item in reversed(value.items())}
    return [_reordered(item) for item in value] if isinstance(value, list) else value


def _errors(schema: str, body: Json) -> list[str]:
    root = {**SCHEMAS, "allOf": [{"$ref": f"#/components/schemas/{schema}"}]}
    validator = Draft4Validator(root)
    return [error.message for error in validator.iter_errors(body)]


def _names(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for item in value.values() for name in _names(item)}
    return {name for item in value for name in _names(item)} if isinstance(value, list) else set()
