"""A list as CSV: streamed in batches, safe to open in a spreadsheet, and on the record."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from audit import services as audit
from audit.actions import AuditAction
from audit.context import acting, current_actor, current_request_id, in_request
from durable.ids import uuid7
from privacy.redaction import mask_email, mask_text

ROWS_PER_BATCH: Final = 1000
ROWS_MAX: Final = 500_000
# Without it Excel takes UTF-8 for the local code page and spoils every Vietnamese name.
_BYTE_ORDER_MARK: Final = "\ufeff"
# A spreadsheet takes a cell that starts with one of these for a formula (OWASP, CSV injection).
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_EMAIL: Final = re.compile(r"[^\s\"':<>=]+@[^\s\"']+")

# Heading → what stands below it for one row.
Columns = Mapping[str, Callable[[Any], object]]


def response(
    *, name: str, filtered_by: str, rows: QuerySet[Any], columns: Columns
) -> StreamingHttpResponse:
    """The CSV of ``rows``; the trail says who took which filter, and how many rows left."""
    record = _Record(name, filtered_by)
    record.write(AuditAction.EXPORT_STARTED)
    lines = _recorded(record, _lines(record, rows, columns))
    stamp = timezone.now().strftime("%Y%m%d-%H%M%S")
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}-{stamp}.csv"',
            "Cache-Control": "no-store",
        },
    )


def safe_cell(value: object) -> str:
    """``value`` as text that no spreadsheet runs as a formula."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def without_addresses(text: str) -> str:
    """A search as the trail may keep it: e-mail addresses only so far as to recognise them."""
    return mask_text(_EMAIL.sub(lambda match: mask_email(match.group()), text))


class _Record:
    """The two audit events of one export, written by whoever asked for it.

    The rows leave after the request's own context has ended, so the actor is taken along.
    """

    def __init__(self, name: str, filtered_by: str) -> None:
        self.id = uuid7()
        self.rows = 0
        self.is_complete = False
        self._facts = {"list": name, "filter": without_addresses(filtered_by)}
        self._actor = current_actor()
        self._request_id = current_request_id()

    def write(self, action: AuditAction, **facts: object) -> None:
        with acting(self._actor), in_request(self._request_id):
            audit.record(
                [
                    audit.event(
                        action=action,
                        subject_type="export",
                        subject_id=self.id,
                        after={**self._facts, **facts},
                    )
                ]
            )


def _recorded(record: _Record, lines: Iterator[str]) -> Iterator[str]:
    """``lines``, and the record of the end even when the reader hung up half-way."""
    try:
        yield from lines
    finally:
        record.write(AuditAction.EXPORT_ENDED, rows=record.rows, is_complete=record.is_complete)


class _Echo:
    """What ``csv.writer`` writes to, so that each line comes back instead of piling up."""

    def write(self, line: str) -> str:
        return line


def _lines(record: _Record, rows: QuerySet[Any], columns: Columns) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield _BYTE_ORDER_MARK + writer.writerow(columns)
    for batch in _batches(rows):
        record.rows += len(batch)
        yield "".join(writer.writerow(_cells(row, columns)) for row in batch)
    record.is_complete = record.rows < ROWS_MAX


def _cells(row: Any, columns: Columns) -> Iterable[str]:
    return [safe_cell(value(row)) for value in columns.values()]


def _batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """By descending key and no server-side cursor: no statement and no snapshot lasts long."""
    rows = rows.order_by("-pk")
    last = None
    for _ in range(ROWS_MAX // ROWS_PER_BATCH):
        batch = list(rows.filter(pk__lt=last)[:ROWS_PER_BATCH] if last else rows[:ROWS_PER_BATCH])
        if batch:
            last = batch[-1].pk
            yield batch
        if len(batch) < ROWS_PER_BATCH:
            return
