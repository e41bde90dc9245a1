"""What leaves for MoMo, byte by byte."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.momo.amounts import from_wire
from gateways.momo.config import Config, Keys
from gateways.momo.gateway import MomoGateway
from gateways.momo.requests import SIGNED_FIELDS, read_capture
from gateways.momo.signing import sign
from gateways.operation import CaptureMethod, Json, PaymentDetails, UnsupportedOperation, Verb
from money.money import Money
from tests.gateways.local_server import LocalServer
from tests.gateways.momo.wallet import OPTIONS
from tests.gateways.samples import CALL_REFERENCE, REFERENCE, details, operation, run

CONFIG = Config.from_settings({**OPTIONS, "api_base": "https://test-payment.momo.vn"})
PAID = details(psp_reference="4225107942", psp_data={"trans_id": "4225107942"})


def signed_text(body: Json) -> str:
    """What MoMo's rule for /create signs: these fields by name, raw, with the access key."""
    names = ("amount", "extraData", "ipnUrl", "orderId", "orderInfo", "partnerCode", "redirectUrl")
    fields = {name: body[name] for name in (*names, "requestId", "requestType")}
    pairs = {"accessKey": OPTIONS["access_key"], **fields}
    return "&".join(f"{name}={pairs[name]}" for name in sorted(pairs))


def body_of(verb: Verb, payment: PaymentDetails | None = None, **changes: object) -> Json:
    frozen = MomoGateway(CONFIG).freeze(operation(verb, payment, **changes))
    body = frozen["body"]
    assert isinstance(body, dict)
    return body


class TestCreate:
    def test_sends_whole_dong_and_both_references(self) -> None:
        body = body_of(Verb.CREATE)
        assert (body["amount"], body["orderId"], body["requestId"]) == (
            100_000,
            REFERENCE,
            CALL_REFERENCE,
        )
        assert type(body["amount"]) is int

    @pytest.mark.parametrize(
        ("method", "channel", "wanted"),
        [
            ("momo", "wallet", "captureWallet"),
            ("momo", "atm", "payWithATM"),
            ("momo", "card", "payWithCC"),
            ("momo", "", "payWithMethod"),
            ("card", "", "payWithCC"),
        ],
    )
    def test_goes_by_the_channel_that_was_asked_for(
        self, method: str, channel: str, wanted: str
    ) -> None:
        body = body_of(Verb.CREATE, details(method=method, channel=channel))
        assert body["requestType"] == wanted

    def test_goes_by_the_channel_of_the_settings_when_none_was_asked_for(self) -> None:
        for wanted in ("captureWallet", "payWithATM", "payWithCC", "payWithMethod"):
            config = replace(CONFIG, request_type=wanted)
            frozen = MomoGateway(config).freeze(operation(Verb.CREATE))
            assert frozen["body"]["requestType"] == wanted  # type: ignore[index]
            asked = operation(Verb.CREATE, details(channel="atm"))
            assert MomoGateway(config).freeze(asked)["body"]["requestType"] == "payWithATM"  # type: ignore[index]

    def test_holds_money_in_the_wallet_when_no_channel_was_asked_for(self) -> None:
        body = body_of(Verb.CREATE, details(capture=CaptureMethod.MANUAL))
        assert (body["requestType"], body["autoCapture"]) == ("captureWallet", False)
        by_card = body_of(Verb.CREATE, details(capture=CaptureMethod.MANUAL, channel="card"))
        assert (by_card["requestType"], by_card["autoCapture"]) == ("payWithCC", False)

    def test_cannot_be_told_of_a_hold_by_atm_card_or_of_an_unknown_channel(self) -> None:
        for changes in ({"capture": CaptureMethod.MANUAL, "channel": "atm"}, {"channel": "qr"}):
            with pytest.raises(UnsupportedOperation):
                body_of(Verb.CREATE, details(**changes))

    def test_signs_the_door(self, server: LocalServer) -> None:
        gateway = MomoGateway.from_settings({**OPTIONS, "api_base": server.url})
        server.reply_json({})
        run(gateway, operation(Verb.CREATE, details(channel="atm")))
        [sent] = server.received
        body = json.loads(sent.body)
        given = body.pop("signature")
        assert (
            given
            == hmac.new(
                OPTIONS["secret_key"].encode(), signed_text(body).encode(), hashlib.sha256
            ).hexdigest()
        )
        assert "&requestType=payWithATM" in signed_text(body)

    def test_lets_the_mode_of_capture_travel_along(self) -> None:
        for capture, automatic in ((CaptureMethod.AUTOMATIC, True), (CaptureMethod.MANUAL, False)):
            body = body_of(Verb.CREATE, details(capture=capture))
            assert body["autoCapture"] is automatic
            assert read_capture(body["extraData"]) == capture

    def test_falls_back_to_the_order_number_and_cuts_long_texts(self) -> None:
        assert body_of(Verb.CREATE)["orderInfo"] == "ORD-1001"
        long = body_of(Verb.CREATE, details(description="Bánh  mì\n" + "x" * 300))["orderInfo"]
        assert isinstance(long, str)
        assert long.startswith("Bánh mì x")
        assert len(long) == 255

    def test_tells_the_email_only_to_the_card_page(self) -> None:
        assert "linh@example.com" not in json.dumps(body_of(Verb.CREATE))
        body = body_of(Verb.CREATE, details(channel="card"))
        assert body["userInfo"] == {"email": "linh@example.com"}

    def test_refuses_any_other_currency(self) -> None:
        with pytest.raises(UnsupportedOperation):
            body_of(Verb.CREATE, details(money=Money(1000, "USD")))

    @given(st.integers(min_value=1_000, max_value=50_000_000))
    def test_carries_every_amount_there_and_back(self, minor: int) -> None:
        body = body_of(Verb.CREATE, details(money=Money(minor, "VND")))
        assert from_wire(json.loads(json.dumps(body))["amount"]) == Money(minor, "VND")


