"""The figures of the home page: how today goes, and what waits for a person."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.db import OperationalError, connection, transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import ExtractHour
from django.utils import timezone
from psycopg2.errors import QueryCanceled

from backoffice.query import start_of_day
from money.formatting import format_money
from money.money import Money
from payments.models import (
    Case,
    CaseState,
    GatewayBreaker,
    Transaction,
    WebhookEvent,
    WebhookState,
)
from payments.selectors import gateways_with_open_circuit
from payments.states import Status

# A payment that has been open for so long is worth a look; most take a minute.
PENDING_TOO_LONG: Final = timedelta(minutes=15)
ROWS_SHOWN_MAX: Final = 10
# The home page never waits longer than this for its sums, and never costs the database more.
SUMS_TIMEOUT_MS: Final = 2000
HOURS: Final = 24
# Nothing on this page is counted further than this.
COUNT_MAX: Final = 1000
# The chart's own units, which its ``viewBox`` scales to the page.
CHART_HEIGHT: Final = 100
BAR_STEP: Final = 20

_OPEN: Final = (Status.PENDING, Status.PROCESSING)


@dataclass(frozen=True, slots=True)
class MethodFigures:
    """One method in one currency, today."""

    method: str
    volume: str
    started: int
    paid: int
    failed: int
    live: int

    @property
    def success_percent(self) -> int | None:
        """Paid out of ended, rounded down; None while nothing has ended."""
        ended = self.paid + self.failed
        return 100 * self.paid // ended if ended else None


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of the chart: where it stands, and how high its parts are."""

    hour: int
    x: int
    paid: int
    failed: int
    live: int
    paid_y: float
    paid_height: float
    failed_y: float
    failed_height: float
    live_y: float
    live_height: float


@dataclass(frozen=True, slots=True)
class Sums:
    """What must be added up of today: payments by method, and by hour (paid, failed, open)."""

    methods: Sequence[MethodFigures]
    hours: Mapping[int, tuple[int, int, int]]
    refused_webhooks: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All of the home page. What is None took too long to be added up."""

    day: datetime
    methods: Sequence[MethodFigures] | None
    bars: Sequence[Bar]
    busiest: int
    circuit_open: Sequence[GatewayBreaker]
    waiting: Sequence[Transaction]
    cases: Sequence[Case]
    refused_webhooks: int | None
    unfinished_webhooks: int


def overview(now: datetime) -> Overview:
    """The figures as of ``now``, on the reader's clock."""
    day = start_of_day(timezone.localtime(now).date())
    today = Transaction.objects.filter(created_at__gte=day)
    refused = WebhookEvent.objects.filter(
        received_at__gte=day, verified=False, state=WebhookState.REJECTED
    )
    sums = _within_limit(lambda: Sums(_methods(today), _hours(today), _up_to(refused)))
    hours = sums.hours if sums else {}
    busiest = max((sum(counts) for counts in hours.values()), default=0)
    return Overview(
        day=day,
        methods=sums.methods if sums else None,
        bars=[_bar(hour, hours.get(hour, (0, 0, 0)), busiest) for hour in range(HOURS)],
        busiest=busiest,
        circuit_open=list(gateways_with_open_circuit()),
        waiting=_waiting(now),
        cases=_open_cases(),
        refused_webhooks=sums.refused_webhooks if sums else None,
        unfinished_webhooks=_up_to(WebhookEvent.objects.filter(due_at__isnull=False)),
    )


def _up_to(rows: QuerySet[Any]) -> int:
    return len(rows.values_list("pk", flat=True)[:COUNT_MAX])


def _within_limit(work: Callable[[], Sums]) -> Sums | None:
    """What ``work`` returns; None when the day is too full to be added up in time."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {SUMS_TIMEOUT_MS}")
            return work()
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise


def _methods(today: QuerySet[Transaction]) -> list[MethodFigures]:
    rows = today.values("method", "currency").annotate(
        volume=Sum("amount_captured", filter=Q(status=Status.SUCCESS)), **_COUNTS
    )
    return [_figures(row) for row in rows.order_by("method", "currency")]


_COUNTS: Final[Mapping[str, Count]] = {
    "paid": Count("pk", filter=Q(status=Status.SUCCESS)),
    "failed": Count("pk", filter=Q(status=Status.FAILED)),
    "live": Count("pk", filter=~Q(status__in=[Status.SUCCESS, Status.FAILED])),
}


def _figures(row: Mapping[str, Any]) -> MethodFigures:
    return MethodFigures(
        method=row["method"],
        volume=format_money(Money(int(row["volume"] or 0), row["currency"])),
        started=row["paid"] + row["failed"] + row["live"],
        paid=row["paid"],
        failed=row["failed"],
        live=row["live"],
    )


def _hours(today: QuerySet[Transaction]) -> dict[int, tuple[int, int, int]]:
    hourly = today.annotate(hour=ExtractHour("created_at")).values("hour")
    # The stubs cannot see through the table of counts.
    rows = cast("Iterable[Mapping[str, int]]", hourly.annotate(**_COUNTS))
    return {row["hour"]: (row["paid"], row["failed"], row["live"]) for row in rows}


def _bar(hour: int, counts: tuple[int, int, int], busiest: int) -> Bar:
    """Stacked from the ground: paid, then failed, then still open."""
    heights = [CHART_HEIGHT * count / busiest if busiest else 0.0 for count in counts]
    tops = _stacked(heights)
    return Bar(
        hour, hour * BAR_STEP, *counts,
        tops[0], heights[0], tops[1], heights[1], tops[2], heights[2],
    )  # fmt: skip


def _stacked(heights: Iterable[float]) -> list[float]:
    top = float(CHART_HEIGHT)
    tops = []
    for height in heights:
        top -= height
        tops.append(top)
    return tops


def _waiting(now: datetime) -> Sequence[Transaction]:
    """The oldest ones that should have ended by now."""
    rows = Transaction.objects.filter(status__in=_OPEN, created_at__lt=now - PENDING_TOO_LONG)
    return list(rows.select_related("order").order_by("created_at")[:ROWS_SHOWN_MAX])


def _open_cases() -> Sequence[Case]:
    rows = Case.objects.filter(state=CaseState.OPEN).select_related("transaction")
    return list(rows.order_by("-opened_at")[:ROWS_SHOWN_MAX])
