"""What PayPal settled: Transaction Search, the source of settlement records.

Rows come up to three hours late, an id can stand in several of them, and one search covers 31
days at most, and 10,000 rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from gateways.operation import Json
from gateways.paypal import amounts
from gateways.paypal.mapping import SETTLEMENT_KINDS, SETTLEMENT_STATUSES
from gateways.paypal.order import child, read_text
from gateways.settlement import (
    Movement,
    RecordKind,
    RecordStatus,
    ReportUnavailable,
    SettlementRecord,
)
from money.money import MoneyError
from privacy.redaction import redact_object

PATH: Final = "/v1/reporting/transactions"
PAGE_SIZE: Final = 500
PAGES_MAX: Final = 200
# PayPal allows 31 days. Of a longer time a day less is taken, so that no second is left over.
WINDOW_MAX: Final = timedelta(days=31)
_PIECE: Final = timedelta(days=30)
_SECOND: Final = timedelta(seconds=1)
# A shorter time than this is not split: its halves would begin and end in the same second.
_SPLIT_MIN: Final = 3 * _SECOND
# What PayPal calls a search that finds more than it shows.
TOO_LARGE: Final = "RESULTSET_TOO_LARGE"
_SHOWN_MAX: Final = 40
# Whose account it was, and what people wrote to each other.
_PERSONAL: Final = frozenset({"paypal_account_id", "transaction_note", "transaction_subject"})


class TooManyRows(ReportUnavailable):
    """PayPal shows nothing of a search that finds so much: a shorter time must be asked for."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``refreshed_at`` is how far PayPal's data reaches, where it says so."""

    records: tuple[SettlementRecord, ...]
    pages: int
    rows: int | None  # of the whole search
    refreshed_at: datetime | None


def read_all(
    get: Callable[[str], Json], start: datetime, end: datetime
) -> Iterator[SettlementRecord]:
    """Everything from ``start`` up to ``end``; ``get`` fetches a path. Raises ReportUnavailable.

    ``get`` may raise ``TooManyRows``: then the halves of that time are searched. A page that moves
    while we turn it can show a row twice: its record is given once.
    """
    known: set[tuple[str, RecordStatus]] = set()
    for since, until in windows(start, end):
        for record in _read_window(get, since, until):
            if (record.record_id, record.status) not in known:
                known.add((record.record_id, record.status))
                yield record


