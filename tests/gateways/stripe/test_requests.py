"""What is sent, checked against the SDK's own types and against the wire."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import stripe
from stripe.params import (
    PaymentIntentCancelParams,
    PaymentIntentCaptureParams,
    PaymentIntentCreateParams,
    PaymentIntentRetrieveParams,
    PaymentIntentSearchParams,
    RefundCreateParams,
    RefundListParams,
    RefundRetrieveParams,
)
from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionRetrieveParams,
)

from gateways.operation import CaptureMethod, Operation, PaymentDetails, UnsupportedOperation, Verb
from gateways.outcome import OutcomeKind
from gateways.stripe.client import API_VERSION
from gateways.stripe.gateway import StripeGateway
from money.money import Money
from tests.gateways.local_server import LocalServer
from tests.gateways.samples import CALL_REFERENCE, REFERENCE, details, operation, run
from tests.gateways.stripe import psp_samples
from tests.gateways.stripe.typed_params import problems

TOKEN = details(has_token=True)
HELD = details(
    psp_reference="pi_1", psp_data={"payment_intent": "pi_1"}, capture=CaptureMethod.MANUAL
)
PAGE = details(psp_reference="cs_test_1", psp_data={"checkout_session": "cs_test_1"})
PART = Money(40_000, "VND")

EVERY_REQUEST = [
    (operation(Verb.CREATE, TOKEN), PaymentIntentCreateParams),
    (
        operation(Verb.CREATE, replace(TOKEN, capture=CaptureMethod.MANUAL)),
        PaymentIntentCreateParams,
    ),
    (operation(Verb.CREATE, details()), SessionCreateParams),
    (
        operation(Verb.CREATE, details(capture=CaptureMethod.MANUAL, customer_email="")),
        SessionCreateParams,
    ),
    (operation(Verb.QUERY, details()), PaymentIntentSearchParams),
    (operation(Verb.QUERY, PAGE), SessionRetrieveParams),
    (operation(Verb.QUERY, HELD), PaymentIntentRetrieveParams),
    (operation(Verb.CAPTURE, HELD, money=PART), PaymentIntentCaptureParams),
    (operation(Verb.VOID, HELD), PaymentIntentCancelParams),
    (operation(Verb.CLOSE, HELD), PaymentIntentCancelParams),
    (operation(Verb.REFUND, HELD, money=PART), RefundCreateParams),
    (operation(Verb.CLOSE, PAGE), SessionExpireParams),
    (operation(Verb.QUERY_REFUND, HELD, refund_reference="r"), RefundListParams),
    (operation(Verb.QUERY_REFUND, HELD, refund_psp_reference="re_1"), RefundRetrieveParams),
]


def params(
    gateway: StripeGateway, verb: Verb, payment: PaymentDetails, **changes: Any
) -> dict[str, Any]:
    request = gateway.freeze(operation(verb, payment, **changes))
    assert isinstance(request["params"], dict)
    return request["params"]


class TestEveryRequest:
    @pytest.mark.parametrize(("asked", "hint"), EVERY_REQUEST)
    def test_fits_the_types_of_the_sdk(
        self, gateway: StripeGateway, asked: Operation, hint: Any
    ) -> None:
        assert list(problems(gateway.freeze(asked)["params"], hint)) == []

    def test_would_not_fit_with_a_parameter_that_stripe_dropped(self) -> None:
        dropped = {"amount": 1, "currency": "usd", "payment_method_types": ["card"]}
        assert list(problems(dropped, PaymentIntentCreateParams))

    @pytest.mark.parametrize(("asked", "hint"), EVERY_REQUEST)
    def test_can_be_stored_and_stays_the_same(
        self, gateway: StripeGateway, asked: Operation, hint: object
    ) -> None:
        frozen = gateway.freeze(asked)
        assert json.loads(json.dumps(frozen)) == frozen
        later = replace(asked, now=asked.now + timedelta(days=1))
        assert gateway.freeze(later) == frozen

    @pytest.mark.parametrize(
        "asked",
        [
            operation(Verb.VOID, details()),
            operation(Verb.CLOSE, details()),
            operation(Verb.CAPTURE, details(), money=PART),
            operation(Verb.REFUND, HELD),
            operation(Verb.CAPTURE, HELD),
            operation(Verb.CREATE, details(money=Money(5124, "KWD"))),
        ],
        ids=lambda asked: str(asked.verb),
    )
    def test_is_refused_where_an_id_or_an_amount_is_missing(
        self, gateway: StripeGateway, asked: Operation
    ) -> None:
        with pytest.raises(UnsupportedOperation):
            gateway.freeze(asked)


class TestCreateWithAToken:
    def test_confirms_at_once_and_comes_back_after_3d_secure(self, gateway: StripeGateway) -> None:
        sent = params(gateway, Verb.CREATE, TOKEN)
        assert sent["confirm"] is True
        assert sent["return_url"] == TOKEN.return_url
        assert (sent["amount"], sent["currency"]) == (100_000, "vnd")
        assert sent["metadata"]["reference"] == REFERENCE

    def test_holds_only_where_that_was_asked(self, gateway: StripeGateway) -> None:
        assert "capture_method" not in params(gateway, Verb.CREATE, TOKEN)
        held = params(gateway, Verb.CREATE, replace(TOKEN, capture=CaptureMethod.MANUAL))
        assert held["capture_method"] == "manual"

    @pytest.mark.parametrize(
        ("token", "name"),
        [("pm_card_visa", "payment_method"), ("ctoken_1abc", "confirmation_token")],
    )
    def test_sends_the_token_and_keeps_it_nowhere(
        self, gateway: StripeGateway, server: LocalServer, token: str, name: str
    ) -> None:
        server.reply_json(psp_samples.payment_intent())
        outcome = run(gateway, operation(Verb.CREATE, TOKEN, token=token))
        assert dict(parse_qsl(server.received[0].body.decode()))[name] == token
        assert outcome.exchange is not None
        assert token not in json.dumps(outcome.exchange.request)


class TestCreateAPage:
    def test_ends_when_our_link_ends(self, gateway: StripeGateway) -> None:
        sent = params(gateway, Verb.CREATE, details())
        assert sent["expires_at"] == int(details().expires_at.timestamp())
        assert gateway.link_lifetime > timedelta(minutes=30)

    def test_writes_our_reference_where_each_object_can_find_it(
        self, gateway: StripeGateway
    ) -> None:
        """The session's metadata stays on the session: charge and PaymentIntent need their own."""
        sent = params(gateway, Verb.CREATE, details())
        assert sent["client_reference_id"] == REFERENCE
        assert sent["metadata"]["reference"] == REFERENCE
        assert sent["payment_intent_data"]["metadata"]["reference"] == REFERENCE

    def test_lets_nobody_pay_in_another_currency(self, gateway: StripeGateway) -> None:
        assert params(gateway, Verb.CREATE, details())["adaptive_pricing"] == {"enabled": False}

    def test_shows_the_total_as_one_line(self, gateway: StripeGateway) -> None:
        (line,) = params(gateway, Verb.CREATE, details())["line_items"]
        assert line["quantity"] == 1
        assert line["price_data"]["unit_amount"] == 100_000


