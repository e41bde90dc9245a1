"""MoMo's result codes: which are final, what they say, and which decision leads to which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SUCCESS: Final = 0
BAD_PARTNER: Final = 11
BAD_SIGNATURE: Final = 13
BAD_FORMAT: Final = 20
BAD_AMOUNT: Final = 21
OUT_OF_RANGE: Final = 22
DUPLICATE_REQUEST: Final = 40
DUPLICATE_ORDER: Final = 41
NOT_FOUND: Final = 42
INAPPLICABLE: Final = 47
UNKNOWN_ERROR: Final = 99
WAITING: Final = 1000
INSUFFICIENT: Final = 1001
BY_ISSUER: Final = 1002
RELEASED: Final = 1003
LINK_EXPIRED: Final = 1005
REFUSED: Final = 1006
REFUND_FAILED: Final = 1080
REFUND_REFUSED: Final = 1081
NOT_REFUNDABLE: Final = 1088
RUNNING: Final = 7000
PENDING: Final = 7002
AUTHORIZED: Final = 9000


# The same requestId gets one of these answers again; after any other it gets code 40.
FINAL: Final = frozenset({0, 98, 99, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1017, 1026, 1080,
                          1081, 1088, 2019, 4001, 4002, 4100})  # fmt: skip

# What each code says, in English and in Vietnamese.
MESSAGES: Final[Mapping[int, tuple[str, str]]] = {
    0: ("Successful.", "Thành công."),
    9000: ("Transaction is authorized.", "Giao dịch đã được xác nhận."),
    1000: ("Waiting for the user to confirm.", "Chờ người dùng xác nhận."),
    7000: ("The request is being processed.", "Yêu cầu đang được xử lý."),
    7002: ("The provider is processing.", "Nhà cung cấp đang xử lý giao dịch."),
    11: ("Access denied.", "Truy cập bị từ chối."),
    13: ("Merchant authentication failed.", "Xác thực doanh nghiệp thất bại."),
    20: ("Bad format request.", "Yêu cầu sai định dạng."),
    21: ("Invalid amount.", "Số tiền giao dịch không hợp lệ."),
    22: ("Amount is out of range.", "Số tiền nằm ngoài hạn mức cho phép."),
    40: ("Duplicated requestId.", "RequestId bị trùng."),
    41: ("Duplicated orderId.", "OrderId bị trùng."),
    42: ("Invalid or unknown orderId.", "OrderId không hợp lệ hoặc không tồn tại."),
    47: ("Inapplicable information.", "Thông tin không thể áp dụng."),
    98: ("The QR code could not be made.", "Không tạo được mã QR."),
    99: ("Unknown error.", "Lỗi không xác định."),
    1001: ("Insufficient funds.", "Số dư tài khoản không đủ."),
    1002: ("Rejected by the issuer.", "Bị nhà phát hành từ chối thanh toán."),
    1003: ("Transaction cancelled.", "Giao dịch đã bị hủy."),
    1004: ("Over the daily or monthly limit.", "Vượt hạn mức ngày hoặc tháng."),
    1005: ("The link or QR code has expired.", "Liên kết hoặc mã QR đã hết hạn."),
    1006: ("Declined by the user.", "Giao dịch bị từ chối bởi người dùng."),
    1007: ("Account inactive or missing.", "Tài khoản không tồn tại hoặc bị khóa."),
    1017: ("Cancelled by the merchant.", "Giao dịch bị hủy bởi đối tác."),
    1026: ("Against a promotion's rules.", "Vi phạm thể lệ khuyến mãi."),
    1080: ("The refund failed, try later.", "Hoàn tiền thất bại, thử lại sau."),
    1081: ("The refund was refused.", "Yêu cầu hoàn tiền bị từ chối."),
    1088: ("Not eligible for a refund.", "Giao dịch không được hoàn tiền."),
    4001: ("The account is restricted.", "Tài khoản bị hạn chế."),
    4002: ("The account has no biometric check (C06).", "Tài khoản chưa xác thực sinh trắc học."),
    4100: ("Authentication failed.", "Xác thực người dùng không thành công."),
}

# The code of ``decline:<code>`` may be MoMo's own or one of these words; any other is 1002.
WORDS: Final[Mapping[str, int]] = {
    "insufficient_funds": 1001,
    "limit_exceeded": 1004,
    "expired": 1005,
    "account_blocked": 4001,
    "wrong_otp": 4100,
}
DECLINES: Final = (98, 99, 1001, 1002, 1004, 1005, 1006, 1007, 1017, 1026, 4001, 4002, 4100)
# ``decline:`` with one of these lets the payment pass and speaks for its refunds.
REFUND_ANSWERS: Final = (1080, 1081, 1088, 7002)

# Amounts in đồng whose last four digits are one of these decide by themselves. Prices in đồng end
# in round hundreds or in 999, so no ordinary price is among them.
MAGIC_MODULUS: Final = 10_000
MAGIC_PAYMENTS: Final = (1001, 1002, 1004, 1005, 1006, 1007, 4001, 4100, 7002)


def message(code: int, lang: str) -> str:
    """What a code says, in the language that the request asked for."""
    english, vietnamese = MESSAGES[code]
    return english if lang == "en" else vietnamese


def code_for(decision: str, *, auto_capture: bool) -> int | None:
    """The result code that a decision leads to, or None while nobody has decided."""
    if decision == "approve" or refund_answer(decision) is not None:
        return SUCCESS if auto_capture else AUTHORIZED
    if decision == "cancel":
        return REFUSED
    if decision == "pending":
        return PENDING
    if decision.startswith("decline:"):
        word = decision.removeprefix("decline:")
        known = word.isdecimal() and int(word) in DECLINES
        return int(word) if known else WORDS.get(word, BY_ISSUER)
    return None


def refund_answer(decision: str) -> int | None:
    """The code that a rule wants for refunds, or None."""
    word = decision.removeprefix("decline:")
    return int(word) if word.isdecimal() and int(word) in REFUND_ANSWERS else None


def magic_decision(dong: int) -> str | None:
    """The decision that an amount brings with it."""
    ending = dong % MAGIC_MODULUS
    if ending not in MAGIC_PAYMENTS:
        return None
    return "pending" if ending == PENDING else f"decline:{ending}"


def magic_refund(dong: int) -> int | None:
    """The code that a refund's amount brings with it."""
    ending = dong % MAGIC_MODULUS
    return ending if ending in REFUND_ANSWERS else None
