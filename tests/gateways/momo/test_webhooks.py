"""MoMo's notification: what proves it, and what it then means."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.momo.config import Config, Keys
from gateways.momo.gateway import MomoGateway
from gateways.momo.signing import RESULT_FIELDS, sign
from gateways.operation import Json
from gateways.outcome import FailureCode, OutcomeKind
from gateways.webhook import Delivery, Notice, WebhookRefused, WebhookResult
from money.money import Money
from tests.gateways.momo.wallet import OPTIONS
from tests.gateways.samples import CREATED_AT, REFERENCE

KEYS = Keys(OPTIONS["access_key"], OPTIONS["secret_key"])
MOMO = MomoGateway(Config.from_settings({**OPTIONS, "api_base": "https://test-payment.momo.vn"}))


def extra(capture: str) -> str:
    return base64.b64encode(json.dumps({"capture": capture}).encode()).decode()


def ipn(code: int = 0, **changes: Any) -> Json:
    fields: Json = {
        "partnerCode": "MOMO",
        "orderId": REFERENCE,
        "requestId": REFERENCE,
        "amount": 100_000,
        "orderInfo": "Đơn hàng 1001",
        "orderType": "momo_wallet",
        "transId": 4225107942,
        "resultCode": code,
        "message": "Giao dịch thành công. ",
        "payType": "qr",
        "responseTime": 1731137968770,
        "extraData": extra("automatic"),
    }
    return {**fields, **changes}


def delivery(fields: Json, keys: Keys = KEYS) -> Delivery:
    names = RESULT_FIELDS | ({"callbackToken", "partnerClientId"} & fields.keys())
    body = json.dumps({**fields, "signature": sign(names, fields, keys)}, ensure_ascii=False)
    return raw(body.encode())


def raw(body: bytes) -> Delivery:
    return Delivery(body=body, query_string="", headers={}, received_at=CREATED_AT)


def read(fields: Json) -> Notice:
    (notice,) = MOMO.read_webhook(delivery(fields))
    return notice


class TestGenuineNotification:
    def test_of_success_carries_money_and_both_references(self) -> None:
        notice = read(ipn())
        assert notice.outcome is not None
        assert notice.outcome.kind is OutcomeKind.SUCCEEDED
        assert notice.outcome.money == Money(100_000, "VND")
        assert (notice.reference, notice.psp_reference) == (REFERENCE, "4225107942")
        assert (notice.outcome.account, notice.event_type) == ("MOMO", "ipn.0")

    def test_of_refusal_has_an_empty_pay_type_and_no_number(self) -> None:
        notice = read(ipn(1006, payType="", transId=1679649685462))
        assert notice.outcome is not None
        assert notice.outcome.kind is OutcomeKind.DECLINED
        assert notice.outcome.failure is not None
        assert notice.outcome.failure.code is FailureCode.CANCELLED
        assert notice.psp_reference == ""

    def test_of_9000_is_paid_or_held_by_the_mode_that_travelled_along(self) -> None:
        kinds = [
            getattr(read(ipn(9000, extraData=data)).outcome, "kind", None)
            for data in (extra("automatic"), extra("manual"), "", "e30=")
        ]
        assert kinds == [
            OutcomeKind.SUCCEEDED,
            OutcomeKind.AUTHORIZED,
            OutcomeKind.UNKNOWN,
            OutcomeKind.UNKNOWN,
        ]

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (1000, OutcomeKind.PENDING),
            (7002, OutcomeKind.PENDING),
            (99, OutcomeKind.PENDING),
            (13, OutcomeKind.UNKNOWN),
            (42, OutcomeKind.UNKNOWN),
            (1080, OutcomeKind.UNKNOWN),
            (777, OutcomeKind.UNKNOWN),
        ],
    )
    def test_of_anything_unsure_ends_nothing(self, code: int, kind: OutcomeKind) -> None:
        assert getattr(read(ipn(code)).outcome, "kind", None) is kind

    def test_may_print_its_numbers_as_texts(self) -> None:
        fields: Json = {name: str(value) for name, value in ipn().items()}
        assert read(fields).outcome == read(ipn()).outcome

    def test_of_a_stored_wallet_signs_two_fields_more(self) -> None:
        notice = read(ipn(callbackToken="t", partnerClientId="c"))
        assert notice.outcome is not None
        assert notice.outcome.kind is OutcomeKind.SUCCEEDED

    @pytest.mark.parametrize("value", [None, "", "c"])
    def test_may_name_those_two_without_signing_them(self, value: str | None) -> None:
        signed = json.loads(delivery(ipn()).body)
        body = json.dumps({**signed, "partnerClientId": value}).encode()
        (notice,) = MOMO.read_webhook(raw(body))
        assert notice.outcome == read(ipn()).outcome

    def test_may_be_signed_with_the_previous_keys(self) -> None:
        old = Keys("old-access", "old-secret")
        keys = {"previous_keys": "old-access:old-secret"}
        api_base = "https://test-payment.momo.vn"
        rotating = MomoGateway(Config.from_settings({**OPTIONS, **keys, "api_base": api_base}))
        assert rotating.read_webhook(delivery(ipn(), old))
        with pytest.raises(WebhookRefused):
            MOMO.read_webhook(delivery(ipn(), old))

    def test_has_an_event_id_made_of_its_facts(self) -> None:
        first = read(ipn())
        assert read(ipn(message="Successful.", responseTime=1)).event_id == first.event_id
        facts = {"amount": 1, "transId": 2, "resultCode": 9000, "orderId": "x", "requestId": "y"}
        for name, value in facts.items():
            assert read({**ipn(), name: value}).event_id != first.event_id

    @pytest.mark.parametrize("amount", ["1e5", "100000.0", -1, "", None])
    def test_without_whole_dong_is_unknown(self, amount: object) -> None:
        notice = read(ipn(amount=amount))
        assert notice.outcome is not None
        assert (notice.outcome.kind, notice.outcome.money) == (OutcomeKind.UNKNOWN, None)

    def test_is_signed_over_its_numbers_as_they_were_printed(self) -> None:
        fields = ipn(amount="100000.00")
        printed = delivery(fields).body.replace(b'"100000.00"', b"100000.00")
        (notice,) = MOMO.read_webhook(raw(printed))
        assert notice.outcome is not None
        assert notice.outcome.kind is OutcomeKind.UNKNOWN


class TestForgedNotification:
    @pytest.mark.parametrize("name", sorted(RESULT_FIELDS))
    def test_is_refused_when_any_signed_field_was_changed(self, name: str) -> None:
        good = json.loads(delivery(ipn()).body)
        bad = json.dumps({**good, name: f"{good[name]}0"}).encode()
        with pytest.raises(WebhookRefused):
            MOMO.read_webhook(raw(bad))

    def test_is_refused_when_the_message_was_trimmed(self) -> None:
        good = json.loads(delivery(ipn()).body)
        with pytest.raises(WebhookRefused):
            MOMO.read_webhook(
                raw(json.dumps({**good, "message": good["message"].strip()}).encode())
            )

    @pytest.mark.parametrize("signature", ["", "00" * 32, None, 5, "é" * 64])
    def test_is_refused_without_a_good_signature(self, signature: object) -> None:
        with pytest.raises(WebhookRefused):
            MOMO.read_webhook(raw(json.dumps({**ipn(), "signature": signature}).encode()))

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"partnerCode=MOMO&resultCode=0",
            b'{"amount": NaN}',
            b"\xff\xfe",
            b'{"a":' * 5000,
            b'{"amount": 1, "amount": 2}',
        ],
    )
    def test_is_refused_when_it_is_no_plain_json(self, body: bytes) -> None:
        with pytest.raises(WebhookRefused):
            MOMO.read_webhook(raw(body))

    def test_is_refused_when_a_field_stands_twice(self) -> None:
        good = delivery(ipn()).body
        with pytest.raises(WebhookRefused, match="no JSON object"):
            MOMO.read_webhook(raw(good[:-1] + b', "resultCode": 0}'))

    @given(st.binary(max_size=300))
    def test_never_gets_further_than_a_refusal(self, body: bytes) -> None:
        with pytest.raises(WebhookRefused):
            MOMO.read_webhook(raw(body))


class TestAnswerToMomo:
    def test_is_204_and_empty_for_whatever_is_stored(self) -> None:
        for result in WebhookResult:
            answer = MOMO.answer_webhook(result)
            stored = result not in {WebhookResult.REFUSED, WebhookResult.FAILED}
            assert answer.body == ""
            assert (answer.status == 204) is stored

    def test_is_an_error_for_a_forgery(self) -> None:
        assert MOMO.answer_webhook(WebhookResult.REFUSED).status == 400


def test_outcome_names_the_partner_so_that_it_can_be_checked() -> None:
    notice = read(ipn(partnerCode="SOMEBODY"))
    assert notice.outcome is not None
    assert notice.outcome.account == "SOMEBODY"
