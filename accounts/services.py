"""Making users and their roles."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import Group

from accounts.models import User
from accounts.roles import ROLES


@dataclass(frozen=True, slots=True)
class Account:
    """A demo account: a shopper, somebody in a staff role, or the administrator."""

    username: str
    role: str = ""
    locale: str = "en"
    is_admin: bool = False


def ensure_demo_accounts(accounts: Sequence[Account], *, password: str, email_domain: str) -> None:
    """Create the accounts that are missing, and give all of them ``password``."""
    groups = {role: Group.objects.get_or_create(name=role)[0] for role in ROLES}
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
