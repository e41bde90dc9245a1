"""VNPAY's words: what a shopper's decision becomes, and the amounts that decide by themselves."""

from __future__ import annotations

from typing import Final

SUCCESS: Final = "00"
SUSPECT: Final = "07"
CANCELLED: Final = "24"
OTHER: Final = "99"

# vnp_ResponseCode of an IPN or a return: what each means to a person.
RESPONSES: Final = {
    "00": "success",
    "07": "money taken, suspected of fraud",
    "09": "card or account not registered for internet banking",
    "10": "card or account details wrong more than three times",
    "11": "payment window expired",
    "12": "card or account locked",
    "13": "wrong OTP",
    "24": "cancelled by the customer",
    "51": "insufficient balance",
    "65": "daily limit exceeded",
    "75": "bank under maintenance",
    "79": "payment password wrong too often",
    "99": "other error",
}

# The code of ``decline:<code>`` may be VNPAY's own or one of these words; any other is 99.
WORDS: Final = {
    "suspected_fraud": "07",
    "not_registered": "09",
    "expired": "11",
    "locked": "12",
    "wrong_otp": "13",
    "insufficient_funds": "51",
    "limit_exceeded": "65",
    "bank_maintenance": "75",
}
# A bank that took the money for a payment that VNPAY then called off: code 99, status 04.
REVERSED: Final = "decline:reversed"
# ``decline:`` with one of these words lets the payment pass, and answers its refunds with the code.
REFUND_ANSWERS: Final = {
    "refund_partial_only": "13",
    "refund_in_progress": "94",
    "refund_not_possible": "95",
    "refund_not_enabled": "99",
}

# vnp_TransactionStatus that goes with a response; all others end in 02, an error.
STATUSES: Final = {"00": "00", "07": "07"}
STATUS_OPEN: Final = "01"
STATUS_ERROR: Final = "02"
STATUS_REVERSED: Final = "04"
STATUS_REFUND_ACCEPTED: Final = "05"

# An amount whose last three đồng digits are 9 and one of these codes decides by itself. Prices in
# đồng end in round hundreds or in 999, so no ordinary price is among them.
MAGIC_CODES: Final = ("07", "09", "10", "11", "12", "13", "24", "51", "65", "75", "79")


def response_for(decision: str) -> str | None:
    """The response code of a decision, or None while nobody has decided."""
    if decision == "approve" or refund_answer(decision) is not None:
        return SUCCESS
    if decision == "cancel":
        return CANCELLED
    if decision.startswith("decline:"):
        code = decision.removeprefix("decline:")
        return code if code in RESPONSES and code != SUCCESS else WORDS.get(code, OTHER)
    return None


def refund_answer(decision: str) -> str | None:
    """The code that a rule wants for refunds, or None."""
    return REFUND_ANSWERS.get(decision.removeprefix("decline:"))


def magic_response(dong: int) -> str | None:
    """The response code that an amount asks for by itself, or None."""
    ending = f"{dong % 1000:03d}"
    return ending[1:] if ending[0] == "9" and ending[1:] in MAGIC_CODES else None
