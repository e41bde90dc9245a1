"""What Stripe's pages say, in English and Vietnamese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Pay by card", "total": "Total", "pay": "Pay {amount}", "back": "Back to the shop",
        "number": "Card number", "expiry": "Expires (MM / YY)", "cvc": "Security code",
        "name": "Name on the card", "warning": "Never type a real card here.",
        "cards": "Test cards", "cards_hint": "Choose one, and it is filled in above.",
        "abandon": "Walk away without deciding",
        "away": "You have walked away. The page works until it expires.",
        "expired": "This payment page has expired.",
        "pending": "The bank has not answered yet. You may close this page.",
        "wrong_number": "The card number is not one of the test cards below.",
        "wrong_expiry": "The card's date is over, or not written like 12 / 34.",
        "wrong_cvc": "The security code has three digits, or four on American Express.",
        "bank": "Your bank asks: is this you?", "bank_name": "Test bank", "card": "Card",
        "bank_hint": "3-D Secure: the bank wants to know that its customer pays.",
        "yes": "Yes, complete the payment", "no": "No, fail the payment",
    },
    "vi": {
        "title": "Thanh toán bằng thẻ", "total": "Tổng cộng", "pay": "Thanh toán {amount}",
        "back": "Quay lại cửa hàng",
        "number": "Số thẻ", "expiry": "Hết hạn (MM / YY)", "cvc": "Mã bảo mật",
        "name": "Tên trên thẻ", "warning": "Đừng bao giờ nhập thẻ thật vào đây.",
        "cards": "Thẻ thử nghiệm", "cards_hint": "Chọn một thẻ để điền vào biểu mẫu ở trên.",
        "abandon": "Rời đi mà không quyết định",
        "away": "Bạn đã rời đi. Trang này còn hiệu lực đến khi hết hạn.",
        "expired": "Trang thanh toán đã hết hạn.",
        "pending": "Ngân hàng chưa trả lời. Bạn có thể đóng trang này.",
        "wrong_number": "Số thẻ không thuộc các thẻ thử nghiệm bên dưới.",
        "wrong_expiry": "Thẻ đã hết hạn, hoặc hạn dùng không viết theo dạng 12 / 34.",
        "wrong_cvc": "Mã bảo mật gồm ba chữ số, hoặc bốn đối với American Express.",
        "bank": "Ngân hàng hỏi: có phải bạn không?", "bank_name": "Ngân hàng thử nghiệm",
        "card": "Thẻ", "bank_hint": "3-D Secure: ngân hàng cần xác nhận chính bạn đang thanh toán.",
        "yes": "Đúng, hoàn tất thanh toán", "no": "Không, hủy xác thực",
    },
}  # fmt: skip

# Stripe's own messages, and what the test cards do; English stands where they are made.
VIETNAMESE: Final[Mapping[str, str]] = {
    "Your card was declined.": "Thẻ của bạn bị từ chối.",
    "Your card has insufficient funds.": "Thẻ của bạn không đủ số dư.",
    "Your card has expired.": "Thẻ của bạn đã hết hạn.",
    "Your card's security code is incorrect.": "Mã bảo mật của thẻ không đúng.",
    "An error occurred while processing your card. Try again in a little bit.": (
        "Có lỗi khi xử lý thẻ của bạn. Vui lòng thử lại sau giây lát."
    ),
    "Visa, pays": "Visa, thành công",
    "Mastercard, pays": "Mastercard, thành công",
    "American Express, pays": "American Express, thành công",
    "declined": "bị từ chối",
    "declined, insufficient funds": "bị từ chối, không đủ số dư",
    "declined, lost card": "bị từ chối, thẻ báo mất",
    "declined, expired card": "bị từ chối, thẻ hết hạn",
    "declined, wrong security code": "bị từ chối, sai mã bảo mật",
    "declined, processing error": "bị từ chối, lỗi xử lý",
    "3-D Secure, then pays": "3-D Secure, rồi thành công",
    "3-D Secure, always": "3-D Secure, mọi lần",
    "pays, then disputed": "thành công, rồi bị khiếu nại",
    "pays, then an inquiry": "thành công, rồi bị tra soát",
    "pays, refunds are slow": "thành công, hoàn tiền chậm",
    "pays, refunds fail later": "thành công, hoàn tiền thất bại sau đó",
}


def said(text: str, lang: str) -> str:
    """``text`` in the page's language; English where there is no other."""
    return VIETNAMESE.get(text, text) if lang == "vi" else text
