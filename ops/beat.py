"""A scheduler for Celery's beat that touches a file at every turn, for a health check.

Beat opens no port that a health check could call. If it hangs, the sweeps stop, and payments whose
wake-up was lost wait; nothing else would report that.
"""

from pathlib import Path
from typing import Any

from celery.beat import Scheduler
from django.conf import settings


class HeartbeatScheduler(Scheduler):
    """Keeps its schedule in memory, and touches ``BEAT_HEARTBEAT_FILE`` at every turn."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Run what is due; gives the seconds until the next turn."""
        seconds: float = super().tick(*args, **kwargs)
        if settings.BEAT_HEARTBEAT_FILE:
            Path(settings.BEAT_HEARTBEAT_FILE).touch()
        return seconds
