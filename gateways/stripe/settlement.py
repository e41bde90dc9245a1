"""Stripe's balance transactions as settlement records, and its payouts.

A balance transaction is in the currency that Stripe settles in, which need not be the payment's.
It has no metadata of its own: our references stand on its ``source``, which must be expanded.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from gateways.settlement import (
    Movement,
    Payout,
    PayoutStatus,
    RecordKind,
    RecordStatus,
    ReportUnavailable,
    SettlementRecord,
)
from gateways.stripe import amounts, mapping, objects, requests
from money.money import MoneyError
from privacy.redaction import redact_object

_Object = Mapping[str, object]
_SECONDS: Final = range(4_102_444_800)  # up to the year 2100


def read_transaction(item: _Object, *, payout: str = "") -> SettlementRecord:
    """A balance transaction; ``payout`` carries it. Raises ReportUnavailable."""
    source, record_id = objects.member(item, "source"), read_id(item)
    gross, fee, net = (_movement(item, name) for name in ("amount", "fee", "net"))
    source_id = objects.linked_id(item, "source")
    kind = _kind(item)
    is_payout = kind in {RecordKind.PAYOUT, RecordKind.PAYOUT_REVERSAL}
    try:
        return SettlementRecord(
            record_id=record_id,
            kind=kind,
            word=objects.text(item, "type"),
            gross=gross,
            fee=fee,
            net=net,
            booked_at=_moment(item, "created"),
            status=mapping.BALANCE_STATUSES.get(objects.text(item, "status"), RecordStatus.UNKNOWN),
            reference=_reference(source),
            psp_reference=source_id,
            payment_reference=objects.text(objects.member(source, "metadata"), requests.REFERENCE),
            payment_psp_reference=objects.linked_id(source, "payment_intent"),
            original=_original(source, gross),
            exchange_rate=_rate(item),
            payout=payout or (source_id if is_payout else ""),
            available_on=_day(item, "available_on"),
            # What stands behind it has people in it; its id is enough to find it.
            raw=redact_object({**item, "source": source_id}),
        )
    except MoneyError as error:
        raise _unreadable(item, str(error)) from error


def read_payout(item: _Object) -> Payout:
    """A payout. Raises ReportUnavailable."""
    status = objects.text(item, "status")
    return Payout(
        psp_reference=read_id(item),
        status=mapping.PAYOUT_STATUSES.get(status, PayoutStatus.UNKNOWN),
        amount=_movement(item, "amount"),
        created_at=_moment(item, "created"),
        arrives_on=_day(item, "arrival_date"),
        raw=redact_object(item),
    )


def require_reconciled(item: _Object) -> None:
    """Raises ReportUnavailable while, or because, Stripe cannot say what a payout carries."""
    status = objects.text(item, "reconciliation_status")
    if status != mapping.PAYOUT_RECONCILED:
        raise ReportUnavailable(
            f"Stripe does not know what {objects.text(item, 'id')} carries: {status}",
            can_retry=status == mapping.PAYOUT_NOT_YET,
        )


def read_balance(dispute: _Object) -> int:
    """What a dispute has moved, net, in Stripe's units. Raises ReportUnavailable."""
    listed = dispute.get("balance_transactions")
    nets = [
        item.get("net") if isinstance(item, dict) else None
        for item in (listed if isinstance(listed, list) else [None])
    ]
    if not all(type(net) is int for net in nets):
        raise _unreadable(dispute, "no balance transactions")
    return sum(net for net in nets if isinstance(net, int))


def read_id(item: _Object) -> str:
    """An object's id. Raises ReportUnavailable if it has none."""
    found = objects.text(item, "id")
    if not found:
        raise ReportUnavailable("Stripe gave an object without an id")
    return found


def _kind(item: _Object) -> RecordKind:
    kind = mapping.BALANCE_TYPES.get(objects.text(item, "type"), RecordKind.UNKNOWN)
    if kind is not RecordKind.ADJUSTMENT:
        return kind
    return mapping.ADJUSTMENT_CATEGORIES.get(objects.text(item, "reporting_category"), kind)


def _reference(source: _Object) -> str:
    """Ours: of the refund, or of the payment. Nothing is copied to a refund but what we wrote."""
    metadata = objects.member(source, "metadata")
    is_refund = objects.text(source, "object") == "refund"
    return objects.text(metadata, requests.REFUND_REFERENCE if is_refund else requests.REFERENCE)


def _original(source: _Object, gross: Movement) -> Movement | None:
    """The gross in the payment's own currency, with the same direction, where that is another."""
    currency = objects.text(source, "currency")
    if not currency or currency.upper() == gross.currency:
        return None
    amount = source.get("amount_captured", source.get("amount"))
    sign = -1 if gross.minor < 0 else 1
    original = amounts.movement_from_wire(
        abs(amount) * sign if type(amount) is int else amount, currency
    )
    if original is None:
        raise _unreadable(source, f"no amount in {currency}")
    return original


def _rate(item: _Object) -> str:
    rate = item.get("exchange_rate")
    if rate is None:
        return ""
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        raise _unreadable(item, "no exchange rate")
    # The shortest digits that name this number are the digits that Stripe wrote.
    return f"{Decimal(repr(rate)):f}"


def _movement(item: _Object, name: str) -> Movement:
    movement = amounts.movement_from_wire(item.get(name), item.get("currency"))
    if movement is None:
        raise _unreadable(item, f"no {name} that we could hold")
    return movement


def _moment(item: _Object, name: str) -> datetime:
    seconds = item.get(name)
    if type(seconds) is not int or seconds not in _SECONDS:
        raise _unreadable(item, f"no time in {name}")
    return datetime.fromtimestamp(seconds, UTC)


def _day(item: _Object, name: str) -> date:
    return _moment(item, name).date()


def _unreadable(item: _Object, why: str) -> ReportUnavailable:
    return ReportUnavailable(f"Stripe's {objects.text(item, 'id')[:40]!r} cannot be read: {why}")
