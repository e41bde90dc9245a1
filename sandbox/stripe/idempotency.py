"""Stripe's idempotency keys: the first answer of a key is kept for a day and given again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sandbox.stripe.errors import StripeError

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.stripe.store import Store

KEY_MAX: Final = 255
KEPT_S: Final = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer of the API: status and JSON text, and whether it had been given before."""

    status: int
    body: str
    replayed: bool = False


class IdempotencyKeys:
    """The keys of the account."""

    def __init__(self, store: Store) -> None:
        """Stored answers are in the journal; running keys end with the process."""
        self._store = store
        self._running: set[str] = set()

    def begin(self, key: str, path: str, params: Json) -> Answer | None:
        """Take a key, or give the stored answer.

        Raises StripeError for a misused or running key.
        """
        stored = self._store.table("keys").get(key)
        if stored is not None and stored["created"] + KEPT_S > self._store.now:
            if stored["request"] != fingerprint(path, params):
                raise StripeError(
                    400,
                    "Keys for idempotent requests can only be used with the same parameters "
                    "they were first used with.",
                    kind="idempotency_error",
                )
            return Answer(status=stored["status"], body=stored["body"], replayed=True)
        if key in self._running:
            message = "There is currently another in-progress request using this Idempotency-Key."
            raise StripeError(409, message, code="idempotency_key_in_use")
        self._running.add(key)
        return None

    def keep(self, key: str, path: str, params: Json, answer: Answer) -> None:
        """Store the first answer of a key."""
        record = {
            "id": key,
            "created": self._store.now,
            "request": fingerprint(path, params),
            "status": answer.status,
            "body": answer.body,
        }
        self._store.put("keys", record)

    def end(self, key: str) -> None:
        """The request of a key no longer runs."""
        self._running.discard(key)

    def spoil(self, key: str, answer: Answer) -> None:
        """The first answer of a key was a server error after all, and stays one."""
        record = self._store.table("keys").get(key)
        if record is not None:
            record.update(status=answer.status, body=answer.body)
            self._store.put("keys", record)


def read_key(given: str | None) -> str | None:
    """The key of a request. Raises StripeError."""
    if given is not None and not 0 < len(given) <= KEY_MAX:
        raise StripeError(400, f"Idempotency keys have 1 to {KEY_MAX} characters.")
    return given


def fingerprint(path: str, params: Json) -> str:
    """What makes two requests the same, whatever the order of their parameters."""
    text = json.dumps([path, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
