"""``Prefer: wait=N`` (RFC 7240): hold the answer until the gateway has replied.

Every waiter keeps a web thread busy, so only half of them may wait at once; the others are
answered at once, which RFC 7240 allows.
"""

import re
import threading
from typing import Final
from uuid import UUID

from django.conf import settings
from rest_framework.request import Request

from payments import selectors
from payments.models import Transaction

_WAIT: Final = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\"?(?:$|[,;\s])", re.IGNORECASE)
_places: Final = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


def seconds_asked(request: Request) -> int | None:
    """How long the client is willing to wait, within our limit; None when it did not ask."""
    match = _WAIT.search(request.headers.get("Prefer", ""))
    return min(int(match.group(1)), settings.PREFER_WAIT_MAX_S) if match else None


def wait(transaction_id: UUID, seconds: int) -> Transaction | None:
    """The payment after waiting; None when too many others are waiting already."""
    if not _places.acquire(blocking=False):
        return None
    try:
        return selectors.wait_for_gateway(transaction_id, seconds=seconds)
    finally:
        _places.release()
