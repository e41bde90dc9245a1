"""What VNPAY's pages say beside the words that all pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.texts import SHARED

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        **SHARED["en"],
        "title": "Pay with VNPAY", "VNBANK": "Domestic card or bank account",
        "VNPAYQR": "QR code with a banking app", "INTCARD": "International card",
        "bank": "Bank", "account": "Number of the card or account", "holder": "Name on it",
        "issued": "Issued (MM/YY)", "warning": "Never type a real card or account here.",
        "wrong_account": "Only the test card that is filled in is known here.",
        "scan": "Scan this code with a banking app. Here the button stands for the app.",
        "hint": "The test bank sent 123456.",
        "51": "Pay, but the balance is too low", "13": "Pay, but the code is wrong",
        "07": "Pay, and the bank suspects fraud",
        "pending": "The bank has not answered yet. You may close this page.",
        "error": "VNPAY cannot show this payment",
    },
    "vi": {
        **SHARED["vi"],
        "title": "Thanh toán qua VNPAY", "VNBANK": "Thẻ nội địa hoặc tài khoản ngân hàng",
        "VNPAYQR": "Quét mã QR bằng ứng dụng ngân hàng", "INTCARD": "Thẻ thanh toán quốc tế",
        "bank": "Ngân hàng", "account": "Số thẻ hoặc số tài khoản", "holder": "Tên chủ thẻ",
        "issued": "Ngày phát hành (MM/YY)",
        "warning": "Đừng bao giờ nhập thẻ hay tài khoản thật vào đây.",
        "wrong_account": "Ở đây chỉ dùng được thẻ thử nghiệm đã điền sẵn.",
        "scan": "Quét mã này bằng ứng dụng ngân hàng. Ở đây nút bấm thay cho ứng dụng.",
        "hint": "Ngân hàng thử nghiệm đã gửi 123456.",
        "51": "Thanh toán nhưng không đủ số dư", "13": "Thanh toán nhưng sai OTP",
        "07": "Thanh toán và bị nghi ngờ gian lận",
        "pending": "Ngân hàng chưa trả lời. Bạn có thể đóng trang này.",
        "error": "VNPAY không thể hiển thị giao dịch này",
    },
}  # fmt: skip