class TestDoors:
    @pytest.mark.parametrize(
        ("method", "channel", "limits", "can_hold"),
        [
            ("momo", "", (1_000, 50_000_000), True),
            ("momo", "wallet", (1_000, 50_000_000), True),
            ("momo", "atm", (10_000, 50_000_000), False),
            ("momo", "card", (1_000, 10_000_000), True),
            ("card", "", (1_000, 10_000_000), True),
        ],
    )
    def test_have_limits_of_their_own(
        self, method: str, channel: str, limits: tuple[int, int], *, can_hold: bool
    ) -> None:
        gateway = MomoGateway(CONFIG)
        assert gateway.limits(method, channel) == {"VND": limits}
        assert gateway.can_hold(method, channel) is can_hold

    def test_have_those_of_the_settings_door_where_none_is_named(self) -> None:
        gateway = MomoGateway(replace(CONFIG, request_type="payWithATM"))
        assert gateway.limits("momo", "") == {"VND": (10_000, 50_000_000)}
        assert not gateway.can_hold("momo", "")
        assert gateway.limits("momo", "wallet") == {"VND": (1_000, 50_000_000)}


class TestRefundLimits:
    @pytest.mark.parametrize(
        ("channel", "pay_type", "smallest"),
        [
            ("", "", 1_000),
            ("", "qr", 1_000),
            ("", "napas", 10_000),
            ("", "credit", 1_000),
            ("atm", "", 10_000),
            ("atm", "napas", 10_000),
            ("wallet", "webApp", 1_000),
        ],
    )
    def test_are_those_of_the_way_the_shopper_paid(
        self, channel: str, pay_type: str, smallest: int
    ) -> None:
        paid = replace(PAID, channel=channel, psp_data={"trans_id": "42", "pay_type": pay_type})
        assert MomoGateway(CONFIG).refund_limits(paid) == (smallest, 50_000_000)
        body = body_of(Verb.REFUND, paid, money=Money(smallest, "VND"))
        assert body["amount"] == smallest
        for refused in (0, smallest - 1, 50_000_001):
            with pytest.raises(UnsupportedOperation, match=f"{smallest:,} to 50,000,000 đồng"):
                body_of(Verb.REFUND, paid, money=Money(refused, "VND"))


