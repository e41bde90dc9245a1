"""IPNs: genuine or not, what they say, and what VNPAY hears."""

import hmac
import json
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest

from gateways.outcome import FailureCode, Outcome, OutcomeKind
from gateways.vnpay.gateway import VnpayGateway
from gateways.webhook import Delivery, Notice, WebhookRefused, WebhookResult
from money.money import Money
from tests.gateways.samples import REFERENCE
from tests.gateways.vnpay.psp_samples import (
    OLD_SECRET,
    SECRET,
    TMN_CODE,
    hmac_sha512,
    ipn_query,
    ipn_values,
)


def read(gateway: VnpayGateway, query_string: str) -> Notice:
    delivery = Delivery(b"", query_string, {}, datetime(2026, 11, 22, tzinfo=UTC))
    (notice,) = gateway.read_webhook(delivery)
    return notice


def outcome(gateway: VnpayGateway, **changes: str) -> Outcome:
    said = read(gateway, ipn_query(**changes)).outcome
    assert said is not None
    return said


class TestAGenuineIpn:
    def test_says_what_was_paid_to_whom(self, gateway: VnpayGateway) -> None:
        notice = read(gateway, ipn_query())
        assert (notice.reference, notice.psp_reference) == (REFERENCE, "14226112")
        said = notice.outcome
        assert said is not None
        assert said.kind is OutcomeKind.SUCCEEDED
        assert said.money == Money(100_000, "VND")
        assert (said.reference, said.account, said.live) == (REFERENCE, TMN_CODE, None)
        assert said.psp_data["bank"] == "NCB"
        assert said.psp_data["transaction_no"] == "14226112"

    @pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
    def test_may_be_signed_with_any_active_secret(self, gateway: VnpayGateway, secret: str) -> None:
        assert read(gateway, ipn_query(secret=secret)).reference == REFERENCE

    def test_may_come_in_any_order_with_foreign_parameters(self, gateway: VnpayGateway) -> None:
        pairs = ipn_query().split("&")
        assert read(gateway, "&".join([*reversed(pairs), "utm_source=mail"])).reference

    def test_may_write_its_hash_in_capitals(self, gateway: VnpayGateway) -> None:
        text, _, signature = ipn_query().rpartition("=")
        assert read(gateway, f"{text}={signature.upper()}").reference

    def test_may_name_the_hash_type(self, gateway: VnpayGateway) -> None:
        assert read(gateway, ipn_query() + "&vnp_SecureHashType=HMACSHA512").reference

    def test_may_encode_spaces_in_another_way_than_it_signs(self, gateway: VnpayGateway) -> None:
        text, _, signature = ipn_query().rpartition("&vnp_SecureHash=")
        assert "+" in text
        sent = text.replace("+", "%20") + "&vnp_SecureHash=" + signature
        assert read(gateway, sent).reference == REFERENCE

    def test_may_sign_empty_values(self, gateway: VnpayGateway) -> None:
        assert read(gateway, ipn_query(BankTranNo="")).reference == REFERENCE

    def test_has_the_same_id_again_only_for_the_same_facts(self, gateway: VnpayGateway) -> None:
        first = read(gateway, ipn_query()).event_id
        assert read(gateway, ipn_query(PayDate="20261122103501")).event_id == first
        facts = {"Amount": "1", "TransactionNo": "2", "ResponseCode": "24", "TxnRef": "x"}
        others = {read(gateway, ipn_query(**{k: v})).event_id for k, v in facts.items()}
        assert len(others | {first}) == 5


