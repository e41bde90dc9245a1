"""Is the process alive, and can it do its work?"""

from collections.abc import Callable
from typing import Final

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse


def livez(request: HttpRequest) -> JsonResponse:
    """The process answers. Knows nothing of its surroundings on purpose."""
    del request
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """The database answers and is migrated: 200, else 503. Redis is told, and needed by nobody."""
    del request
    checks = {name: _try(check) for name, check in _CHECKS.items()}
    ready = all(checks[name] == "ok" for name in _REQUIRED)
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": checks},
        status=200 if ready else 503,
    )


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise RuntimeError("migrations are missing")


def _redis() -> None:
    cache.get("readyz")


_CHECKS: Final[dict[str, Callable[[], None]]] = {
    "database": _database,
    "migrations": _migrations,
    "redis": _redis,
}
_REQUIRED: Final = ("database", "migrations")


def _try(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not ready"
        return type(error).__name__
    return "ok"
