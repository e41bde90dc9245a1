"""How somebody meets the pages: on which screen, in which language, with or without JavaScript."""

from dataclasses import dataclass
from typing import Final

from playwright.sync_api import ViewportSize

TEXTS: Final = {
    "en": {
        "paid": "Paid. Thank you!",
        "failed": "The payment did not go through",
        "given_up": "You cancelled the payment",
        "waiting": "Your payment is waiting for you",
        "checking": "Checking your payment",
        "closing": "Closing the earlier payment",
        "leaving": "Going to VNPAY",
        "held": "The amount is reserved",
        "cancelled": "This order was cancelled",
        "not_needed": "You will get your money back",
        "choose": "How do you want to pay?",
        "another": "Pay in another way",
        "again": "Try again",
        "receipt": "Show the receipt",
        "continue": "Continue at",
    },
    "vi": {
        "paid": "Đã thanh toán. Xin cảm ơn!",
        "failed": "Thanh toán không thành công",
        "given_up": "Bạn đã hủy thanh toán",
        "waiting": "Khoản thanh toán đang chờ bạn",
        "checking": "Đang kiểm tra thanh toán",
        "closing": "Đang đóng lần thanh toán trước",
        "leaving": "Đang chuyển đến VNPAY",
        "held": "Số tiền đã được tạm giữ",
        "cancelled": "Đơn hàng này đã bị hủy",
        "not_needed": "Bạn sẽ được hoàn tiền",
        "choose": "Bạn muốn thanh toán bằng cách nào?",
        "another": "Thanh toán bằng cách khác",
        "again": "Thử lại",
        "receipt": "Xem biên nhận",
        "continue": "Tiếp tục tại",
    },
}


@dataclass(frozen=True)
class Look:
    """One way to meet the pages; ``width`` in CSS pixels."""

    width: int
    language: str
    javascript: bool

    def __str__(self) -> str:
        return f"{self.width}-{self.language}{'' if self.javascript else '-plain'}"

    @property
    def locale(self) -> str:
        """What the browser asks for."""
        return {"en": "en-GB", "vi": "vi-VN"}[self.language]

    @property
    def viewport(self) -> ViewportSize:
        """A phone or a desk."""
        return {"width": self.width, "height": 844 if self.width < 600 else 800}

    def says(self, key: str) -> str:
        """What the page says in this language."""
        return TEXTS[self.language][key]


PHONE: Final = Look(390, "en", javascript=True)
DESK: Final = Look(1280, "vi", javascript=True)
PLAIN_PHONE: Final = Look(390, "vi", javascript=False)
PLAIN_DESK: Final = Look(1280, "en", javascript=False)
LOOKS: Final = (PHONE, DESK, PLAIN_PHONE, PLAIN_DESK)
