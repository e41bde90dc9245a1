"""What a gateway settles for one day: the lines that a shop compares with its own ledger."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from sandbox.charges import seconds
from sandbox.gateway import ControlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.book import Json
    from sandbox.gateway import Gateway, World

# Days are counted in Viet Nam's time, where two of the four gateways keep their books.
SETTLEMENT_ZONE = timezone(timedelta(hours=7))


def settlement(world: World, gateway: Gateway, day: str) -> Json:
    """The settled lines of one day (YYYY-MM-DD) and their sums by currency, in ISO minor units.

    A line has ``type`` (payment, refund or dispute), both references, ``gross``, ``fee`` and
    ``net``; money that leaves the shop is negative. Raises ControlError for a bad date.
    """
    wanted = read_day(day)
    lines = [line for line in all_lines(world, gateway) if local_day(line["at"]) == wanted]
    totals: dict[str, Json] = {}
    for line in lines:
        total = totals.setdefault(line["currency"], {"gross": 0, "fee": 0, "net": 0})
        for part in total:
            total[part] += line[part]
    return {"gateway": gateway.name, "date": day, "lines": lines, "totals": totals}


def all_lines(world: World, gateway: Gateway) -> Iterator[Json]:
    """Every line of the gateway's whole book."""
    for row in world.book.table("charges").values():
        if row["gateway"] == gateway.name and row["captured"]:
            at = row.get("captured_at") or row["created_at"]
            yield line(
                "payment", row, row["captured"], gateway.fee(row["captured"], row["currency"]), at
            )
    for row in world.book.table("refunds").values():
        if row["gateway"] == gateway.name and row["status"] != "failed":
            yield line("refund", row, -row["amount"], 0, row["created_at"])
    for row in world.book.table("disputes").values():
        if row["gateway"] == gateway.name and row["status"] in {"open", "lost"}:
            yield line("dispute", row, -row["amount"], 0, row["created_at"])


def line(kind: str, row: Json, gross: int, fee: int, at: str) -> Json:
    """One line from a row of the book."""
    return {
        "type": kind,
        "account": row["account"],
        "reference": row["reference"],
        "psp_reference": row["psp_reference"],
        "currency": row["currency"],
        "gross": gross,
        "fee": fee,
        "net": gross - fee,
        "at": at,
    }


def local_day(moment: str) -> date:
    """The settlement day of a moment of the book."""
    return datetime.fromtimestamp(seconds(moment), SETTLEMENT_ZONE).date()


def read_day(text: str) -> date:
    """A day. Raises ControlError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ControlError(f"date must be YYYY-MM-DD; got {text!r}.") from error
