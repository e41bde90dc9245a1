"""Making users and their roles."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from accounts.roles import ROLES


@dataclass(frozen=True, slots=True)
class Account:
    """A demo account: a shopper, somebody in a staff role, or the administrator."""

    username: str
    role: str = ""
    locale: str = "en"
    is_admin: bool = False


class PermissionsMissing(Exception):
    """``migrate`` has not run to its end yet: it is what makes Django's permissions."""


@transaction.atomic
def ensure_roles() -> None:
    """Make the role groups and give each exactly what the settings say. Safe to repeat.

    A command and no migration: Django makes the permissions only after the last migration, and
    a table in code that changes must reach databases that are long past their first one.
    Raises PermissionsMissing.
    """
    readable = set(
        Permission.objects.filter(
            content_type__app_label__in=settings.READABLE_APPS, codename__startswith="view_"
        )
    )
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(readable | _find_permissions(settings.ROLE_PERMISSIONS[role]))


def _find_permissions(names: frozenset[str]) -> set[Permission]:
    wanted = Q(pk__in=[])
    for name in names:
        app, _, codename = name.partition(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    found = set(Permission.objects.filter(wanted))
    if len(found) != len(names):
        raise PermissionsMissing("Run migrate first: it creates the permissions of the admin.")
    return found


def ensure_demo_accounts(accounts: Sequence[Account], *, password: str, email_domain: str) -> None:
    """Create the accounts that are missing, and give all of them ``password``."""
    ensure_roles()
    groups = {group.name: group for group in Group.objects.filter(name__in=ROLES)}
    for account in accounts:
        user = _ensure(account, email_domain)
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        if account.role:
            user.groups.set([groups[account.role]])


def _ensure(account: Account, email_domain: str) -> User:
    user, _ = User.objects.get_or_create(
        username=account.username,
        defaults={
            "email": f"{account.username}@{email_domain}",
            "locale": account.locale,
            "is_staff": bool(account.role) or account.is_admin,
            "is_superuser": account.is_admin,
        },
    )
    return user
