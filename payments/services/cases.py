"""Money that needs a person: opening a case, and closing it with a name and a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction as database
from django.db.models.functions import Now

from audit import services as audit
from audit.models import AuditEvent
from orders.money import Money
from payments.models import Case, CaseKind, CaseState, Transaction, WebhookEvent


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a person must look, and at what."""

    kind: CaseKind
    transaction: Transaction | None = None
    webhook_event: WebhookEvent | None = None
    money: Money | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def open_cases(findings: Sequence[Finding]) -> None:
    """Open a case for each, in the caller's transaction; one that is open stays the only one."""
    for finding in findings:
        _open(finding)


def _open(finding: Finding) -> None:
    case = Case(
        kind=finding.kind,
        transaction=finding.transaction,
        webhook_event=finding.webhook_event,
        amount=finding.money.minor if finding.money else None,
        currency=finding.money.currency if finding.money else "",
        detail=dict(finding.detail),
    )
    Case.objects.bulk_create([case], ignore_conflicts=True)
    if Case.objects.filter(pk=case.pk).exists():
        audit.record([_event(case, "case.opened", {"kind": case.kind, **finding.detail})])


@database.atomic
def resolve_case(*, case_id: UUID, user_id: UUID, resolution: str) -> Case:
    """Close an open case. Raises Case.DoesNotExist when it is not open."""
    case = Case.objects.select_for_update().get(pk=case_id, state=CaseState.OPEN)
    Case.objects.filter(pk=case.pk).update(
        state=CaseState.RESOLVED,
        resolved_at=Now(),
        resolved_by_id=user_id,
        resolution=resolution,
    )
    audit.record([_event(case, "case.resolved", {"resolution": resolution})])
    case.refresh_from_db()
    return case


def _event(case: Case, action: str, after: Mapping[str, Any]) -> AuditEvent:
    return audit.event(
        action=action,
        subject_type="case",
        subject_id=case.pk,
        after={"transaction": str(case.transaction_id or ""), **after},
    )
