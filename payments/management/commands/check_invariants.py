"""``manage.py check_invariants``: exit 1 and the offenders if anything that must hold does not."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.invariants import INVARIANTS, check


class Command(BaseCommand):
    """Reads everything in one snapshot and changes nothing: safe at any time, under any load."""

    help = "Check the invariants of money, trace and liveness; name every offender."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--quiescent`` for a system at rest."""
        parser.add_argument(
            "--quiescent",
            action="store_true",
            help="Also require that nothing is under way: no live payment, nothing unsent.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each offender, or one that says all is well."""
        found = check(quiescent=options["quiescent"])
        for violation in found:
            self.stderr.write(str(violation))
        if found:
            raise CommandError(f"{len(found)} violations")
        checked = sum(options["quiescent"] or not item.at_rest for item in INVARIANTS)
        self.stdout.write(f"{checked} invariants hold")
