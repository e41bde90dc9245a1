"""The statuses of a payment and the legal moves between them, defined here only.

PostgreSQL enforces the same table by a trigger that is generated from it.
"""

from typing import Final

from django.db.models import TextChoices


class Status(TextChoices):
    """The status of a payment."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    AUTHORIZED = "AUTHORIZED"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


LIVE: Final = frozenset({Status.PENDING, Status.PROCESSING, Status.AUTHORIZED})
# The gateway holds or has taken money.
WITH_MONEY: Final = (Status.AUTHORIZED, Status.SUCCESS)

LEGAL_MOVES: Final[dict[Status, frozenset[Status]]] = {
    Status.PENDING: frozenset({Status.PROCESSING, Status.FAILED}),
    Status.PROCESSING: frozenset({Status.AUTHORIZED, Status.SUCCESS, Status.FAILED}),
    Status.AUTHORIZED: frozenset({Status.SUCCESS, Status.FAILED}),
    # Verified late money: the gateway took it after we had given the payment up.
    Status.FAILED: frozenset({Status.SUCCESS}),
    # SUCCESS never moves: refunds, disputes and reversals are rows of their own.
    Status.SUCCESS: frozenset(),
}


class IllegalMove(Exception):
    """A move that is not in ``LEGAL_MOVES``: a bug, never a user's mistake."""


def require_move(before: Status, after: Status) -> None:
    """Raise IllegalMove unless ``after`` may follow ``before``."""
    if after not in LEGAL_MOVES[before]:
        raise IllegalMove(f"{before} -> {after}")
