"""Whom an audit event means, in a word that staff know."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.contrib.auth import get_user_model

from audit.models import AuditEvent


def read_names(events: Iterable[AuditEvent]) -> Mapping[str, str]:
    """The user names behind the actors of ``events``, by the id that the trail holds."""
    ids = {event.actor_id for event in events if event.actor_kind == "user"}
    known = {UUID(text) for text in ids if _is_uuid(text)}
    users = get_user_model()._default_manager.filter(pk__in=known)
    return {str(user.pk): user.get_username() for user in users}


def actor_word(event: AuditEvent, names: Mapping[str, str]) -> str:
    """``finance``, ``gateway vnpay``, ``system``."""
    if event.actor_kind == "user":
        return names.get(event.actor_id, f"user {event.actor_id}")
    return f"{event.actor_kind} {event.actor_id}".strip()


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
