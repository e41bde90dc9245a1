"""The queues of due rows: what each is called, whether it has work, and how it is drained.

``settings.DUE_QUEUES`` maps each name to the dotted path of a ``Queue`` (or of a function that
takes the rest of the name, for families such as ``gateway.stripe``). Nothing else knows them all.
"""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import ClassVar, Final, Generic, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from durable.models import DueRow

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=DueRow)

# One task drains at most this many batches and then wakes itself anew, so that a long backlog
# cannot keep a worker thread from the other queues for ever.
BATCHES_MAX: Final = 200


class Queue(ABC, Generic[Row]):
    """Due rows of one kind and how a worker treats them."""

    batch_size: ClassVar[int] = 50
    # How many threads of one worker process may drain this queue at once: a slow gateway holds
    # these and no more.
    drains_max: ClassVar[int] = 2

    def __init__(self, name: str) -> None:
        self.name = name
        self._slots = threading.BoundedSemaphore(self.drains_max)

    @abstractmethod
    def has_due_rows(self) -> bool:
        """Whether a drain would find something now."""

    @abstractmethod
    def claim(self) -> Sequence[Row]:
        """Take a batch; called inside a transaction that commits before ``work``."""

    @abstractmethod
    def work(self, rows: Sequence[Row]) -> None:
        """Do it. One row's trouble must not be another's (see ``one_by_one``)."""

    def drain(self) -> bool:
        """Work until nothing is due. False when it stopped early and should be woken again."""
        if not self._slots.acquire(blocking=False):
            return True
        try:
            return self._drain()
        finally:
            self._slots.release()

    def _drain(self) -> bool:
        for _ in range(BATCHES_MAX):
            with transaction.atomic(durable=True):
                rows = self.claim()
            if not rows:
                return True
            self.work(rows)
        return False

    def one_by_one(self, rows: Sequence[Row]) -> None:
        """Work each row alone; a poison row is put off and the others go on."""
        for row in rows:
            try:
                self.work_one(row)
            except Exception:
                logger.exception("due_row_failed", extra={"queue": self.name, "row": str(row.pk)})
                row.put_off()

    def work_one(self, row: Row) -> None:
        """Do one row's work. Queues that work in batches only need not have it."""
        raise TypeError(f"{type(self).__name__} works in batches")


@cache
def queues() -> dict[str, Queue[DueRow]]:
    """Every queue by its name, as the settings list them."""
    return {name: import_string(path)(name) for name, path in settings.DUE_QUEUES.items()}
