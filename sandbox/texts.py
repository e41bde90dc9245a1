"""What the pages of several gateways say in the same words, in English and Vietnamese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARED: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "order": "Order", "amount": "Amount", "number": "Reference",
        "method": "How do you want to pay?", "cards": "Choose a test card",
        "next": "Continue", "cancel": "Cancel the payment", "otp": "One-time code from your bank",
        "pay": "Pay {amount}", "try": "Try what can go wrong",
        "abandon": "Walk away without deciding",
        "away": "You have walked away. Nobody has been told; the link works until it expires.",
        "back": "Back to the shop",
    },
    "vi": {
        "order": "Đơn hàng", "amount": "Số tiền", "number": "Mã giao dịch",
        "method": "Chọn phương thức thanh toán", "cards": "Chọn thẻ thử nghiệm",
        "next": "Tiếp tục", "cancel": "Hủy thanh toán", "otp": "Mã OTP của ngân hàng",
        "pay": "Thanh toán {amount}", "try": "Thử các tình huống lỗi",
        "abandon": "Rời đi mà không quyết định",
        "away": "Bạn đã rời đi. Chưa ai được báo; liên kết còn hiệu lực đến khi hết hạn.",
        "back": "Quay lại cửa hàng",
    },
}  # fmt: skip
