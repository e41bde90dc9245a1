"""Reading users."""

from dataclasses import dataclass
from uuid import UUID

from accounts.models import User


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a user."""

    email: str = ""
    phone: str = ""
    locale: str = ""


def contact_of(user_id: UUID) -> Contact:
    """The user's contact data; empty when the user is gone."""
    found = User.objects.filter(pk=user_id).values("email", "phone", "locale").first()
    return Contact(**found) if found else Contact()
