"""``/metrics`` for Prometheus: how requests go, and how long money waits.

Requests are counted by each web process; with several of them ``PROMETHEUS_MULTIPROC_DIR`` names
the folder where they add up. What payments do is read from the database at every scrape, so that
one scrape of any process tells it, and a restart forgets nothing. Labels are words out of short
lists, never ids.
"""

import hmac
import os
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import Count, Min, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from config.problems import json_error
from notifications.models import Notification
from payments.models import Case, CaseState, Transaction, WebhookEvent
from payments.states import LIVE

# A scrape gives the database up after this long and tells the rest.
DATABASE_LIMIT_MS: Final = 2000
# Payments are counted over this time: a scrape then costs the same after years.
RECENT: Final = timedelta(minutes=10)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"
_BEARER: Final = "Bearer "

_requests_registry: Final = CollectorRegistry()
_request_duration: Final = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request.",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_requests_registry,
)


class RequestTimingMiddleware:
    """Measures every request under the pattern of its path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request`` and remember how long it took."""
        began = time.perf_counter()
        response = self._get_response(request)
        match = request.resolver_match
        _request_duration.labels(
            method=request.method if request.method in _METHODS else "other",
            route=f"/{match.route}" if match else "unknown",
            status=str(response.status_code),
        ).observe(time.perf_counter() - began)
        return response


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, for who names ``METRICS_TOKEN``; for anybody else there is no such page."""
    try:
        _require_token(request)
    except Http404:
        return json_error(request, 404, "not_found", "There is no such thing here.")
    text = generate_latest(_requests()) + generate_latest(_payments())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _require_token(request: HttpRequest) -> None:
    given = request.headers.get("Authorization", "").removeprefix(_BEARER)
    expected = settings.METRICS_TOKEN
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Http404


def _requests() -> CollectorRegistry:
    if _MULTIPROCESS not in os.environ:
        return _requests_registry
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _payments() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(DatabaseCollector())
    return registry


class DatabaseCollector(Collector):
    """What waits and what has become of recent payments, from the rows themselves."""

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: the names come with the figures, and registering asks no database."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every gauge; a database that does not answer leaves only the word that it is down."""
        up = GaugeMetricFamily("payments_database_up", "Whether the database answered.")
        try:
            gauges = self._read()
        except Error:
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield up
        yield from gauges

    def _read(self) -> list[GaugeMetricFamily]:
        now = timezone.now()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {DATABASE_LIMIT_MS}")
            return [*_due(now), _open_oldest(now), _recent(now), _open_cases()]


def _due(now: datetime) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
    count = GaugeMetricFamily("payments_due_rows", "Rows that want work now.", labels=("queue",))
    age = GaugeMetricFamily(
        "payments_due_oldest_age_seconds",
        "How long the oldest row that wants work has waited for a worker.",
        labels=("queue",),
    )
    for queue, rows, oldest in _due_by_queue():
        count.add_metric((queue,), rows)
        age.add_metric((queue,), _age_s(now, oldest))
    return count, age


def _due_by_queue() -> Iterator[tuple[str, int, datetime | None]]:
    by_gateway = {row["gateway"]: row for row in _grouped(Transaction.due(), "gateway", "due_at")}
    for name in settings.GATEWAYS:
        row = by_gateway.get(name, {"rows": 0, "oldest": None})
        yield f"gateway.{name}", row["rows"], row["oldest"]
    queues: tuple[tuple[str, QuerySet[Any]], ...] = (
        ("webhooks", WebhookEvent.due()),
        ("notifications", Notification.due()),
    )
    for name, due in queues:
        found = due.order_by().aggregate(rows=Count("pk"), oldest=Min("due_at"))
        yield name, found["rows"], found["oldest"]


def _open_oldest(now: datetime) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        "payments_pending_oldest_age_seconds",
        "Age of the oldest payment whose end is not known.",
        labels=("gateway",),
    )
    live = Transaction.objects.filter(status__in=LIVE)
    for row in _grouped(live, "gateway", "created_at"):
        gauge.add_metric((row["gateway"],), _age_s(now, row["oldest"]))
    return gauge


def _recent(now: datetime) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        "payments_recent",
        f"Payments created in the last {RECENT.total_seconds():.0f} seconds, by how they stand.",
        labels=("gateway", "method", "outcome"),
    )
    recent = Transaction.objects.filter(created_at__gte=now - RECENT).order_by()
    for row in recent.values("gateway", "method", "status").annotate(rows=Count("pk")):
        gauge.add_metric((row["gateway"], row["method"], row["status"].lower()), row["rows"])
    return gauge


def _open_cases() -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        "payments_open_cases", "Cases that wait for a person.", labels=("kind",)
    )
    open_cases = Case.objects.filter(state=CaseState.OPEN).order_by()
    for row in open_cases.values("kind").annotate(rows=Count("pk")):
        gauge.add_metric((row["kind"],), row["rows"])
    return gauge


def _grouped(rows: QuerySet[Any], label: str, moment: str) -> Iterable[dict[str, Any]]:
    found: Iterable[dict[str, Any]] = (
        rows.order_by().values(label).annotate(rows=Count("pk"), oldest=Min(moment))
    )
    return found


def _age_s(now: datetime, oldest: datetime | None) -> float:
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