class TestTheWire:
    def test_names_version_and_key(self, gateway: StripeGateway, server: LocalServer) -> None:
        server.reply_json(psp_samples.payment_intent())
        run(gateway, operation(Verb.CREATE, TOKEN, token="pm_card_visa"))
        headers = server.received[0].headers
        assert headers["stripe-version"] == API_VERSION == "2026-10-28.endive"
        assert headers["idempotency-key"] == CALL_REFERENCE
        assert headers["authorization"] == "Bearer sk_test_abc123"

    def test_repeats_the_same_bytes_under_the_same_key(
        self, gateway: StripeGateway, server: LocalServer
    ) -> None:
        server.reply_json({}, 500)
        asked = operation(Verb.CREATE, details())
        run(gateway, asked)
        run(gateway, replace(asked, now=asked.now + timedelta(hours=3)))
        first, second = server.received
        assert first.body == second.body
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"]

    def test_sees_no_retry_by_the_sdk(self, gateway: StripeGateway, server: LocalServer) -> None:
        server.reply_json({}, 500, Stripe_Should_Retry="true")
        run(gateway, operation(Verb.CREATE, TOKEN, token="pm_card_visa"))
        assert len(server.received) == 1

    @pytest.mark.parametrize(
        ("asked", "method", "path"),
        [
            (operation(Verb.QUERY, HELD), "GET", "/v1/payment_intents/pi_1"),
            (operation(Verb.QUERY, PAGE), "GET", "/v1/checkout/sessions/cs_test_1"),
            (operation(Verb.QUERY, details()), "GET", "/v1/payment_intents/search"),
            (operation(Verb.CLOSE, PAGE), "POST", "/v1/checkout/sessions/cs_test_1/expire"),
            (operation(Verb.CLOSE, HELD), "POST", "/v1/payment_intents/pi_1/cancel"),
            (operation(Verb.VOID, HELD), "POST", "/v1/payment_intents/pi_1/cancel"),
            (operation(Verb.CAPTURE, HELD, money=PART), "POST", "/v1/payment_intents/pi_1/capture"),
            (operation(Verb.REFUND, HELD, money=PART), "POST", "/v1/refunds"),
            (operation(Verb.QUERY_REFUND, HELD), "GET", "/v1/refunds"),
            (
                operation(Verb.QUERY_REFUND, HELD, refund_psp_reference="re_1"),
                "GET",
                "/v1/refunds/re_1",
            ),
        ],
        ids=lambda value: str(getattr(value, "verb", value)),
    )
    def test_takes_each_verb_to_its_path(
        self, gateway: StripeGateway, server: LocalServer, asked: Operation, method: str, path: str
    ) -> None:
        server.reply_json({}, 500)
        assert run(gateway, asked).kind is OutcomeKind.UNKNOWN
        sent = server.received[0]
        assert (sent.method, urlsplit(sent.path).path) == (method, path)
        assert ("idempotency-key" in sent.headers) == (method == "POST")

    def test_searches_by_our_reference_when_the_creation_was_not_answered(
        self, gateway: StripeGateway, server: LocalServer
    ) -> None:
        server.reply_json({"data": []})
        run(gateway, operation(Verb.QUERY, details()))
        query = parse_qs(urlsplit(server.received[0].path).query)
        assert query["query"] == [f"metadata['reference']:'{REFERENCE}'"]

    def test_is_the_version_that_the_sdk_was_made_for(self) -> None:
        """A new SDK brings new types: then this version is raised on purpose, not by accident."""
        assert stripe.api_version == API_VERSION
