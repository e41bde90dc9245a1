"""MoMo's daily file. MoMo publishes no format; the shop's manual (docs/gateways) has this one."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from sandbox.charges import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.book import Json

HEADER: Final = (
    "partnerCode", "transType", "orderId", "transId", "purchaseOrderId", "purchaseTransId",
    "amount", "fee", "netAmount", "responseTime", "settlementId",
)  # fmt: skip


def daily_file(day: str, lines: Iterable[Json]) -> str:
    """The file of a day."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for line in lines:
        is_payment = line["type"] == "payment"
        writer.writerow(
            (
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
        )
    return out.getvalue()
