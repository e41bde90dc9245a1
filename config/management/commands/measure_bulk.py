"""``manage.py measure_bulk``: what ``durable.bulk`` saves against Django's own statements.

The figures of ADR 0017 come from it. It writes rows and rolls them back.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from config.environment import IS_PRODUCTION
from durable import bulk
from durable.ids import uuid7
from notifications.models import MessageChannel, Notification

REPEATS: Final = 200
ROUNDS: Final = 5
BATCHES: Final = (1, 20)
_LOCK: Final = "WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


class Command(BaseCommand):
    """Prints milliseconds of processor time a call, the median of five rounds."""

    help = "Measure durable.bulk against the ORM (processor time of this process)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure each function for one row and for a batch."""
        if IS_PRODUCTION:
            raise CommandError("This writes rows to throw them away: not in production.")
        self.stdout.write("function     rows   ours    ORM  (ms of processor time a call)")
        for size in BATCHES:
            with transaction.atomic():
                for name, ours, orm in _build_pairs(size):
                    figures = f"{_measure(ours):6.3f} {_measure(orm):6.3f}"
                    self.stdout.write(f"{name:12} {size:4} {figures}")
                transaction.set_rollback(True)


def _build_pairs(size: int) -> list[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    kept = _build_rows(size)
    bulk.insert(kept)
    ids = [row.pk for row in kept]
    changes = {key: {"title": "a", "text": "b"} for key in ids}
    locked = Notification.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    manager = Notification.objects
    return [
        (
            "insert",
            lambda: bulk.insert(_build_rows(size)),
            lambda: manager.bulk_create(_build_rows(size)),
        ),
        (
            "insert_new",
            lambda: bulk.insert_new(_build_rows(1)[0]),
            lambda: manager.bulk_create(_build_rows(1), ignore_conflicts=True),
        ),
        (
            "update",
            lambda: bulk.update(Notification, changes),
            lambda: manager.bulk_update(kept, ["title", "text"]),
        ),
        ("select", lambda: bulk.select(Notification, _LOCK, [ids]), lambda: list(locked.all())),
    ]


def _build_rows(count: int) -> list[Notification]:
    return [
        Notification(
            event_key=uuid7().hex,
            template="payment_paid",
            channel=MessageChannel.EMAIL,
            recipient="linh@example.com",
            locale="en",
            subject_id=uuid7(),
            context={"amount": 1},
        )
        for _ in range(count)
    ]


def _measure(work: Callable[[], Any]) -> float:
    """Milliseconds of processor time of this process for one call."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REPEATS):
            work()
        rounds.append((time.process_time() - began) / REPEATS * 1000)
    return statistics.median(rounds)
