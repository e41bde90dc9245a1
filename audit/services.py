"""Writing to the audit trail, in the same transaction as what is recorded."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from audit.actions import AuditAction
from audit.context import current_actor, current_request_id
from audit.models import AuditEvent
from durable import bulk
from privacy.redaction import redact


def event(  # noqa: PLR0913 - an event has this many sides; all but three are optional
    *,
    action: AuditAction,
    subject_type: str,
    subject_id: UUID,
    version: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    cause_type: str = "",
    cause_id: str = "",
) -> AuditEvent:
    """An unsaved event by the current actor in the current request, redacted."""
    actor = current_actor()
    return AuditEvent(
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        version=version,
        before=redact(before or {}),
        after=redact(after or {}),
        cause_type=cause_type,
        cause_id=cause_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        request_id=current_request_id(),
    )


def record(events: Sequence[AuditEvent]) -> None:
    """Write ``events`` in one statement."""
    bulk.insert(events)
