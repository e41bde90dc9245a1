"""What a gateway settles for one day: the lines that a shop compares with its own ledger.

They are counted from the journal alone, so that a gateway's own report can be held against
them.
"""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from sandbox.charges import seconds
from sandbox.gateway import ControlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sandbox.gateway import Gateway, SandboxContext
    from sandbox.journal import Json

# Days are counted in Viet Nam's time, where two of the four gateways keep their books.
SETTLEMENT_ZONE = timezone(timedelta(hours=7))


def settlement(context: SandboxContext, gateway: Gateway, day: str) -> Json:
    """The settled lines of one day (YYYY-MM-DD) and their sums by currency, in ISO minor units.

    A line has ``type`` (payment, refund, refund_reversal, dispute or dispute_reversal), ``key``
    (the gateway's own of its row), both references, ``charge`` (the gateway's number of the
    payment), ``gross``, ``fee`` and ``net``; money that leaves the shop is negative. Raises
    ControlError for a bad date.
    """
    lines = lines_of(context, gateway, day)
    totals: dict[str, Json] = {}
    for line in lines:
        total = totals.setdefault(line["currency"], {"gross": 0, "fee": 0, "net": 0})
        for part in total:
            total[part] += line[part]
    return {"gateway": gateway.name, "date": day, "lines": lines, "totals": totals}


def settlement_file(context: SandboxContext, gateway: Gateway, day: str) -> str:
    """The same lines as the file that the gateway would publish. Raises ControlError."""
    return gateway.settlement_file(day, lines_of(context, gateway, day))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A header and rows as CSV, with a line's end after the last one too."""
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue()


def lines_of(context: SandboxContext, gateway: Gateway, day: str) -> list[Json]:
    """The lines of one day. Raises ControlError for a bad date."""
    wanted = read_day(day)
    return [line for line in all_lines(context, gateway) if local_day(line["at"]) == wanted]


def all_lines(context: SandboxContext, gateway: Gateway) -> Iterator[Json]:
    """Every line of the gateway's whole journal."""
    for key, row in rows_of(context, gateway, "charges"):
        if row["captured"]:
            fee = gateway.fee(row["captured"], row["currency"])
            yield line("payment", key, row, row["captured"], row["captured_at"], fee=fee)
    for kind, table in (("refund", "refunds"), ("dispute", "disputes")):
        for key, row in rows_of(context, gateway, table):
            if "moved_at" in row:
                fee = gateway.dispute_fee(row["currency"]) if kind == "dispute" else 0
                yield line(kind, key, row, -row["amount"], row["moved_at"], fee=fee)
            if "returned_at" in row:
                yield line(f"{kind}_reversal", key, row, row["amount"], row["returned_at"])


def rows_of(context: SandboxContext, gateway: Gateway, table: str) -> Iterator[tuple[str, Json]]:
    """A gateway's rows in one table of the journal, each with the gateway's own key of it."""
    for key, row in context.journal.table(table).items():
        if row["gateway"] == gateway.name:
            yield key.partition(":")[2], row


def line(kind: str, key: str, row: Json, gross: int, at: str, *, fee: int = 0) -> Json:
    """One line from a row of the journal."""
    return {
        "type": kind,
        "key": key,
        "account": row["account"],
        "reference": row["reference"],
        "psp_reference": row["psp_reference"],
        "charge": row.get("charge", row["psp_reference"]),
        "currency": row["currency"],
        "gross": gross,
        "fee": fee,
        "net": gross - fee,
        "at": at,
    }


def local_day(moment: str) -> date:
    """The settlement day of a moment of the journal."""
    return datetime.fromtimestamp(seconds(moment), SETTLEMENT_ZONE).date()


def read_day(text: str) -> date:
    """A day. Raises ControlError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ControlError(f"date must be YYYY-MM-DD; got {text!r}.") from error
