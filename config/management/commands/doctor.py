"""``manage.py doctor``: everything that must be right before money can be taken, line by line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ops.doctor import Verdict, examine


class Command(BaseCommand):
    """Checks database, Redis, due work, and each gateway's settings, keys, clock and webhooks."""

    help = "Check that this installation can take payments. Exits 1 when anything failed."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each check."""
        failed = 0
        for finding in examine():
            self.stdout.write(str(finding))
            failed += finding.verdict is Verdict.FAILED
        if failed:
            raise CommandError(f"{failed} of these must be put right.")
