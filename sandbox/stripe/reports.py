"""Report runs: the balance, itemized as CSV, a moment after it was asked for."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sandbox.pages import EXPONENTS
from sandbox.stripe.currencies import iso_minor
from sandbox.stripe.errors import StripeError, bad_value, missing, unknown
from sandbox.stripe.objects import list_object, new_id
from sandbox.stripe.params import need, texts, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.journal import Json
    from sandbox.stripe.store import Store

# The number behind the family grows with the columns; every number gives these.
FAMILIES: Final = ("balance_change_from_activity.itemized", "payout_reconciliation.itemized")
TYPE: Final = re.compile(r"(?P<family>.+)[.][0-9]{1,3}", re.ASCII)
VERSION: Final = 3
COLUMNS: Final = (
    "balance_transaction_id", "created_utc", "available_on_utc", "currency", "gross", "fee", "net",
    "reporting_category", "source_id", "payment_intent_id", "automatic_payout_id",
)  # fmt: skip
PARAMETERS: Final = (
    "interval_start", "interval_end", "columns", "currency", "payout", "reporting_category",
    "timezone",
)  # fmt: skip
WORKS_S: Final = 1.0
TYPES_URL: Final = "/v1/reporting/report_types"


class Reports:
    """The runs of the account."""

    def __init__(self, store: Store) -> None:
        """A run is filled when it is done, from the balance as it is then."""
        self._store = store

    def types(self) -> Json:
        """``GET /v1/reporting/report_types``."""
        return list_object(TYPES_URL, [self._type(name) for name in FAMILIES], has_more=False)

    def type(self, type_id: str) -> Json:
        """One of them. Raises StripeError."""
        return self._type(family_of(type_id), type_id)

    def create(self, params: Json) -> Json:
        """``POST /v1/reporting/report_runs``. Raises StripeError."""
        family = family_of(need(params, "report_type"))
        given = params.get("parameters") or {}
        for name in given:
            if name not in PARAMETERS:
                raise unknown(f"parameters[{name}]")
        run: Json = {
            "id": new_id("frr_"),
            "created": self._store.now,
            "parameters": read_parameters(given, by_payout=family == FAMILIES[1]),
            "report_type": params["report_type"],
            "status": "pending",
            "_by_payout": family == FAMILIES[1],
        }
        self._store.put("reports", run)
        self._schedule(run)
        return run

    def contents(self, file_id: str) -> str:
        """The CSV of a file. Raises StripeError."""
        for run in self._store.table("reports").values():
            if run.get("result") and run["result"]["id"] == file_id:
                text: str = run["_csv"]
                return text
        raise StripeError(404, f"No such file: '{file_id}'", code="resource_missing", param="id")

    def resume(self) -> None:
        """Schedule again the runs that were not done."""
        for run in self._store.table("reports").values():
            if run["status"] == "pending":
                self._schedule(run)

    def _type(self, family: str, type_id: str = "") -> Json:
        return {
            "id": type_id or f"{family}.{VERSION}",
            "object": "reporting.report_type",
            "name": family.replace(".", " ").replace("_", " ").capitalize(),
            "data_available_start": 0,
            "data_available_end": self._store.now,
            "default_columns": list(COLUMNS),
            "livemode": False,
            "updated": self._store.now,
            "version": VERSION,
        }

    def _schedule(self, run: Json) -> None:
        self._store.context.clock.at(run["created"] + WORKS_S, lambda: self._finish(run))

    def _finish(self, run: Json) -> None:
        text = as_csv(self._lines(run), run["parameters"].get("columns") or COLUMNS)
        file_id = new_id("file_")
        run["_csv"] = text
        run.update(
            status="succeeded",
            succeeded_at=self._store.now,
            result={
                "id": file_id,
                "object": "file",
                "created": self._store.now,
                "expires_at": None,
                "filename": f"{run['id']}.csv",
                "links": None,
                "purpose": "finance_report_run",
                "size": len(text.encode()),
                "title": None,
                "type": "csv",
                "url": f"{self._store.context.settings.url}/v1/files/{file_id}/contents",
            },
        )
        self._store.put("reports", run)
        self._store.emit("reporting.report_run.succeeded", "reports", run, run["id"])

    def _lines(self, run: Json) -> Iterable[Json]:
        given = run["parameters"]
        wanted = chosen(given, by_payout=run["_by_payout"])
        return (
            row(self._store, x) for x in self._store.table("transactions").values() if wanted(x)
        )


def family_of(type_id: str) -> str:
    """The report of a type without its number. Raises StripeError."""
    match = TYPE.fullmatch(type_id)
    if match is None or match["family"] not in FAMILIES:
        raise StripeError(404, f"No such report type: '{type_id}'", code="resource_missing")
    return match["family"]


def read_parameters(given: Json, *, by_payout: bool) -> Json:
    """The parameters with their types. Raises StripeError."""
    read: Json = dict(given)
    for name in ("interval_start", "interval_end"):
        if name in given:
            read[name] = whole(f"parameters[{name}]", given[name])
        elif not (by_payout and given.get("payout")):
            raise missing(f"parameters[{name}]")
    unknown_columns = set(texts("parameters[columns]", given.get("columns", []))) - set(COLUMNS)
    if unknown_columns:
        raise bad_value("parameters[columns]", f"Unknown columns: {', '.join(unknown_columns)}.")
    return read


def chosen(given: Json, *, by_payout: bool) -> Callable[[Json], bool]:
    """Whether a line belongs into a run: by its own time, or because it was paid out."""
    equal = {
        own: given[name]
        for name, own in (
            ("currency", "currency"), ("reporting_category", "reporting_category"),
            ("payout", "_payout"),
        )
        if name in given
    }  # fmt: skip
    start, end = given.get("interval_start", 0), given.get("interval_end")

    def wanted(line: Json) -> bool:
        if line["type"] == "payout" or (by_payout and line["_payout"] is None):
            return False
        in_time = start <= line["created"] and (end is None or line["created"] < end)
        return in_time and all(line[name] == value for name, value in equal.items())

    return wanted


def row(store: Store, line: Json) -> Json:
    """One line of the balance in the words of the report; money in major units."""
    source = line["source"]
    charge = store.table("charges").get(source) or store.table("refunds").get(source) or {}
    return {
        "balance_transaction_id": line["id"],
        "created_utc": utc(line["created"]),
        "available_on_utc": utc(line["available_on"]),
        "currency": line["currency"],
        "gross": major(line["amount"], line["currency"]),
        "fee": major(line["fee"], line["currency"]),
        "net": major(line["net"], line["currency"]),
        "reporting_category": line["reporting_category"],
        "source_id": source,
        "payment_intent_id": charge.get("payment_intent", ""),
        "automatic_payout_id": line["_payout"] or "",
    }


def as_csv(rows: Iterable[Json], columns: Iterable[str]) -> str:
    """Rows with a heading."""
    text = io.StringIO()
    writer: Any = csv.DictWriter(text, list(columns), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def major(amount: int, currency: str) -> str:
    """An amount as people write it."""
    places = EXPONENTS.get(currency.upper(), 2)
    return f"{Decimal(iso_minor(amount, currency)).scaleb(-places):.{places}f}"


def utc(when: int) -> str:
    """A moment as the report writes it."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M:%S")
