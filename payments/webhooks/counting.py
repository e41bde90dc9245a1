"""How many webhooks came and what became of them, counted by each web process for ``/metrics``.

The inbox does not tell: it keeps one row of a repeated event, and few of many forgeries.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter

REGISTRY: Final = CollectorRegistry()
TOO_LARGE: Final = "too_large"

_received: Final = Counter(
    "payments_webhooks_received_total",
    "Webhooks that came, by what became of them.",
    ("gateway", "result"),
    registry=REGISTRY,
)


def count(gateway: str, result: str) -> None:
    """One more for ``gateway``, the name of a configured one."""
    _received.labels(gateway=gateway, result=result.lower()).inc()
