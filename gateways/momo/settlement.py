"""MoMo's daily file: what it settled for one partner code.

MoMo publishes no format: a shop takes its file from the business portal, in the form that its
contract has. This one is ours. ``partnerCode``, ``orderId``, ``transId``, ``amount`` and
``responseTime`` (milliseconds since 1970) hold what they hold in the API; the others are:

- ``transType``: ``payment`` or ``refund``;
- ``purchaseOrderId``, ``purchaseTransId``: of a refund, the payment that it gives back;
- ``fee``: what MoMo keeps of the row, below zero where it gives a fee back;
- ``netAmount``: what the row adds to (or, below zero, takes from) what we are paid;
- ``settlementId``: MoMo's number of the bank transfer that carries the row, or nothing.

All amounts are whole đồng.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from gateways.momo import amounts, mapping
from gateways.settlement import Movement, RecordKind, SettlementRecord
from gateways.settlement_file import Row, read_records, require_gross
from privacy.redaction import redact_object

COLUMNS: Final = (
    "partnerCode",
    "transType",
    "orderId",
    "transId",
    "purchaseOrderId",
    "purchaseTransId",
    "amount",
    "fee",
    "netAmount",
    "responseTime",
    "settlementId",
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# From 2010 to 2100; a number of seconds would lie long before.
_MOMENTS: Final = range(1_262_304_000_000, 4_102_444_800_000)


def read(content: bytes, partner_code: str) -> Iterator[SettlementRecord]:
    """The records of a file; raises as ``read_records`` does."""
    return read_records(content, COLUMNS, lambda row: _record(row, partner_code))


def _record(row: Row, partner_code: str) -> SettlementRecord:
    row.require_ours("partnerCode", partner_code)
    number, word = row.require_id("transId"), row.require_id("transType")
    kind = mapping.SETTLEMENT_KINDS.get(word, RecordKind.UNKNOWN)
    order_id, is_payment = row.require_id("orderId"), kind is RecordKind.PAYMENT
    fee, net = _movement(row, "fee"), _movement(row, "netAmount")
    return SettlementRecord(
        record_id=f"{word}:{number}",
        kind=kind,
        word=word,
        gross=require_gross(row, kind, _movement(row, "amount"), net + fee),
        fee=fee,
        net=net,
        booked_at=_booked_at(row),
        reference=order_id,
        psp_reference=number,
        payment_reference=order_id if is_payment else row.read_id("purchaseOrderId"),
        payment_psp_reference=number if is_payment else row.read_id("purchaseTransId"),
        payout=row.read_id("settlementId"),
        raw=redact_object(row.cells),
    )


def _movement(row: Row, column: str) -> Movement:
    return Movement(row.read_whole(column), amounts.CURRENCY)


def _booked_at(row: Row) -> datetime:
    milliseconds = row.read_whole("responseTime")
    if milliseconds not in _MOMENTS:
        raise row.refuse("responseTime", "is no time")
    return _EPOCH + timedelta(milliseconds=milliseconds)
