"""``manage.py ensure_roles``: the step after ``migrate`` that gives staff roles their rights."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.roles import ROLES
from accounts.services import PermissionsMissing, ensure_roles


class Command(BaseCommand):
    """Makes the role groups what ``accounts/roles.py`` says."""

    help = "Create the staff's role groups and their permissions. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it."""
        try:
            ensure_roles()
        except PermissionsMissing as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{len(ROLES)} roles: {', '.join(ROLES)}")
