"""``/metrics`` for Prometheus: request durations, due rows, and results of recent payments.

Requests and webhooks are counted by each web process; ``PROMETHEUS_MULTIPROC_DIR`` names the folder
in which several processes add them up. Everything else is read from the database at every scrape,
so that one scrape of any process reports it, and a restart loses nothing. Workers are not scraped,
and Celery tasks are not counted: a task is only a hint to look for due rows. Labels take their
values from short lists and are never ids.
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

from api.problems import json_error
from notifications.models import Notification
from payments.models import Case, CaseState, GatewayBreaker, Transaction, WebhookEvent
from payments.routing.registry import gateways
from payments.states import LIVE
from payments.webhooks import counting as webhooks

# Statement timeout of a scrape; the other metrics are reported all the same.
DATABASE_LIMIT_MS: Final = 2000
# Payments are counted over this time: a scrape then costs the same after years.
RECENT: Final = timedelta(minutes=10)
# At most so many of the newest calls in that time are read.
CALLS_MAX: Final = 10_000
QUANTILES: Final = (0.5, 0.95, 0.99)
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
    """The metrics for a caller with ``METRICS_TOKEN``; 404 for everybody else."""
    try:
        _require_token(request)
    except Http404:
        return json_error(request, 404, "not_found", "Not found.")
    text = generate_latest(_requests()) + generate_latest(_payments())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _require_token(request: HttpRequest) -> None:
    given = request.headers.get("Authorization", "").removeprefix(_BEARER)
    expected = settings.METRICS_TOKEN
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Http404


def _requests() -> CollectorRegistry:
    registry = CollectorRegistry()
    if _MULTIPROCESS in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry
    for counted in (_requests_registry, webhooks.REGISTRY):
        registry.register(counted)
    return registry


def _payments() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(DatabaseCollector())
    return registry


class DatabaseCollector(Collector):
    """Reads due rows and results of recent payments from the database."""

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing, so that registering the collector makes no query."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every gauge; only ``payments_database_up`` while the database does not answer."""
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
            gauges = [*_due(now), _open_oldest(now), _recent(now), _open_cases()]
            return [*gauges, _circuits(), *_calls(now)]


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


def _circuits() -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        "payments_circuit_state",
        "1 while calls to the gateway are held back because it does not answer, else 0.",
        labels=("gateway",),
    )
    open_ones = GatewayBreaker.objects.filter(opened_at__isnull=False)
    held_back = set(open_ones.values_list("gateway", flat=True))
    for name in gateways():
        gauge.add_metric((name,), name in held_back)
    return gauge


# Links that are only signed took no time on the network and have no duration.
_CALLS: Final = """
SELECT gateway, verb, outcome, count(*), percentile_cont(%(quantiles)s::float8[])
    WITHIN GROUP (ORDER BY duration_ms / 1000.0)
FROM (
    SELECT gateway, verb, outcome, duration_ms FROM gateway_calls
    WHERE created_at >= %(since)s ORDER BY created_at DESC LIMIT %(most)s
) newest
WHERE duration_ms IS NOT NULL
GROUP BY gateway, verb, outcome
"""


def _calls(now: datetime) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
    labels = ("gateway", "operation", "outcome")
    seconds = f"{RECENT.total_seconds():.0f} seconds, at most {CALLS_MAX}"
    count = GaugeMetricFamily(
        "payments_gateway_requests_recent",
        f"Operations at gateways that began in the last {seconds}, by their last answer.",
        labels=labels,
    )
    duration = GaugeMetricFamily(
        "payments_gateway_request_duration_seconds",
        f"How long the last call of an operation took, of those of the last {seconds}.",
        labels=(*labels, "quantile"),
    )
    asked: dict[str, Any] = {
        "quantiles": list(QUANTILES),
        "since": now - RECENT,
        "most": CALLS_MAX,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CALLS, asked)
        for gateway, verb, outcome, rows, durations in cursor.fetchall():
            words = (gateway, verb.lower(), outcome.lower())
            count.add_metric(words, rows)
            for quantile, value in zip(QUANTILES, durations, strict=True):
                duration.add_metric((*words, str(quantile)), value)
    return count, duration


def _grouped(rows: QuerySet[Any], label: str, moment: str) -> Iterable[dict[str, Any]]:
    found: Iterable[dict[str, Any]] = (
        rows.order_by().values(label).annotate(rows=Count("pk"), oldest=Min(moment))
    )
    return found


def _age_s(now: datetime, oldest: datetime | None) -> float:
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
