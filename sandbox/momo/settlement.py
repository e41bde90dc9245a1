"""MoMo's daily file. MoMo publishes no format; the shop's manual (docs/gateways) has this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.charges import seconds
from sandbox.settlement import csv_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.journal import Json

HEADER: Final = (
    "partnerCode", "transType", "orderId", "transId", "purchaseOrderId", "purchaseTransId",
    "amount", "fee", "netAmount", "responseTime", "settlementId",
)  # fmt: skip


def daily_file(day: str, lines: Iterable[Json]) -> str:
    """The file of a day."""
    return csv_text(HEADER, (row_of(line, day) for line in lines))


def row_of(line: Json, day: str) -> Sequence[object]:
    """A line of the settlement in MoMo's columns."""
    is_payment = line["type"] == "payment"
    return (
        line["account"],
        line["type"],
        line["key"],
        line["psp_reference"],
        "" if is_payment else line["reference"],
        "" if is_payment else line["charge"],
        abs(line["gross"]),
        line["fee"],
        line["net"],
        int(seconds(line["at"]) * 1000),
        f"{line['account']}.{day}",
    )
