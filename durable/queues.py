"""The queues of due rows: what each is called, whether it has work, and how it is drained.

``settings.DUE_QUEUES`` maps each name to the dotted path of a ``Queue`` class, which is given
the name (so that one class serves a family such as ``gateway.stripe``).
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import ClassVar, Final, Generic, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from durable.models import DueRow

Row = TypeVar("Row", bound=DueRow)

# One task drains at most this many batches and is then woken anew, so that a long backlog
# cannot keep a worker thread from the other queues for ever.
BATCHES_MAX: Final = 200


class Queue(ABC):
    """Due rows of one kind and how a worker treats them."""

    # How many threads of one worker process may drain this queue at once: a slow gateway holds
    # these and no more.
    drains_max: ClassVar[int] = 2

    def __init__(self, name: str) -> None:
        self.name = name
        self._slots = threading.BoundedSemaphore(self.drains_max)

    def drain(self) -> bool:
        """Work until nothing is due. False when it stopped early and should be woken again."""
        if not self._slots.acquire(blocking=False):
            return True
        try:
            return self.work_until_empty()
        finally:
            self._slots.release()

    @abstractmethod
    def has_due_rows(self) -> bool:
        """Whether a drain would find something now."""

    @abstractmethod
    def work_until_empty(self) -> bool:
        """What ``drain`` does while it holds one of the slots."""


class BatchQueue(Queue, Generic[Row]):
    """Claims a batch, commits, works on it, and so on until nothing is due."""

    batch_size: ClassVar[int] = 50

    @abstractmethod
    def claim(self) -> Sequence[Row]:
        """Take a batch; called inside a transaction that commits before ``work``."""

    @abstractmethod
    def work(self, rows: Sequence[Row]) -> None:
        """Do it. One row's trouble must not be another's."""

    def work_until_empty(self) -> bool:
        """Batch after batch, up to a limit."""
        for _ in range(BATCHES_MAX):
            with transaction.atomic(durable=True):
                rows = self.claim()
            if not rows:
                return True
            self.work(rows)
        return False


@cache
def queues() -> dict[str, Queue]:
    """Every queue by its name, as the settings list them."""
    return {name: import_string(path)(name) for name, path in settings.DUE_QUEUES.items()}
