"""Creating a payment: a signed link and no call."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from gateways.operation import UnsupportedOperation, Verb
from gateways.outcome import OutcomeKind
from gateways.vnpay.gateway import VnpayGateway
from money.money import Money
from tests.gateways.local_server import LocalServer
from tests.gateways.samples import REFERENCE, details, operation, run
from tests.gateways.vnpay.psp_samples import TMN_CODE, hmac_sha512


def link(gateway: VnpayGateway, **changes: object) -> str:
    outcome = run(gateway, operation(Verb.CREATE, details(**changes)))
    assert outcome.next_action is not None
    return outcome.next_action.url


class TestTheLink:
    def test_is_made_without_any_call(self, gateway: VnpayGateway, server: LocalServer) -> None:
        outcome = run(gateway, operation(Verb.CREATE))
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert outcome.reference == REFERENCE
        assert server.received == []

    def test_holds_exactly_the_parameters_of_the_table(self, gateway: VnpayGateway) -> None:
        query = parse_qs(urlsplit(link(gateway)).query, strict_parsing=True)
        del query["vnp_SecureHash"]
        assert {name: values[0] for name, values in query.items()} == {
            "vnp_Version": "2.1.0",
            "vnp_Command": "pay",
            "vnp_TmnCode": TMN_CODE,
            "vnp_Amount": "10000000",
            "vnp_CurrCode": "VND",
            "vnp_TxnRef": REFERENCE,
            "vnp_OrderInfo": "Thanh toan don hang ORD-1001",
            "vnp_OrderType": "other",
            "vnp_Locale": "vn",
            "vnp_IpAddr": "113.160.92.202",
            "vnp_ReturnUrl": "https://shop.example.vn/checkout/return",
            "vnp_CreateDate": "20261122103000",
            "vnp_ExpireDate": "20261122104500",
        }

    @pytest.mark.parametrize(
        ("method", "channel", "code"),
        [
            ("vnpay", "qr", "VNPAYQR"),
            ("vnpay", "bank", "VNBANK"),
            ("vnpay", "international_card", "INTCARD"),
            ("vnpay", "NCB", "NCB"),
            ("card", "", "INTCARD"),
        ],
    )
    def test_leads_through_the_channel_that_was_asked_for(
        self, gateway: VnpayGateway, method: str, channel: str, code: str
    ) -> None:
        query = urlsplit(link(gateway, method=method, channel=channel)).query
        text, _, signature = query.partition("&vnp_SecureHash=")
        assert f"vnp_Amount=10000000&vnp_BankCode={code}&vnp_Command=pay&" in text
        assert signature == hmac_sha512(text)

    @pytest.mark.parametrize("channel", ["ncb", "NC", "N" * 21, "VN BANK", "NCB&vnp_Amount=1"])
    def test_is_not_made_for_what_no_bank_is_called(
        self, gateway: VnpayGateway, channel: str
    ) -> None:
        assert not gateway.has_channel("vnpay", channel)
        with pytest.raises(UnsupportedOperation):
            link(gateway, channel=channel)

    def test_is_signed_over_the_text_it_carries(self, gateway: VnpayGateway) -> None:
        text, _, signature = urlsplit(link(gateway)).query.partition("&vnp_SecureHash=")
        assert signature == hmac_sha512(text)
        assert "Thanh+toan+don+hang" in text

    def test_signs_a_text_as_it_is(self, gateway: VnpayGateway) -> None:
        """The word "undefined" is a text like any other; one library takes it out."""
        query = urlsplit(link(gateway, description="undefined 7")).query
        text, _, signature = query.partition("&vnp_SecureHash=")
        assert "vnp_OrderInfo=undefined+7&" in text
        assert signature == hmac_sha512(text)

    def test_carries_no_diacritics(self, gateway: VnpayGateway) -> None:
        assert "vnp_OrderInfo=Ca+phe+sua+da&" in link(gateway, description="Cà phê sữa đá")

    def test_falls_back_to_our_reference_where_no_text_is_left(self, gateway: VnpayGateway) -> None:
        assert f"vnp_OrderInfo={REFERENCE}&" in link(gateway, description="咖啡")

    def test_is_in_english_for_everybody_else(self, gateway: VnpayGateway) -> None:
        assert "vnp_Locale=en&" in link(gateway, locale="en")

    def test_stays_the_same_however_late_it_is_made(self, gateway: VnpayGateway) -> None:
        asked = operation(Verb.CREATE)
        later = replace(asked, now=asked.now + timedelta(days=1))
        assert gateway.freeze(asked) == gateway.freeze(later)


class TestWhatVnpayCannotDo:
    @pytest.mark.parametrize("verb", [Verb.CAPTURE, Verb.VOID, Verb.CLOSE])
    def test_is_refused_before_anything_is_sent(self, gateway: VnpayGateway, verb: Verb) -> None:
        with pytest.raises(UnsupportedOperation):
            gateway.freeze(operation(verb))

    def test_is_another_currency(self, gateway: VnpayGateway) -> None:
        with pytest.raises(UnsupportedOperation):
            gateway.freeze(operation(Verb.CREATE, details(money=Money(100, "USD"))))

    def test_is_a_second_question_within_five_minutes(self, gateway: VnpayGateway) -> None:
        assert gateway.query_interval_min == timedelta(minutes=5)
        assert min(gateway.query_schedule) >= gateway.query_interval_min