class TestOtherVerbs:
    def test_refund_is_an_order_of_its_own_about_momos_number(self) -> None:
        body = body_of(Verb.REFUND, PAID, money=Money(40_000, "VND"))
        assert body["orderId"] == CALL_REFERENCE
        assert (body["transId"], body["amount"]) == (4225107942, 40_000)

    def test_refund_without_momos_number_is_refused_here(self) -> None:
        with pytest.raises(UnsupportedOperation):
            body_of(Verb.REFUND, money=Money(1_000, "VND"))

    def test_query_asks_with_a_request_id_of_its_own(self) -> None:
        body = body_of(Verb.QUERY)
        assert (body["orderId"], body["requestId"]) == (REFERENCE, CALL_REFERENCE)

    def test_query_of_a_refund_asks_by_the_refunds_order_id(self) -> None:
        body = body_of(Verb.QUERY_REFUND, refund_reference="f00d" * 8)
        assert (body["orderId"], body["requestId"]) == ("f00d" * 8, CALL_REFERENCE)
        with pytest.raises(UnsupportedOperation):
            body_of(Verb.QUERY_REFUND)

    def test_confirm_captures_or_cancels_the_whole_hold(self) -> None:
        assert body_of(Verb.CAPTURE)["requestType"] == "capture"
        void = body_of(Verb.VOID)
        assert (void["requestType"], void["amount"]) == ("cancel", 100_000)
        with pytest.raises(UnsupportedOperation):
            body_of(Verb.CAPTURE, money=Money(50_000, "VND"))

    def test_close_does_not_exist(self) -> None:
        with pytest.raises(UnsupportedOperation):
            body_of(Verb.CLOSE)


class TestWire:
    def test_adds_the_signature_of_the_newest_keys(
        self, momo: MomoGateway, server: LocalServer
    ) -> None:
        server.reply_json({})
        for verb in (Verb.CREATE, Verb.QUERY, Verb.CAPTURE, Verb.VOID, Verb.REFUND):
            run(momo, operation(verb, PAID))
            sent = json.loads(server.received[-1].body)
            keys = Keys(OPTIONS["access_key"], OPTIONS["secret_key"])
            assert sent["signature"] == sign(SIGNED_FIELDS[verb], sent, keys)
            assert "accessKey" not in sent

    def test_repeats_the_same_bytes_even_out_of_a_store_that_reorders(
        self, momo: MomoGateway, server: LocalServer
    ) -> None:
        server.reply_json({})
        frozen = momo.freeze(operation(Verb.CREATE))
        body = frozen["body"]
        assert isinstance(body, dict)
        shuffled = {"body": dict(reversed(body.items())), "path": frozen["path"]}
        for request in (frozen, shuffled):
            momo.perform(replace(operation(Verb.CREATE), request=request))
        assert server.received[0].body == server.received[1].body

    def test_posts_utf_8_json_to_each_path(self, momo: MomoGateway, server: LocalServer) -> None:
        server.reply_json({})
        named = details(description="Nạp tiền", psp_reference="1")
        paths = []
        for verb in (Verb.CREATE, Verb.QUERY, Verb.CAPTURE, Verb.REFUND, Verb.QUERY_REFUND):
            run(momo, operation(verb, named, refund_reference="aa"))
            paths.append(server.received[-1].path.removeprefix("/v2/gateway/api/"))
        assert paths == ["create", "query", "confirm", "refund", "refund/query"]
        assert "Nạp tiền".encode() in server.received[0].body
        assert server.received[0].headers["content-type"] == "application/json; charset=UTF-8"

    def test_keeps_neither_signature_nor_keys_nor_email(
        self, momo: MomoGateway, server: LocalServer
    ) -> None:
        server.reply_json({"signature": "ab" * 32})
        outcome = run(momo, operation(Verb.CREATE))
        kept = (
            repr(outcome.exchange)
            + repr(momo._config)
            + json.dumps(momo.freeze(operation(Verb.CREATE)))
        )
        for secret in (OPTIONS["secret_key"], OPTIONS["access_key"], "ab" * 32):
            assert secret not in kept


class TestReadCapture:
    @pytest.mark.parametrize(
        "text",
        ["", "###", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"capture":1}').decode()],
    )
    def test_knows_nothing_from_what_is_not_ours(self, text: str) -> None:
        assert read_capture(text) is None


class TestConfig:
    def test_names_what_is_missing(self) -> None:
        with pytest.raises(ValueError, match="secret_key, api_base"):
            Config.from_settings({"partner_code": "a", "access_key": "b"})

    def test_refuses_unknown_pages_bad_pairs_and_plain_http(self) -> None:
        good = {**OPTIONS, "api_base": "https://payment.momo.vn"}
        bad = {"request_type": "linkWallet", "previous_keys": "only-one", "api_base": "http://a.vn"}
        for name, value in bad.items():
            with pytest.raises(ValueError, match=name):
                Config.from_settings({**good, name: value})

    def test_is_live_by_the_host_alone(self) -> None:
        assert not CONFIG.live
        assert Config.from_settings({**OPTIONS, "api_base": "https://payment.momo.vn/"}).live
