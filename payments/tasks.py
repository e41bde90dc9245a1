"""The queues of payments: one for the due payments of each gateway, one for stored webhooks."""

from collections.abc import Sequence
from typing import ClassVar

from durable.queues import BatchQueue, Queue
from payments.inbox import inbox
from payments.models import WebhookEvent
from payments.processing import engine


class GatewayQueue(Queue):
    """Due payments of one gateway; ``gateway.stripe`` is the queue of ``stripe``."""

    drains_max: ClassVar[int] = 1

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._gateway = name.partition(".")[2]

    def has_due_rows(self) -> bool:
        """True when the gateway is configured, and a payment there or its health probe is due."""
        return engine.has_work(self._gateway)

    def work_until_empty(self) -> bool:
        """Plan, call and record until nothing is due and every answer is recorded."""
        return engine.drain(self._gateway)


class WebhookQueue(BatchQueue[WebhookEvent]):
    """Webhooks that were stored and could not be applied, or matched nothing yet."""

    def has_due_rows(self) -> bool:
        """True when a stored webhook is due for another attempt."""
        return WebhookEvent.due().exists()

    def claim(self) -> Sequence[WebhookEvent]:
        """Claim a batch of stored webhooks."""
        return WebhookEvent.claim(limit=self.batch_size, lease=inbox.LEASE)

    def work(self, rows: Sequence[WebhookEvent]) -> None:
        """Apply each again."""
        for row in rows:
            inbox.retry(event=row)
