"""MoMo's signatures against vectors that MoMo itself, or its own code, made."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from sandbox.momo.signing import ANSWER_LONG, ANSWER_SHORT, CREATE, REFUND, RESULT, Keys

KEYS = Keys(
    partner_code="MOMO",
    access_key="F8BBA842ECF85",
    secret_key="K951B6PE1waDMi640xX08PD3vg6EkVlz",
)
RETURNED = {
    "partnerCode": "MOMO",
    "orderId": "MOMO1731137931267",
    "requestId": "MOMO1731137931267",
    "amount": "1000",
    "orderInfo": "undefined nạp tiền vào tài khoản",
    "orderType": "momo_wallet",
    "transId": "4225107942",
    "resultCode": "0",
    "message": "Successful.",
    "payType": "qr",
    "responseTime": "1731137968770",
    "extraData": "",
}
RETURNED_SIGNATURE = "2068ac90836a9aacdefd4995b58ed03f0b1f1d27046b7ca371b92175bb5437a6"
CREATED = {
    "partnerCode": "MOMO",
    "requestId": "MOMO1700000000000",
    "amount": "50000",
    "orderId": "MOMO1700000000000",
    "orderInfo": "pay with MoMo",
    "redirectUrl": "https://momo.vn/return",
    "ipnUrl": "https://callback.url/notify",
    "extraData": "",
    "requestType": "captureWallet",
}
REFUNDED = {
    "partnerCode": "MOMO",
    "amount": 1000,
    "description": "Hoàn tiền cho giao dịch 60318823606",
    "orderId": "OD1700000000002",
    "requestId": "RE1700000000002",
    "transId": "60318823606",
}


class TestSign:
    def test_gives_what_momo_s_gateway_gave(self) -> None:
        assert KEYS.sign(RESULT, RETURNED) == RETURNED_SIGNATURE

    def test_gives_what_momo_s_samples_give(self) -> None:
        assert (
            KEYS.sign(CREATE, CREATED)
            == "4378bb95714712f6be833da81f743910a01e5ba6279bfe596b8a08e891259424"
        )
        assert (
            KEYS.sign(REFUND, REFUNDED)
            == "bf45ac388724cd543afe547e002daa1ff8007e92cab6125775461faec3405e23"
        )

    def test_signs_a_link_with_or_without_its_message(self) -> None:
        link = {**CREATED, "payUrl": "https://momo.vn/pay", "responseTime": 7, "resultCode": 0}
        tail = (
            "orderId=MOMO1700000000000&partnerCode=MOMO&payUrl=https://momo.vn/pay"
            "&requestId=MOMO1700000000000&responseTime=7&resultCode=0"
        )
        start, message = "accessKey=F8BBA842ECF85&amount=50000&", "message=Successful.&"
        for names, text in ((ANSWER_SHORT, start + tail), (ANSWER_LONG, start + message + tail)):
            signature = hmac.new(KEYS.secret_key.encode(), text.encode(), hashlib.sha256)
            assert KEYS.sign(names, {**link, "message": "Successful."}) == signature.hexdigest()


class TestSigned:
    def test_takes_a_good_signature(self) -> None:
        assert KEYS.signed(RESULT, {**RETURNED, "signature": RETURNED_SIGNATURE})

    @pytest.mark.parametrize("name", sorted(RETURNED))
    def test_takes_no_value_that_was_changed(self, name: str) -> None:
        changed = {**RETURNED, name: "1", "signature": RETURNED_SIGNATURE}
        assert not KEYS.signed(RESULT, changed)

    def test_takes_no_message_without_a_signature(self) -> None:
        assert not KEYS.signed(RESULT, RETURNED)
