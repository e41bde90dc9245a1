"""``manage.py sweep``: one pass of what beat does every few seconds, or the work itself."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from durable.queues import queues
from durable.tasks import queues_with_work
from durable.wake import send


class Command(BaseCommand):
    """Finds the queues that have due rows and wakes their workers."""

    help = "Wake the workers of every queue that has due rows; --here works through them itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--here`` needs neither Redis nor a worker."""
        parser.add_argument(
            "--here", action="store_true", help="Do the due work in this process, without Redis."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Wake or work, and say for which queues."""
        names = queues_with_work()
        if options["here"]:
            for name in sorted(names):
                queues()[name].drain()
        else:
            send(names)
        done = "drained" if options["here"] else "woken"
        self.stdout.write(f"{done}: {', '.join(sorted(names)) or 'nothing is due'}")
