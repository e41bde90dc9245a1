"""Transaction Search: every movement of the balance, three hours late."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sandbox.paypal import money
from sandbox.paypal.errors import PaypalError, invalid
from sandbox.paypal.store import DAY_S, HOUR_S, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.journal import Json
    from sandbox.paypal.store import Store

PATH: Final = "/v1/reporting/transactions"
LAG_S: Final = 3 * HOUR_S
WINDOW_S_MAX: Final = 31 * DAY_S
ROWS_MAX: Final = 10_000
PAGE_SIZE_MAX: Final = 500
PAGE_SIZE: Final = 100
STATUSES: Final = {"COMPLETED": "S", "PENDING": "P", "DECLINED": "D"}


class Reporting:
    """Reads what the other parts have entered."""

    def __init__(self, store: Store) -> None:
        """Nothing of its own is kept."""
        self._store = store

    def transactions(self, query: Mapping[str, str]) -> Json:
        """One page of a search. Raises PaypalError."""
        start, end = read_window(query)
        size = read_number(query, "page_size", PAGE_SIZE, PAGE_SIZE_MAX)
        page = read_number(query, "page", 1, 1_000_000)
        reach = self._store.now - LAG_S
        only_moves = query.get("balance_affecting_records_only", "Y") != "N"
        rows = [
            (at, info)
            for at, moves, info in self._rows()
            if start <= at <= min(end, reach) and (moves or not only_moves) and fits(info, query)
        ]
        rows.sort(key=lambda row: row[0])
        infos = [info for _, info in rows]
        require_showable(len(infos))
        return {
            "transaction_details": [
                {"transaction_info": info} for info in infos[(page - 1) * size : page * size]
            ],
            "account_number": self._store.merchant_id,
            "start_date": query["start_date"],
            "end_date": query["end_date"],
            "last_refreshed_datetime": stamp(reach),
            "page": page,
            "total_items": len(infos),
            "total_pages": -(-len(infos) // size),
            "links": [self._store.link(PATH, "self")],
        }

    def balances(self, wanted: str | None) -> Json:
        """What stands in the account now, by currency; of one currency only if one is named."""
        totals: dict[str, Decimal] = {}
        for _, moves, info in self._rows():
            if moves and info["transaction_status"] == "S":
                for part in ("transaction_amount", "fee_amount"):
                    node = info.get(part)
                    if node:
                        currency = node["currency_code"]
                        totals[currency] = totals.get(currency, Decimal(0)) + Decimal(node["value"])
        lines = [
            money.Amount(total, currency).shown()
            for currency, total in totals.items()
            if wanted in {None, "ALL", currency}
        ]
        return {
            "balances": [
                {
                    "currency": line["currency_code"],
                    "primary": number == 0,
                    "total_balance": line,
                    "available_balance": line,
                }
                for number, line in enumerate(lines)
            ],
            "account_id": self._store.merchant_id,
            "as_of_time": self._store.stamp(),
            "last_refresh_time": self._store.stamp(),
        }

    def _rows(self) -> Iterator[tuple[float, bool, Json]]:
        """When, whether it moves the balance, and the row itself."""
        for hold in self._store.table("authorizations").values():
            yield hold["_at"], False, row(hold["id"], "T1300", hold["amount"], hold, status="S")
        for capture in self._store.table("captures").values():
            yield self._capture_row(capture)
        for refund in self._store.table("refunds").values():
            if "_reversal" in refund:
                continue
            status = STATUSES.get(refund["status"], "D")
            info = row(refund["id"], "T1107", negative(refund["amount"]), refund, status=status)
            yield refund["_at"], True, info | related(refund["_capture"])
        for move in self._store.table("moves").values():
            capture = self._store.find("captures", move["of"])
            info = row(move["id"], move["code"], move["amount"], capture, status="S")
            yield move["_at"], True, info | dated(move["_at"]) | related(move["of"])

    def _capture_row(self, capture: Json) -> tuple[float, bool, Json]:
        at: float = capture["_completed_at"] if "_completed_at" in capture else capture["_at"]
        status = STATUSES.get(capture["status"], "S")
        info = row(capture["id"], "T0006", capture["amount"], capture, status=status) | dated(at)
        received = capture.get("seller_receivable_breakdown")
        if received:
            info["fee_amount"] = negative(received["paypal_fee"])
        return at, status != "D", info


def require_showable(rows: int) -> None:
    """Raises PaypalError for a search that finds too much, of which PayPal shows nothing."""
    if rows > ROWS_MAX:
        raise PaypalError(400, name="RESULTSET_TOO_LARGE")


def fits(info: Json, query: Mapping[str, str]) -> bool:
    """Whether a movement is one of those that a search names."""
    values = {
        "transaction_id": info["transaction_id"],
        "transaction_type": info["transaction_event_code"],
        "transaction_status": info["transaction_status"],
        "transaction_currency": info["transaction_amount"]["currency_code"],
    }
    return all(query[name] == value for name, value in values.items() if query.get(name))


def row(number: str, code: str, amount: Json, of: Json, *, status: str) -> Json:
    """The ``transaction_info`` of one movement."""
    ours = {"invoice_id": of.get("invoice_id"), "custom_field": of.get("custom_id")}
    return {
        "transaction_id": number,
        "transaction_event_code": code,
        "transaction_amount": amount,
        "transaction_status": status,
        **dated(of["_at"]),
        **{name: value for name, value in ours.items() if value},
    }


def dated(at: float) -> Json:
    """When a movement began and last changed."""
    return {"transaction_initiation_date": stamp(at), "transaction_updated_date": stamp(at)}


def related(transaction_id: str) -> Json:
    """What a movement belongs to."""
    return {"paypal_reference_id": transaction_id, "paypal_reference_id_type": "TXN"}


def negative(amount: Json) -> Json:
    """Money that leaves the account."""
    return amount | {"value": f"-{amount['value']}"}


def read_window(query: Mapping[str, str]) -> tuple[float, float]:
    """The two ends of a search. Raises PaypalError."""
    ends = []
    for name in ("start_date", "end_date"):
        if name not in query:
            raise invalid("MISSING_REQUIRED_PARAMETER", name)
        try:
            moment = datetime.fromisoformat(query[name].replace(" ", "+"))
        except ValueError as error:
            raise invalid("INVALID_PARAMETER_SYNTAX", name) from error
        if moment.tzinfo is None:
            raise invalid("INVALID_PARAMETER_SYNTAX", name)
        ends.append(moment.timestamp())
    start, end = ends
    if not start < end:
        raise invalid("INVALID_DATE_RANGE", "start_date")
    if end - start > WINDOW_S_MAX:
        raise invalid("DATE_RANGE_EXCEEDS_31_DAYS", "end_date")
    return start, end


def read_number(query: Mapping[str, str], name: str, default: int, high: int) -> int:
    """A whole number from 1. Raises PaypalError."""
    value = query.get(name, str(default))
    if not value.isdecimal() or not 0 < int(value) <= high:
        raise invalid("INVALID_PARAMETER_VALUE", name)
    return int(value)
