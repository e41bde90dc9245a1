"""Medians and percentiles."""

from collections.abc import Sequence
from statistics import median as median_of

PERCENTILES = (50, 95, 99)


def percentiles(values: Sequence[float]) -> dict[str, float | None]:
    """``p50``, ``p95`` and ``p99``: the smallest value that so many per cent do not exceed."""
    ordered = sorted(values)
    return {f"p{share}": _percentile(ordered, share) for share in PERCENTILES}


def median(values: Sequence[float], digits: int = 1) -> float | None:
    """The median, or None of nothing."""
    return round(median_of(values), digits) if values else None


def per_minute(count: int, seconds: float) -> float:
    """``count`` in ``seconds``, as a rate per minute."""
    return round(count * 60 / seconds, 1) if seconds > 0 else 0.0


def _percentile(ordered: Sequence[float], share: int) -> float | None:
    if not ordered:
        return None
    # The nearest rank, so that every reported value was really measured.
    rank = max(1, -(-len(ordered) * share // 100))
    return round(ordered[rank - 1], 1)
