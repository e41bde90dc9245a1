"""What MoMo's pages say beside the words that all pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.texts import SHARED

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        **SHARED["en"],
        "title": "Pay with MoMo", "app": "MoMo app", "ends": "Pay within {minutes} minutes.",
        "scan": "Scan this code with the MoMo app or a banking app.",
        "follow": "This page goes back to the shop by itself once you have paid.",
        "open_app": "Open the MoMo app on this device", "open_web": "Pay here with a test wallet",
        "wallet": "MoMo wallet", "atm": "Domestic ATM card or account",
        "card": "International card",
        "otp_hint": "The test bank sent {otp}.", "pin": "Wallet PIN",
        "pin_hint": "Every test wallet has the PIN {pin}.",
        "decline:1001": "Pay, but the balance is too low",
        "decline:1002": "Pay, but the issuer refuses",
        "decline:1004": "Pay, but a limit is reached",
        "decline:4001": "Pay with a restricted account",
        "decline:1005": "Let the link expire now",
        "slow:approve": "Pay, and the bank says yes a minute later",
        "slow:decline:1002": "Pay, and the bank says no a minute later",
        "expired": "This payment link has expired.", "unknown": "MoMo does not know this link.",
        "atm_ok": "NAPAS •••• 0018: pays", "atm_locked": "NAPAS •••• 0026: card locked",
        "atm_poor": "NAPAS •••• 0034: balance too low",
        "atm_limit": "NAPAS •••• 0042: limit reached",
        "card_ok": "Mastercard •••• 1096: pays with a code",
        "card_fails": "Mastercard •••• 1104: refused",
        "card_direct": "Visa •••• 1111: pays without a code",
    },
    "vi": {
        **SHARED["vi"],
        "title": "Thanh toán qua MoMo", "app": "Ứng dụng MoMo",
        "ends": "Vui lòng thanh toán trong {minutes} phút.",
        "scan": "Quét mã này bằng ứng dụng MoMo hoặc ứng dụng ngân hàng.",
        "follow": "Trang này tự quay lại cửa hàng sau khi bạn thanh toán.",
        "open_app": "Mở ứng dụng MoMo trên thiết bị này",
        "open_web": "Thanh toán tại đây bằng ví thử nghiệm",
        "wallet": "Ví MoMo", "atm": "Thẻ ATM hoặc tài khoản nội địa", "card": "Thẻ quốc tế",
        "otp_hint": "Ngân hàng thử nghiệm đã gửi {otp}.", "pin": "Mật khẩu ví",
        "pin_hint": "Mọi ví thử nghiệm đều có mật khẩu {pin}.",
        "decline:1001": "Thanh toán nhưng không đủ số dư",
        "decline:1002": "Thanh toán nhưng nhà phát hành từ chối",
        "decline:1004": "Thanh toán nhưng vượt hạn mức",
        "decline:4001": "Thanh toán bằng tài khoản bị hạn chế",
        "decline:1005": "Cho liên kết hết hạn ngay",
        "slow:approve": "Thanh toán, ngân hàng đồng ý sau một phút",
        "slow:decline:1002": "Thanh toán, ngân hàng từ chối sau một phút",
        "expired": "Liên kết thanh toán đã hết hạn.", "unknown": "MoMo không có liên kết này.",
        "atm_ok": "NAPAS •••• 0018: thành công", "atm_locked": "NAPAS •••• 0026: thẻ bị khóa",
        "atm_poor": "NAPAS •••• 0034: không đủ số dư",
        "atm_limit": "NAPAS •••• 0042: vượt hạn mức",
        "card_ok": "Mastercard •••• 1096: thành công, cần mã OTP",
        "card_fails": "Mastercard •••• 1104: bị từ chối",
        "card_direct": "Visa •••• 1111: thành công, không cần mã",
    },
}  # fmt: skip
