"""VNPAY's daily file. VNPAY publishes no format; the shop's manual (docs/gateways) has this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.charges import seconds
from sandbox.settlement import csv_text
from sandbox.vnpay.payments import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sandbox.journal import Json

HEADER: Final = (
    "vnp_TmnCode", "vnp_TxnRef", "vnp_RequestId", "vnp_TransactionType", "vnp_TransactionNo",
    "vnp_Amount", "FeeAmount", "NetAmount", "vnp_PayDate", "SettlementNo",
)  # fmt: skip
# VNPAY writes a hundredth of a đồng.
SCALE: Final = 100
PAYMENT, REFUND_FULL, REFUND_PARTIAL = "01", "02", "03"


def daily_file(day: str, lines: Iterable[Json], paid: Mapping[str, int]) -> str:
    """The file of a day; ``paid`` is each payment's amount in đồng by its reference."""
    return csv_text(HEADER, (row_of(line, day, paid[line["reference"]]) for line in lines))


def row_of(line: Json, day: str, paid: int) -> Sequence[object]:
    """A line of the settlement in VNPAY's columns; ``paid`` is what the payment took, in đồng."""
    amount = abs(line["gross"])
    refund = REFUND_FULL if amount == paid else REFUND_PARTIAL
    is_payment = line["type"] == "payment"
    return (
        line["account"],
        line["reference"],
        "" if is_payment else line["key"],
        PAYMENT if is_payment else refund,
        line["psp_reference"],
        amount * SCALE,
        line["fee"] * SCALE,
        line["net"] * SCALE,
        stamp(seconds(line["at"])),
        f"{line['account']}-{day.replace('-', '')}",
    )
