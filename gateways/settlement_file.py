"""A daily settlement file: CSV as RFC 4180 has it, in UTF-8, with a header row.

Whoever made the file may have passed it through a spreadsheet, so everything that such a program
does to a file is either known here (BOM, CRLF, columns in another order, quotes) or refused by
line and column (thousands separators, rounded numbers, semicolons, a cell that became a formula).
Cells are texts and are never evaluated.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateways.settlement import Movement, RecordKind, ReportUnavailable, SettlementRecord

# Some hundred thousand rows: more than a day of any shop that this is for.
FILE_BYTES_MAX: Final = 16 * 1024 * 1024
_SHOWN_MAX: Final = 40
_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")
# Digits and nothing else: 1,000 may be a thousand or one, and 1E+05 has lost its last digits.
_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")
_DIRECTIONS: Final = {RecordKind.PAYMENT: 1, RecordKind.REFUND: -1}


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``line`` counts from 1, the header's being the first."""

    line: int
    cells: dict[str, str]

    def read_id(self, column: str) -> str:
        """An id, or "" where the cell is empty. Raises ReportUnavailable."""
        cell = self.cells[column]
        if cell and not _ID.fullmatch(cell):
            raise self.refuse(column, "is no id")
        return cell

    def require_ours(self, column: str, ours: str) -> None:
        """Raises ReportUnavailable for a row of another account."""
        if self.cells[column] != ours:
            raise self.refuse(column, "is not ours")

    def require_id(self, column: str) -> str:
        """An id that must be there. Raises ReportUnavailable."""
        if not self.cells[column]:
            raise self.refuse(column, "is empty")
        return self.read_id(column)

    def read_whole(self, column: str) -> int:
        """A whole number in plain digits, perhaps with a minus. Raises ReportUnavailable."""
        if not _WHOLE.fullmatch(self.cells[column]):
            raise self.refuse(column, "is not a whole number written in digits alone")
        return int(self.cells[column])

    def refuse(self, column: str, why: str) -> ReportUnavailable:
        """The error that names the cell."""
        shown = self.cells[column][:_SHOWN_MAX]
        return ReportUnavailable(f"line {self.line}, column {column}: {shown!r} {why}")

    def refuse_row(self, why: str) -> ReportUnavailable:
        """The error that names the row."""
        return ReportUnavailable(f"line {self.line}: {why}")


def read_records(
    content: bytes, columns: Sequence[str], read_record: Callable[[Row], SettlementRecord]
) -> Iterator[SettlementRecord]:
    """The records of a file that holds exactly ``columns``, each made out of its row.

    All of the file is read before the first. Raises ReportUnavailable, also for a record that is
    listed twice, because it may be one record or two.
    """
    known: dict[str, SettlementRecord] = {}
    for record in map(read_record, _read_rows(content, columns)):
        if record.record_id in known:
            raise ReportUnavailable(f"{record.record_id} stands in the file twice")
        known[record.record_id] = record
    return iter(known.values())


def require_gross(row: Row, kind: RecordKind, amount: Movement, gross: Movement) -> Movement:
    """``gross`` (net and fee of the row), if the row's ``amount`` and its kind bear it out.

    An amount has no sign; the sign of the net decides. Raises ReportUnavailable.
    """
    if abs(gross.minor) != amount.minor:
        raise row.refuse_row(f"the amount is {amount.minor}, net and fee make {gross.minor}")
    if _DIRECTIONS.get(kind, 0) * gross.minor < 0:
        raise row.refuse_row(f"{gross.minor} goes the wrong way for a {kind.lower()}")
    return gross


def _read_rows(content: bytes, columns: Sequence[str]) -> Iterator[Row]:
    """The rows under a header that holds exactly ``columns``, in any order.

    Lines without anything in them are no rows. Raises ReportUnavailable.
    """
    reader = csv.reader(io.StringIO(_text(content), newline=""), strict=True)
    try:
        header = next(reader, [])
        _require_columns(header, columns)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise ReportUnavailable(
                    f"line {reader.line_num}: {len(cells)} cells under {len(header)} columns"
                )
            yield Row(reader.line_num, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise ReportUnavailable(f"line {reader.line_num}: no CSV ({error})") from error


def _text(content: bytes) -> str:
    if len(content) > FILE_BYTES_MAX:
        raise ReportUnavailable(f"the file is larger than {FILE_BYTES_MAX} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReportUnavailable(f"the file is not UTF-8: byte {error.start}") from error
    if not text.strip():
        raise ReportUnavailable("the file is empty: even a day without payments has a header")
    if not text.endswith(("\n", "\r")):
        raise ReportUnavailable("the last line has no end: the file may have been cut")
    return text


def _require_columns(header: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in header]
    strange = [name[:_SHOWN_MAX] for name in header if name not in columns]
    repeated = sorted({name for name in header if header.count(name) > 1 and name in columns})
    for names, fault in ((missing, "misses"), (strange, "has unknown"), (repeated, "repeats")):
        if names:
            raise ReportUnavailable(f"the header {fault} {', '.join(map(repr, names))}")