class TestAForgedIpn:
    @pytest.mark.parametrize(
        "mutate",
        [
            pytest.param(lambda q: q.replace("10000000", "10000001"), id="amount"),
            pytest.param(lambda q: q.replace("=00", "=24", 1), id="code"),
            pytest.param(lambda q: q.rpartition("&")[0], id="no hash"),
            pytest.param(lambda q: q[:-1] + ("0" if q[-1] != "0" else "1"), id="hash"),
            pytest.param(lambda q: q[:-1], id="short hash"),
            pytest.param(lambda q: q + "&vnp_Amount=10000000", id="name twice"),
            pytest.param(lambda q: "vnp_Amount=1&" + q, id="name twice, first"),
            pytest.param(lambda q: q + "&vnp_Extra=1", id="one more"),
            pytest.param(lambda q: q.replace("vnp_BankCode=NCB&", ""), id="one less"),
            pytest.param(lambda q: q.replace("vnp_", "VNP_"), id="other case"),
            pytest.param(lambda q: "", id="nothing"),
            pytest.param(lambda q: "vnp_SecureHash=", id="empty hash"),
            pytest.param(lambda q: q.replace("NCB", "N%FF"), id="no UTF-8"),
            pytest.param(lambda q: q.replace("NCB", "Nệ"), id="no ASCII"),
            pytest.param(lambda q: q.replace(q[-4:], "é" * 4), id="hash of other letters"),
            pytest.param(lambda q: q + "&x=" + "y" * 9000, id="too long"),
        ],
    )
    def test_is_refused(self, gateway: VnpayGateway, mutate: object) -> None:
        assert callable(mutate)
        with pytest.raises(WebhookRefused):
            read(gateway, mutate(ipn_query()))

    def test_is_refused_with_another_secret_or_an_old_algorithm(
        self, gateway: VnpayGateway
    ) -> None:
        with pytest.raises(WebhookRefused):
            read(gateway, ipn_query(secret="ANOTHERSECRET"))
        with pytest.raises(WebhookRefused):
            read(gateway, ipn_query(secret=""))

    def test_is_refused_when_it_signs_decoded_text(self, gateway: VnpayGateway) -> None:
        pairs = sorted(ipn_values().items())
        decoded = "&".join(f"{name}={value}" for name, value in pairs)
        sent = "&".join(f"{name}={quote_plus(value)}" for name, value in pairs)
        with pytest.raises(WebhookRefused):
            read(gateway, f"{sent}&vnp_SecureHash={hmac_sha512(decoded)}")

    def test_is_told_apart_in_constant_time(
        self, gateway: VnpayGateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = []

        def never(one: bytes, other: bytes) -> bool:
            seen.extend([one, other])
            return False

        monkeypatch.setattr(hmac, "compare_digest", never)
        with pytest.raises(WebhookRefused):
            read(gateway, ipn_query())
        assert ipn_query().rpartition("=")[2].encode() in seen

    def test_hides_nothing_behind_an_encoded_name(self, gateway: VnpayGateway) -> None:
        """A parser that decodes names would see two amounts; ours sees the one it verified."""
        said = read(gateway, ipn_query() + "&vnp%5FAmount=1").outcome
        assert said is not None
        assert said.money == Money(100_000, "VND")


class TestTheVerdict:
    @pytest.mark.parametrize(
        ("code", "status", "kind", "failure"),
        [
            ("00", "00", OutcomeKind.SUCCEEDED, None),
            ("00", "01", OutcomeKind.PENDING, None),
            ("07", "00", OutcomeKind.PENDING, FailureCode.SUSPECTED_FRAUD),
            ("00", "07", OutcomeKind.PENDING, FailureCode.SUSPECTED_FRAUD),
            ("24", "02", OutcomeKind.DECLINED, FailureCode.CANCELLED),
            ("51", "02", OutcomeKind.DECLINED, FailureCode.INSUFFICIENT_FUNDS),
            ("11", "01", OutcomeKind.DECLINED, FailureCode.EXPIRED),
            ("13", "02", OutcomeKind.DECLINED, FailureCode.INCORRECT_CODE),
            ("99", "02", OutcomeKind.DECLINED, FailureCode.DECLINED),
        ],
    )
    def test_is_what_both_words_say(
        self,
        gateway: VnpayGateway,
        code: str,
        status: str,
        kind: OutcomeKind,
        failure: FailureCode | None,
    ) -> None:
        said = outcome(gateway, ResponseCode=code, TransactionStatus=status)
        assert said.kind is kind
        assert (said.failure.code if said.failure else None) == failure

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("00", "02"),  # paid and failed
            ("24", "00"),  # cancelled and paid
            ("00", "04"),  # reversed
            ("00", "05"),
            ("00", ""),
            ("", "00"),
            ("99", "01"),  # "other" alone proves nothing
            ("88", "02"),  # a code nobody knows
            ("00", "88"),
        ],
    )
    def test_is_unknown_where_the_words_disagree_or_are_new(
        self, gateway: VnpayGateway, code: str, status: str
    ) -> None:
        said = outcome(gateway, ResponseCode=code, TransactionStatus=status)
        assert said.kind is OutcomeKind.UNKNOWN

    @pytest.mark.parametrize("amount", ["10000001", "", "1e9", "0x10"])
    def test_is_unknown_without_a_whole_amount(self, gateway: VnpayGateway, amount: str) -> None:
        said = outcome(gateway, Amount=amount)
        assert (said.kind, said.money) == (OutcomeKind.UNKNOWN, None)

    def test_names_the_amount_of_a_decline_too(self, gateway: VnpayGateway) -> None:
        """VNPAY wants 04 for another amount before anything else is looked at."""
        said = outcome(gateway, ResponseCode="24", TransactionStatus="02", Amount="10100000")
        assert said.money == Money(101_000, "VND")

    def test_takes_number_zero_for_none(self, gateway: VnpayGateway) -> None:
        said = outcome(gateway, TransactionNo="0", ResponseCode="24", TransactionStatus="02")
        assert said.psp_reference == ""


class TestTheAnswer:
    @pytest.mark.parametrize(
        ("result", "code"),
        [
            (WebhookResult.APPLIED, "00"),
            (WebhookResult.IGNORED, "00"),
            (WebhookResult.UNKNOWN_REFERENCE, "01"),
            (WebhookResult.REPEATED, "02"),
            (WebhookResult.MISMATCH, "04"),
            (WebhookResult.REFUSED, "97"),
            (WebhookResult.FAILED, "99"),
        ],
    )
    def test_is_200_with_exactly_two_keys(
        self, gateway: VnpayGateway, result: WebhookResult, code: str
    ) -> None:
        answer = gateway.answer_webhook(result)
        body = json.loads(answer.body)
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert list(body) == ["RspCode", "Message"]
        assert body["RspCode"] == code
