"""What PayPal settled: Transaction Search, the source of settlement records.

Rows come up to three hours late, an id can stand in several of them, and one search covers 31
days at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from orders.money import Money
from payments.gateways.base import Json
from payments.gateways.paypal import money
from payments.gateways.paypal.order import child, text_of

PATH: Final = "/v1/reporting/transactions"
PAGE_SIZE: Final = 500
PAGES_MAX: Final = 200
# PayPal allows 31 days; one second less keeps clear of how it counts the edges.
WINDOW_MAX: Final = timedelta(days=31) - timedelta(seconds=1)
# A search sooner than this after the fact may miss rows.
LAG: Final = timedelta(hours=3)

# PayPal's event codes -> what they are for our books; a code that is missing here is "".
KINDS: Final[dict[str, str]] = {
    **{f"T00{number:02d}": "payment" for number in range(17)},
    "T0106": "dispute_fee",
    "T0400": "payout",
    "T1106": "reversal",
    "T1107": "refund",
    "T1108": "fee_reversal",
    "T1201": "dispute",
    "T1202": "dispute_reversal",
}
STATUSES: Final[dict[str, str]] = {
    "S": "settled",
    "P": "pending",
    "D": "denied",
    "V": "reversed",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One row. ``amount`` and ``fee`` are magnitudes; ``is_debit`` says that money left us.

    ``psp_reference`` is the id of the capture or refund, and not unique: with ``code``, ``amount``
    and ``is_debit`` it is. ``related`` is what it belongs to, a refund's capture for example.
    """

    psp_reference: str
    related: str
    reference: str
    kind: str
    code: str
    status: str
    amount: Money | None
    is_debit: bool
    fee: Money | None
    happened_at: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search; ``refreshed_at`` says how far PayPal's data reaches."""

    records: tuple[Record, ...]
    pages: int
    refreshed_at: str


def windows(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """``start`` to ``end`` in pieces that one search may cover."""
    while start < end:
        until = min(start + WINDOW_MAX, end)
        yield start, until
        start = until


def search_path(start: datetime, end: datetime, page: int) -> str:
    """The path of one page, counted from 1. Both times must be aware."""
    query = {
        "start_date": start.isoformat(timespec="seconds"),
        "end_date": end.isoformat(timespec="seconds"),
        "fields": "all",
        "page_size": PAGE_SIZE,
        "page": page,
        "balance_affecting_records_only": "Y",
    }
    return f"{PATH}?{urlencode(query)}"


def read_page(content: Json) -> Page:
    """A search's answer. Rows that are none are left out."""
    listed = content.get("transaction_details")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    pages = content.get("total_pages")
    return Page(
        records=tuple(_read_record(child(row, "transaction_info")) for row in rows),
        pages=pages if type(pages) is int else 1,
        refreshed_at=text_of(content, "last_refreshed_datetime"),
    )


def _read_record(info: Json) -> Record:
    code = text_of(info, "transaction_event_code")
    amount, is_debit = _signed(info.get("transaction_amount"))
    fee, _ = _signed(info.get("fee_amount"))
    return Record(
        psp_reference=text_of(info, "transaction_id"),
        related=text_of(info, "paypal_reference_id"),
        reference=text_of(info, "custom_field") or text_of(info, "invoice_id"),
        kind=KINDS.get(code, ""),
        code=code,
        status=STATUSES.get(text_of(info, "transaction_status"), ""),
        amount=amount,
        is_debit=is_debit,
        # Fees are expected with a minus and are seen without one; they are deductions anyway.
        fee=fee,
        happened_at=text_of(info, "transaction_initiation_date"),
    )


def _signed(node: object) -> tuple[Money | None, bool]:
    if not isinstance(node, dict):
        return None, False
    value = node.get("value")
    is_debit = isinstance(value, str) and value.startswith("-")
    magnitude = value.removeprefix("-") if isinstance(value, str) else value
    return money.read({**node, "value": magnitude}), is_debit
