"""The bearer token: one for many calls, renewed early, and once after a 401."""

import json
import threading

import pytest

from gateways.operation import Verb
from gateways.outcome import OutcomeKind
from gateways.paypal.config import Config
from gateways.paypal.gateway import PaypalGateway
from gateways.paypal.tokens import TokenCache
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.paypal.account import OPTIONS, TOKEN, created, order
from tests.gateways.samples import operation, run

TOKEN_PATH = "/v1/oauth2/token"


def reply(content: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(content).encode())


@pytest.fixture
def fresh(server: LocalServer) -> PaypalGateway:
    return PaypalGateway(Config.from_settings({**OPTIONS, "api_base": server.url}))


def paths(server: LocalServer) -> list[str]:
    return ["token" if request.path == TOKEN_PATH else "call" for request in server.received]


class TestToken:
    def test_is_asked_for_with_basic_credentials_and_a_form(
        self, fresh: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply_json(TOKEN)
        fresh._tokens.get()
        request = server.received[0]
        assert request.body == b"grant_type=client_credentials"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.headers["authorization"].startswith("Basic ")

    def test_serves_many_calls(self, fresh: PaypalGateway, server: LocalServer) -> None:
        server.reply(reply(TOKEN), reply(order("CREATED")))
        for _ in range(3):
            run(fresh, operation(Verb.QUERY, created()))
        assert paths(server) == ["token", "call", "call", "call"]

    def test_is_fetched_once_by_threads_that_want_it_together(
        self, fresh: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply(Reply(200, json.dumps(TOKEN).encode(), stall_s=0.1))
        threads = [threading.Thread(target=fresh._tokens.get) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert paths(server) == ["token"]

    @pytest.mark.parametrize(
        ("life_s", "status", "good_for_s"),
        [(31668, 200, 31360), (100, 200, 89), ("31668", 201, 31360)],
    )
    def test_is_renewed_before_it_ends(
        self,
        fresh: PaypalGateway,
        server: LocalServer,
        life_s: int | str,
        status: int,
        good_for_s: int,
    ) -> None:
        server.reply_json({**TOKEN, "expires_in": life_s}, status)
        now = [0.0]
        cache = TokenCache(fresh._config, fresh._quick, clock=lambda: now[0])
        for second, fetched in ((0, 1), (good_for_s, 1), (good_for_s + 10, 2)):
            now[0] = second
            cache.get()
            assert len(server.received) == fetched

    def test_is_replaced_once_after_a_401(self, paypal: PaypalGateway, server: LocalServer) -> None:
        new = {**TOKEN, "access_token": "second"}
        server.reply(reply({}, 401), reply(new), reply(order("CREATED")))
        outcome = run(paypal, operation(Verb.QUERY, created()))
        assert outcome.kind is OutcomeKind.UNPAID
        assert paths(server) == ["call", "token", "call"]
        assert server.received[2].headers["authorization"] == "Bearer second"

    def test_that_is_refused_twice_is_a_matter_of_credentials(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        refused = reply({"error": "invalid_token", "error_description": "x"}, 401)
        server.reply(refused, reply(TOKEN), refused)
        outcome = run(paypal, operation(Verb.CAPTURE, created()))
        assert outcome.kind is OutcomeKind.NOT_DONE
        assert paths(server) == ["call", "token", "call"]

    def test_that_somebody_on_the_way_refuses_proves_nothing(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply(reply({}, 401), reply(TOKEN), reply({}, 401))
        outcome = run(paypal, operation(Verb.CAPTURE, created()))
        assert outcome.kind is OutcomeKind.UNKNOWN

    def test_that_came_meanwhile_is_not_thrown_away(self, paypal: PaypalGateway) -> None:
        paypal._tokens.discard("an older one")
        assert paypal._tokens.get() == TOKEN["access_token"]


class TestWithoutToken:
    @pytest.mark.parametrize(
        "answer",
        [
            reply({"error": "invalid_client", "error_description": "x"}, 401),
            reply({}, 429),
            reply({}, 500),
            reply({**TOKEN, "expires_in": "soon"}),
            reply({**TOKEN, "expires_in": 0}),
            reply({**TOKEN, "expires_in": True}),
            reply({**TOKEN, "expires_in": "-5"}),
            reply({**TOKEN, "access_token": "two\r\nlines"}),
            reply({**TOKEN, "access_token": ""}),
            Reply(200, b"<html>"),
            Reply(200, b"{}", fault="reset"),
        ],
    )
    def test_nothing_was_sent_and_everybody_can_be_sure_of_it(
        self, fresh: PaypalGateway, server: LocalServer, answer: Reply
    ) -> None:
        server.reply(answer)
        outcome = run(fresh, operation(Verb.CAPTURE, created()))
        assert outcome.kind is OutcomeKind.NOT_DONE
        assert outcome.exchange is not None
        assert OPTIONS["secret"] not in repr(outcome)
        assert paths(server) == ["token"]

    def test_paypals_word_and_wish_are_kept(
        self, fresh: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply_json({"error": "invalid_client"}, status=401, Retry_After="9")
        outcome = run(fresh, operation(Verb.CREATE, created()))
        assert outcome.failure is not None
        assert (outcome.failure.gateway_code, outcome.retry_after_s) == ("invalid_client", 9)


class TestTime:
    def test_of_all_exchanges_together_fits_the_promised_timeout(
        self, paypal: PaypalGateway
    ) -> None:
        connect_s, call_s = 3.0, 15.0
        token_s = connect_s + 2 * 5.0
        once = connect_s + 2 * call_s
        # Another try starts only within 5 s of the first.
        worst_s = max(token_s + once, 5.0 + token_s + once)
        assert worst_s <= paypal.connect_timeout_s + paypal.read_timeout_s
