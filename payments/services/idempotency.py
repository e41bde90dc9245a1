"""One key, one payment: claim a key, compare the request's fingerprint, replay the answer."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from django.db import OperationalError

from audit.context import current_request_id
from durable import bulk
from payments.errors import KeyReused, RequestInProgress
from payments.models import IdempotencyKey, Transaction

# PostgreSQL's lock_not_available: another request holds the same key for too long.
_LOCK_NOT_AVAILABLE: Final = "55P03"


def compute_fingerprint(request: Mapping[str, Any]) -> str:
    """SHA-256 of the request as canonical JSON, whatever the order of its members."""
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def claim(*, client: str, key: str, fingerprint: str) -> IdempotencyKey:
    """Claim ``key`` for this request. What is returned without a payment is new.

    Waits for a request that holds the same key; with a payment it is the stored answer of an
    equal request. Raises KeyReused for another request, RequestInProgress after the lock
    timeout. Must run in the database transaction that answers the request: when that rolls back,
    the key is free again.
    """
    claimed = IdempotencyKey(
        client=client, key=key, fingerprint=fingerprint, request_id=current_request_id()
    )
    try:
        if bulk.insert_new(claimed):
            return claimed
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) == _LOCK_NOT_AVAILABLE:
            raise RequestInProgress("The same request is being answered. Try again.") from error
        raise
    stored = IdempotencyKey.objects.select_related("transaction__order").get(client=client, key=key)
    if stored.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request. Take a new one.")
    return stored


def store(claimed: IdempotencyKey, *, transaction: Transaction, response: str) -> None:
    """Store the answer: every repeat gets the same bytes."""
    answer = {"transaction": transaction.pk, "response": response}
    bulk.update(IdempotencyKey, {claimed.pk: answer})
