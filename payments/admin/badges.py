"""How payments, their states and their sums look: the same on every page."""

from collections.abc import Mapping
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.formats import ID_DIGITS_SHOWN, admin_url, badge
from gateways.outcome import OutcomeKind
from money.formatting import format_money
from money.money import Money
from payments.models import CaseState, Transaction, WebhookState
from payments.states import Status

STATUS_BADGES: Final[Mapping[str, str]] = {
    Status.PENDING: "open",
    Status.PROCESSING: "open",
    Status.AUTHORIZED: "open",
    Status.SUCCESS: "good",
    Status.FAILED: "bad",
}
OUTCOME_TONES: Final[Mapping[str, str]] = {
    OutcomeKind.SUCCEEDED: "good",
    OutcomeKind.AUTHORIZED: "good",
    OutcomeKind.DECLINED: "bad",
    OutcomeKind.NOT_DONE: "warn",
    OutcomeKind.UNKNOWN: "warn",
}
WEBHOOK_TONES: Final[Mapping[str, str]] = {
    WebhookState.APPLIED: "good",
    WebhookState.IGNORED: "quiet",
    WebhookState.PARKED: "warn",
    WebhookState.MISMATCH: "bad",
    WebhookState.NEW: "warn",
    WebhookState.REJECTED: "bad",
    WebhookState.UNVERIFIED: "warn",
    WebhookState.REPLACED: "quiet",
}
CASE_TONES: Final[Mapping[str, str]] = {CaseState.OPEN: "bad", CaseState.RESOLVED: "quiet"}


def short_id(payment: Transaction) -> str:
    """The end of the id, which is what fits into a list."""
    return f"pay_…{payment.reference[-ID_DIGITS_SHOWN:]}"


def payment_link(payment: Transaction | None) -> SafeString | str:
    """A link to the payment's timeline; the whole id shows when pointed at."""
    if payment is None:
        return "—"
    return format_html(
        '<a href="{}" title="{}">{}</a>', admin_url(payment), payment.public_id, short_id(payment)
    )


def status_badge(status: str) -> SafeString | str:
    """A transaction's status."""
    return badge(status, STATUS_BADGES[status])


def format_sum(amount: int | None, currency: str) -> str:
    """An amount in minor units as people write it; "" where there is none."""
    return format_money(Money(amount, currency)) if amount is not None and currency else ""
