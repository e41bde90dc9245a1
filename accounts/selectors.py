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


def find_contact(user_id: UUID) -> Contact | None:
    """The user's contact data; None when the user is gone, which a token outlives."""
    found = User.objects.filter(pk=user_id).values("email", "phone", "locale").first()
    return Contact(**found) if found else None
