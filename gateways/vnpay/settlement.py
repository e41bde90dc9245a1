"""VNPAY's daily file: what it settled for one terminal.

VNPAY publishes no format: what a shop gets is agreed in its contract. This one is ours. Columns
that begin with ``vnp_`` hold what the same parameter of the API holds; the other three are:

- ``FeeAmount``: what VNPAY keeps of the row, below zero where it gives a fee back;
- ``NetAmount``: what the row adds to (or, below zero, takes from) what we are paid;
- ``SettlementNo``: VNPAY's number of the bank transfer that carries the row, or nothing.

All amounts are đồng times one hundred, as everywhere at VNPAY.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from gateways.settlement import Movement, RecordKind, SettlementRecord
from gateways.settlement_file import Row, read_records, require_gross
from gateways.vnpay import amounts, formats, mapping
from privacy.redaction import redact_object

COLUMNS: Final = (
    "vnp_TmnCode",
    "vnp_TxnRef",
    "vnp_RequestId",  # of the refund; empty for a payment
    "vnp_TransactionType",
    "vnp_TransactionNo",
    "vnp_Amount",
    "FeeAmount",
    "NetAmount",
    "vnp_PayDate",
    "SettlementNo",
)


def read(content: bytes, tmn_code: str) -> Iterator[SettlementRecord]:
    """The records of a file; raises as ``read_records`` does."""
    return read_records(content, COLUMNS, lambda row: _record(row, tmn_code))


def _record(row: Row, tmn_code: str) -> SettlementRecord:
    row.require_ours("vnp_TmnCode", tmn_code)
    number, word = row.require_id("vnp_TransactionNo"), row.require_id("vnp_TransactionType")
    kind = mapping.SETTLEMENT_KINDS.get(word, RecordKind.UNKNOWN)
    payment, is_payment = row.require_id("vnp_TxnRef"), kind is RecordKind.PAYMENT
    fee, net = _movement(row, "FeeAmount"), _movement(row, "NetAmount")
    request_id = row.read_id("vnp_RequestId")
    return SettlementRecord(
        record_id=f"{word}:{number}",
        kind=kind,
        word=word,
        gross=require_gross(row, kind, _movement(row, "vnp_Amount"), net + fee),
        fee=fee,
        net=net,
        booked_at=_booked_at(row),
        reference=payment if is_payment else request_id,
        psp_reference=number,
        payment_reference=payment,
        payment_psp_reference=number if is_payment else "",
        payout=row.read_id("SettlementNo"),
        raw=redact_object(row.cells),
    )


def _movement(row: Row, column: str) -> Movement:
    minor, rest = divmod(row.read_whole(column), amounts.SCALE)
    if rest:
        raise row.refuse(column, "is no whole đồng")
    return Movement(minor, amounts.CURRENCY)


def _booked_at(row: Row) -> datetime:
    moment = formats.date_from_wire(row.cells["vnp_PayDate"])
    if moment is None:
        raise row.refuse("vnp_PayDate", "is no time")
    return moment
