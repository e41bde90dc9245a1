"""The queue of messages to send."""

import logging
from collections.abc import Sequence

from durable.queues import BatchQueue
from notifications.models import Notification
from notifications.services import LEASE, send_due

logger = logging.getLogger(__name__)


class NotificationQueue(BatchQueue[Notification]):
    """Messages that are due."""

    def has_due_rows(self) -> bool:
        """Whether a message waits to be sent."""
        return Notification.due().exists()

    def claim(self) -> Sequence[Notification]:
        """Take a batch of messages."""
        return Notification.claim(limit=self.batch_size, lease=LEASE)

    def work(self, rows: Sequence[Notification]) -> None:
        """Send them over one connection."""
        for row_id, error in send_due(rows).items():
            logger.warning(
                "notification_not_sent",
                extra={"notification": str(row_id), "error": type(error).__name__},
            )
