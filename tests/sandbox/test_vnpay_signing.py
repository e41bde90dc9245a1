"""VNPAY's signatures against vectors that other implementations made."""

from __future__ import annotations

from sandbox.vnpay.signing import (
    QUERY_ANSWER,
    QUERY_REQUEST,
    REFUND_REQUEST,
    api_signature,
    signed_query,
    verified_query,
)

SECRET = "SIMULATORHASHSECRET0123456789ABC"
PAY = {
    "vnp_Amount": "10000000",
    "vnp_Command": "pay",
    "vnp_CreateDate": "20261122103000",
    "vnp_CurrCode": "VND",
    "vnp_ExpireDate": "20261122104500",
    "vnp_IpAddr": "13.160.92.202",
    "vnp_Locale": "vn",
    "vnp_OrderInfo": "Thanh toan don hang ORD20261122-0001",
    "vnp_OrderType": "other",
    "vnp_ReturnUrl": "https://shop.example.vn/api/v1/payments/vnpay/return",
    "vnp_TmnCode": "SIMTMN01",
    "vnp_TxnRef": "ORD20261122-0001",
    "vnp_Version": "2.1.0",
}
PAY_HASH = (
    "229644a0a72b04fa817498d005222fa2bb4e04e5802a6929ca0f95fc639a36d7"
    "4a26482043eed514e307dd4985d4fa95aae214fcd62641f47d2bed209062f4e7"
)
IPN = {
    "vnp_Amount": "10000000",
    "vnp_BankCode": "NCB",
    "vnp_BankTranNo": "VNP14226112",
    "vnp_CardType": "ATM",
    "vnp_OrderInfo": "Thanh toan don hang thoi gian: 2023-12-07 17:00:44",
    "vnp_PayDate": "20231207170112",
    "vnp_ResponseCode": "00",
    "vnp_TmnCode": "SIMTMN01",
    "vnp_TransactionNo": "14226112",
    "vnp_TransactionStatus": "00",
    "vnp_TxnRef": "166117",
}
IPN_HASH = (
    "07fe80e2062648e0bca8dff7073f4e264c612a949a2f1f39d83558a2be864b0a"
    "9fa2fa1e426b43d85ab60db1c1d446135c7b9267d0ec973a8212b2f39dd452c7"
)


class TestQuerySignature:
    def test_equals_the_vector_of_a_pay_link(self) -> None:
        assert signed_query(PAY, SECRET).endswith(f"&vnp_SecureHash={PAY_HASH}")

    def test_equals_the_vector_of_an_ipn(self) -> None:
        assert signed_query(IPN, SECRET).endswith(f"&vnp_SecureHash={IPN_HASH}")

    def test_leaves_empty_values_out(self) -> None:
        assert signed_query(IPN | {"vnp_PromotionCode": ""}, SECRET) == signed_query(IPN, SECRET)

    def test_is_verified_whatever_encoder_made_it(self) -> None:
        encoded = signed_query(PAY | {"vnp_OrderInfo": "don hang 1"}, SECRET)
        assert verified_query(encoded, SECRET) == PAY | {"vnp_OrderInfo": "don hang 1"}

    def test_is_verified_in_upper_case_and_beside_foreign_parameters(self) -> None:
        query = signed_query(PAY, SECRET).replace(PAY_HASH, PAY_HASH.upper())
        assert verified_query(f"utm_source=x&{query}", SECRET) == PAY

    def test_refuses_a_changed_value(self) -> None:
        changed = signed_query(PAY, SECRET).replace("10000000", "10000001")
        assert verified_query(changed, SECRET) is None

    def test_refuses_a_parameter_given_twice(self) -> None:
        assert verified_query(signed_query(PAY, SECRET) + "&vnp_Amount=1", SECRET) is None


class TestApiSignature:
    def test_equals_the_vector_of_a_query(self) -> None:
        fields = {
            "vnp_Version": "2.1.0",
            "vnp_RequestId": "41735318",
            "vnp_TxnRef": "34428014",
            "vnp_OrderInfo": "Kiem tra ket qua GD OrderId:34428014",
            "vnp_TransactionDate": "20250308183518",
            "vnp_CreateDate": "20250308184308",
            "vnp_IpAddr": "171.225.185.32",
            "vnp_TransactionNo": "14836051",
            "vnp_Command": "querydr",
            "vnp_TmnCode": "SIMTMN01",
        }
        assert api_signature(fields, QUERY_REQUEST, SECRET) == (
            "3e0d9ad2c09157bca3f8f21b6edd917478019451beb09c4ff0044cee9e50c23c"
            "7c97515caeffe5694c137d87db19c2a5bbea19bf007751e35b2b323c0f3d1709"
        )

    def test_equals_the_vector_of_a_query_answer(self) -> None:
        fields = {
            "vnp_ResponseId": "282a3735af2c4eb782a753dafd007b25",
            "vnp_Command": "querydr",
            "vnp_ResponseCode": "00",
            "vnp_Message": "QueryDR Success",
            "vnp_TmnCode": "SIMTMN01",
            "vnp_TxnRef": "34428014",
            "vnp_Amount": "1000000",
            "vnp_OrderInfo": "Thanh toan don hang:34428014",
            "vnp_BankCode": "VISA",
            "vnp_PayDate": "20250308183518",
            "vnp_TransactionNo": "14836051",
            "vnp_TransactionType": "01",
            "vnp_TransactionStatus": "00",
        }
        assert api_signature(fields, QUERY_ANSWER, SECRET) == (
            "d9e978b35733bc8b0ba854803b68fa7cc6e19c6abd7b7a130d8977d8150f1625"
            "5650f5038e80034a555c414e0323340c0c5e957defbec75703c082440afc4e1d"
        )

    def test_equals_the_vector_of_a_refund(self) -> None:
        fields = {
            "vnp_RequestId": "31280303",
            "vnp_TransactionType": "02",
            "vnp_TxnRef": "34428014",
            "vnp_Amount": "1000000",
            "vnp_TransactionNo": "14836051",
            "vnp_TransactionDate": "20250308183518",
            "vnp_CreateBy": "admin",
            "vnp_CreateDate": "20250308184330",
            "vnp_IpAddr": "171.225.185.32",
            "vnp_OrderInfo": "Hoan tien GD OrderId:34428014",
            "vnp_Command": "refund",
            "vnp_Version": "2.1.0",
            "vnp_TmnCode": "SIMTMN01",
        }
        assert api_signature(fields, REFUND_REQUEST, SECRET) == (
            "b62476472d0ea415a6f8dc855e331991dd7dbc62257edb0129753bcb727d1379"
            "1e2977f631f6d75fd41286f363d2db2315af07011c029a93de36e4c65e84365d"
        )
