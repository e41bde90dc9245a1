"""Health checks: ``/livez`` (the process runs) and ``/readyz`` (it can serve requests).

Orchestrators call by IP address, without TLS and often, so these paths are answered before any
other middleware, use no session, and have short timeouts.
"""

from collections.abc import Callable
from typing import Final

from django.core.cache import cache
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from ops.metrics import metrics
from payments.routing.registry import gateways

CHECK_LIMIT_S: Final = 1.0


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """200 while the process runs. Depends on no other service on purpose."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, is migrated, and every gateway's settings are valid.

    Redis is reported but not required. ``?verbose`` lists every check; a 503 always does.
    """
    checks = {name: attempt(check) for name, check in CHECKS.items()}
    ready = all(checks[name] == "ok" for name in _REQUIRED)
    body: dict[str, object] = {"status": "ok" if ready else "unavailable"}
    if not ready or "verbose" in request.GET:
        body["checks"] = checks
    return JsonResponse(body, status=200 if ready else 503)


class ProbeMiddleware:
    """Answers the health and metrics paths, whatever the Host header says."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe; pass every other request on."""
        return _PROBES.get(request.path, self._get_response)(request)


_PROBES: Final[dict[str, Callable[[HttpRequest], HttpResponse]]] = {
    "/livez": livez,
    "/healthz": livez,
    "/readyz": readyz,
    "/metrics": metrics,
}


def _database() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_milliseconds()])
        cursor.execute("SELECT 1")


def _milliseconds() -> str:
    return str(int(CHECK_LIMIT_S * 1000))


def _migrations() -> None:
    # Reading every migration costs a tenth of a second, and what was applied stays applied while
    # this process runs: the good answer is kept.
    if connection.alias in _migrated:
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise RuntimeError("migrations are missing")
    _migrated.add(connection.alias)


_migrated: Final[set[str]] = set()


def _gateways() -> None:
    gateways()


def _redis() -> None:
    cache.get("readyz")


CHECKS: Final[dict[str, Callable[[], None]]] = {
    "database": _database,
    "migrations": _migrations,
    "gateways": _gateways,
    "redis": _redis,
}
_REQUIRED: Final = ("database", "migrations", "gateways")


def attempt(check: Callable[[], None]) -> str:
    """``ok``, or the name of what went wrong."""
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not ready"
        return type(error).__name__
    return "ok"