def windows(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """``start`` up to ``end`` in pieces that one search may cover, without a second in common."""
    while start < end:
        until = end if end - start <= WINDOW_MAX else start + _PIECE
        # PayPal counts the last second in.
        yield start, until - _SECOND
        start = until


def search_path(start: datetime, end: datetime, page: int) -> str:
    """The path of one page, counted from 1. Both times must be aware."""
    query = {
        "start_date": start.isoformat(timespec="seconds"),
        "end_date": end.isoformat(timespec="seconds"),
        # Who paid, and where they live, is not asked for.
        "fields": "transaction_info",
        "page_size": PAGE_SIZE,
        "page": page,
        "balance_affecting_records_only": "Y",
    }
    return f"{PATH}?{urlencode(query)}"


def read_page(content: Json) -> Page:
    """A search's answer. Raises ReportUnavailable if any of it cannot be read."""
    listed, pages, rows = (
        content.get(name) for name in ("transaction_details", "total_pages", "total_items")
    )
    if not isinstance(listed, list) or type(pages) is not int:
        raise ReportUnavailable("PayPal's answer is no page of a search")
    return Page(
        records=tuple(_read_row(row) for row in listed),
        pages=pages,
        rows=rows if type(rows) is int else None,
        refreshed_at=_moment(read_text(content, "last_refreshed_datetime")),
    )


def _read_window(
    get: Callable[[str], Json], since: datetime, until: datetime
) -> Iterator[SettlementRecord]:
    try:
        yield from _read_pages(get, since, until)
    except TooManyRows:
        if until - since < _SPLIT_MIN:
            raise
        middle = (since + (until - since) / 2).replace(microsecond=0)
        yield from _read_window(get, since, middle)
        yield from _read_window(get, middle + _SECOND, until)


def _read_pages(
    get: Callable[[str], Json], since: datetime, until: datetime
) -> Iterator[SettlementRecord]:
    count = 0
    for number in range(1, PAGES_MAX + 1):
        page = read_page(get(search_path(since, until, number)))
        if page.refreshed_at and page.refreshed_at < until:
            raise ReportUnavailable(
                f"PayPal's report reaches only to {page.refreshed_at}", can_retry=True
            )
        count += len(page.records)
        yield from page.records
        if number >= page.pages:
            break
    else:
        raise ReportUnavailable("more pages than one search may have: take a shorter time")
    if page.rows is not None and count < page.rows:
        raise ReportUnavailable(f"PayPal showed {count} of {page.rows} rows", can_retry=True)


def _read_row(row: object) -> SettlementRecord:
    info = child(row, "transaction_info") if isinstance(row, dict) else {}
    try:
        return _read_info(info)
    except MoneyError as error:
        raise _unreadable(info, str(error)) from error


def _read_info(info: Json) -> SettlementRecord:
    number, code = read_text(info, "transaction_id"), read_text(info, "transaction_event_code")
    begun = read_text(info, "transaction_initiation_date")
    booked_at, gross = _moment(begun), _movement(info.get("transaction_amount"))
    if not number or not code or booked_at is None or gross is None:
        raise _unreadable(info, "no id, code, time or amount")
    kind = SETTLEMENT_KINDS.get(code, RecordKind.UNKNOWN)
    fee = _fee(info, gross)
    named = read_text(info, "custom_field") or read_text(info, "invoice_id")
    return SettlementRecord(
        # The id alone is not unique, and the same row may come again with another status.
        record_id=f"{number}:{code}:{gross.minor}:{begun}",
        kind=kind,
        word=code,
        gross=gross,
        fee=fee,
        net=gross - fee,
        booked_at=booked_at,
        status=SETTLEMENT_STATUSES.get(read_text(info, "transaction_status"), RecordStatus.UNKNOWN),
        reference=named if kind in {RecordKind.PAYMENT, RecordKind.REFUND} else "",
        psp_reference=number,
        payment_reference="" if kind is RecordKind.REFUND else named,
        payment_psp_reference=(
            number if kind is RecordKind.PAYMENT else read_text(info, "paypal_reference_id")
        ),
        payout=number if kind is RecordKind.PAYOUT else "",
        raw=redact_object({key: info[key] for key in info.keys() - _PERSONAL}),
    )


def _fee(info: Json, gross: Movement) -> Movement:
    """What PayPal keeps.

    Its fees are balance changes, below zero when taken, and are seen without a sign, too. No fee
    of money that comes in is ever given to us; of money that goes out, a fee above zero is.
    """
    if info.get("fee_amount") is None:
        return Movement(0, gross.currency)
    fee = _movement(info["fee_amount"])
    if fee is None:
        raise _unreadable(info, "no fee that we could hold")
    kept = abs(fee.minor) if gross.minor > 0 else -fee.minor
    return Movement(kept, fee.currency)


def _movement(node: object) -> Movement | None:
    if not isinstance(node, dict) or not isinstance(node.get("value"), str):
        return None
    magnitude = amounts.read({**node, "value": node["value"].removeprefix("-")})
    if magnitude is None:
        return None
    sign = -1 if node["value"].startswith("-") else 1
    return Movement(sign * magnitude.minor, magnitude.currency)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _unreadable(info: Json, why: str) -> ReportUnavailable:
    number = read_text(info, "transaction_id")[:_SHOWN_MAX]
    return ReportUnavailable(f"a row of PayPal's report cannot be read: {number!r}: {why}")
