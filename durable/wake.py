"""Wake-ups: hints to look at a queue now. Losing every one of them costs seconds, not money.

``wake`` is called inside the transaction that made rows due; after its commit the name of the
queue is put into a set, and one thread of this process sends what has gathered, at most
``SENDS_PER_SECOND_MAX`` times a second. A request therefore never waits for Redis, and with
Redis down it never notices: the sweep finds the rows later.
"""

import logging
import os
import threading
import time
from typing import Final

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

# Each message costs a worker some milliseconds of Celery, however little there is to do.
SENDS_PER_SECOND_MAX: Final = 10
# After a failed send the next one waits: with Redis down, trying ten times a second would
# only burn the CPU that the requests need.
PAUSE_AFTER_FAILURE_S: Final = 1.0
DRAIN_TASK: Final = "durable.drain"


class _Sender:
    """The one thread per process that publishes wake-ups."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._condition = threading.Condition()
        self._pid = 0

    def add(self, name: str) -> None:
        with self._condition:
            self._names.add(name)
            self._start_thread_once_per_process()
            self._condition.notify()

    def _start_thread_once_per_process(self) -> None:
        # A forked child inherits the object and not the thread.
        if self._pid != os.getpid():
            self._pid = os.getpid()
            threading.Thread(target=self._run, name="wake-ups", daemon=True).start()

    def _run(self) -> None:
        while True:
            names = self._take()
            try:
                send(names)
                time.sleep(1 / SENDS_PER_SECOND_MAX)
            except Exception as error:  # noqa: BLE001 - a hint may be lost, the thread may not
                logger.warning("wake_up_not_sent", extra={"error": type(error).__name__})
                time.sleep(PAUSE_AFTER_FAILURE_S)

    def _take(self) -> set[str]:
        with self._condition:
            while not self._names:
                self._condition.wait()
            names, self._names = self._names, set()
            return names


_sender = _Sender()


def wake(queue: str) -> None:
    """Have ``queue`` looked at as soon as the surrounding transaction has committed."""
    transaction.on_commit(lambda: _sender.add(queue), robust=True)


def send(names: set[str]) -> None:
    """Publish one drain message for each queue, without retrying."""
    for name in sorted(names):
        current_app.send_task(
            DRAIN_TASK, kwargs={"queue": name}, queue=name, retry=False, ignore_result=True
        )
