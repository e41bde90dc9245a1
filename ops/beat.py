"""Celery's beat, seen from outside: a file that is as old as its last turn.

Beat listens to nobody, so a check of its health has nothing to ask. Its sweeps are what makes
every payment certain, and a beat that hangs would stop them without a word.
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
