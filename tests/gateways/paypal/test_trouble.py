"""What is known when PayPal does not answer as it should, and what is kept of it."""

import pytest

from gateways.operation import Json, Verb
from gateways.outcome import OutcomeKind
from gateways.paypal.config import Config
from gateways.paypal.gateway import PaypalGateway
from tests.gateways.local_server import LocalServer, Reply, refused_url
from tests.gateways.paypal.account import OPTIONS, USD, created, details, order, refusal
from tests.gateways.paypal.asking import PAID
from tests.gateways.samples import operation, run


class TestTrouble:
    @pytest.mark.parametrize("verb", [Verb.CREATE, Verb.QUERY, Verb.CAPTURE, Verb.REFUND])
    @pytest.mark.parametrize(
        "reply",
        [
            Reply(500, b'{"name": "INTERNAL_SERVER_ERROR"}'),
            Reply(503, b"{}"),
            Reply(200, b"<html>"),
            Reply(200, b"[]"),
            Reply(200, b"{}"),
            Reply(302, b"", {"Location": "/elsewhere"}),
            Reply(415, b"{}"),
            Reply(200, b"{}", fault="reset"),
            Reply(200, b"{}", fault="cut"),
        ],
    )
    def test_is_unknown(
        self, paypal: PaypalGateway, server: LocalServer, verb: Verb, reply: Reply
    ) -> None:
        server.reply(reply)
        payment = details() if verb is Verb.CREATE else PAID
        outcome = run(paypal, operation(verb, payment, money=USD))
        assert outcome.kind is OutcomeKind.UNKNOWN
        assert outcome.exchange is not None
        assert len(server.received) == 1

    @pytest.mark.parametrize("status", [403, 429])
    @pytest.mark.parametrize(
        "body",
        [
            refusal("X", "NOT_AUTHORIZED"),
            {"error": "invalid_token", "error_description": "Token signature verification failed"},
        ],
    )
    def test_at_the_door_is_certainly_not_done(
        self, paypal: PaypalGateway, server: LocalServer, status: int, body: Json
    ) -> None:
        server.reply_json(body, status=status, Retry_After="30")
        outcome = run(paypal, operation(Verb.CAPTURE, created()))
        assert outcome.kind is OutcomeKind.NOT_DONE
        assert outcome.retry_after_s == 30

    @pytest.mark.parametrize("status", [400, 403, 404, 429])
    @pytest.mark.parametrize("body", [b"<html>Forbidden</html>", b'{"error": "Forbidden"}'])
    def test_of_somebody_on_the_way_is_unknown(
        self, paypal: PaypalGateway, server: LocalServer, status: int, body: bytes
    ) -> None:
        # A filter may throw away the answer to a capture that was made.
        server.reply(Reply(status, body, headers={"Retry-After": "30"}))
        outcome = run(paypal, operation(Verb.CAPTURE, created()))
        assert outcome.kind is OutcomeKind.UNKNOWN
        assert outcome.retry_after_s == (None if status == 400 else 30)

    def test_of_a_refused_connection_is_certainly_not_done(self) -> None:
        paypal = PaypalGateway(Config.from_settings({**OPTIONS, "api_base": refused_url()}))
        assert run(paypal, operation(Verb.CREATE, details())).kind is OutcomeKind.NOT_DONE


class TestTranscript:
    @pytest.mark.parametrize("status", [200, 503])
    def test_keeps_the_number_that_paypal_s_support_asks_for(
        self, paypal: PaypalGateway, server: LocalServer, status: int
    ) -> None:
        server.reply_json(order("CREATED"), status=status, PayPal_Debug_Id="f1b2c3d4e5a67")
        exchange = run(paypal, operation(Verb.QUERY, created())).exchange
        assert exchange is not None
        assert exchange.response["debug_id"] == "f1b2c3d4e5a67"
