"""What VNPAY's pages say, in English and Vietnamese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Pay with VNPAY", "order": "Order", "amount": "Amount", "number": "Reference",
        "method": "How do you want to pay?", "VNBANK": "Domestic card or bank account",
        "VNPAYQR": "QR code with a banking app", "INTCARD": "International card",
        "bank": "Bank", "card": "Choose a test card",
        "account": "Number of the card or account", "holder": "Name on it",
        "issued": "Issued (MM/YY)", "warning": "Never type a real card or account here.",
        "wrong_account": "Only the test card that is filled in is known here.",
        "scan": "Scan this code with a banking app. Here the button stands for the app.",
        "next": "Continue", "cancel": "Cancel the payment", "otp": "One-time code from your bank",
        "hint": "The test bank sent 123456.", "pay": "Pay {amount}",
        "try": "Try what can go wrong",
        "51": "Pay, but the balance is too low", "13": "Pay, but the code is wrong",
        "07": "Pay, and the bank suspects fraud", "abandon": "Walk away without deciding",
        "away": "You have walked away. Nobody has been told; the link works until it expires.",
        "pending": "The bank has not answered yet. You may close this page.",
        "back": "Back to the shop", "error": "VNPAY cannot show this payment",
    },
    "vi": {
        "title": "Thanh toán qua VNPAY", "order": "Đơn hàng", "amount": "Số tiền",
        "number": "Mã giao dịch",
        "method": "Chọn phương thức thanh toán", "VNBANK": "Thẻ nội địa hoặc tài khoản ngân hàng",
        "VNPAYQR": "Quét mã QR bằng ứng dụng ngân hàng", "INTCARD": "Thẻ thanh toán quốc tế",
        "bank": "Ngân hàng", "card": "Chọn thẻ thử nghiệm",
        "account": "Số thẻ hoặc số tài khoản", "holder": "Tên chủ thẻ",
        "issued": "Ngày phát hành (MM/YY)",
        "warning": "Đừng bao giờ nhập thẻ hay tài khoản thật vào đây.",
        "wrong_account": "Ở đây chỉ dùng được thẻ thử nghiệm đã điền sẵn.",
        "scan": "Quét mã này bằng ứng dụng ngân hàng. Ở đây nút bấm thay cho ứng dụng.",
        "next": "Tiếp tục", "cancel": "Hủy thanh toán", "otp": "Mã OTP của ngân hàng",
        "hint": "Ngân hàng thử nghiệm đã gửi 123456.", "pay": "Thanh toán {amount}",
        "try": "Thử các tình huống lỗi", "51": "Thanh toán nhưng không đủ số dư",
        "13": "Thanh toán nhưng sai OTP", "07": "Thanh toán và bị nghi ngờ gian lận",
        "abandon": "Rời đi mà không quyết định",
        "away": "Bạn đã rời đi. Chưa ai được báo; liên kết còn hiệu lực đến khi hết hạn.",
        "pending": "Ngân hàng chưa trả lời. Bạn có thể đóng trang này.",
        "back": "Quay lại cửa hàng", "error": "VNPAY không thể hiển thị giao dịch này",
    },
}  # fmt: skip
