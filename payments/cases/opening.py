"""Money that needs a person: opening a case, and closing it with a name and a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import transaction as db_transaction
from django.db.models.functions import Now

from audit import services as audit
from audit.actions import AuditAction
from audit.models import AuditEvent
from durable import bulk
from gateways.operation import Verb
from gateways.outcome import Failure
from money.money import Money
from payments.models import Case, CaseKind, CaseState, Transaction, WebhookEvent

# An open case takes so many further reports: by then a person has reason enough to look.
MORE_MAX: Final = 20
_NOT_FACTS: Final = frozenset({"source", "cause_id", "failures", "more"})


@dataclass(frozen=True, slots=True)
class CaseReport:
    """Why a person must look, and at what."""

    kind: CaseKind
    transaction: Transaction | None = None
    webhook_event: WebhookEvent | None = None
    money: Money | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    # Reported again while it stays true: once a person has resolved it, no new case is opened.
    once: bool = False


def still_held_case(payment: Transaction, verb: Verb, failure: Failure) -> CaseReport:
    """The gateway has answered ``verb`` with a no, and holds the money of ``payment`` as before."""
    return CaseReport(
        kind=CaseKind.STILL_HELD,
        transaction=payment,
        money=payment.money,
        detail={"verb": verb, "reason": failure.code, "gateway_code": failure.gateway_code},
    )


def unanswered_hold_case(payment: Transaction, verb: str) -> CaseReport:
    """The gateway has forgotten ``verb`` unanswered and still holds the money of ``payment``."""
    return CaseReport(
        kind=CaseKind.STILL_HELD,
        transaction=payment,
        money=payment.money,
        detail={"verb": verb, "reason": "no answer"},
        once=True,
    )


def open_cases(reports: Sequence[CaseReport]) -> None:
    """Open a case for each, in the caller's transaction, or add it to the one that is open."""
    for report in reports:
        if report.once and _was_decided(report):
            continue
        # The second round is for a case that somebody closed between the two steps.
        any(_open(report) or _add_to_open_case(report) for _ in range(2))


def _was_decided(report: CaseReport) -> bool:
    settled = Case.objects.filter(transaction=report.transaction, kind=report.kind)
    return settled.filter(state=CaseState.RESOLVED).exists()


def _open(report: CaseReport) -> bool:
    case = Case(
        kind=report.kind,
        transaction=report.transaction,
        webhook_event=report.webhook_event,
        amount=report.money.minor if report.money else None,
        currency=report.money.currency if report.money else "",
        detail=dict(report.detail),
    )
    if not bulk.insert_new(case):
        return False
    audit.record([_event(case, AuditAction.CASE_OPENED, {"kind": case.kind, **report.detail})])
    return True


def _add_to_open_case(report: CaseReport) -> bool:
    """Let the person who has the case see what else came; the same facts again are no news."""
    if report.transaction is None:
        # The case of an event that matches nothing: there is one for each event.
        return True
    open_one = Case.objects.filter(
        transaction=report.transaction, kind=report.kind, state=CaseState.OPEN
    )
    case = open_one.select_for_update(no_key=True).first()
    if case is None:
        return False
    found = {**_money(report.money), **report.detail}
    more = case.detail.get("more", [])
    known = [{"amount": case.amount, "currency": case.currency, **case.detail}, *more]
    if len(more) < MORE_MAX and _facts(found) not in map(_facts, known):
        Case.objects.filter(pk=case.pk).update(detail={**case.detail, "more": [*more, found]})
        audit.record([_event(case, AuditAction.CASE_EXTENDED, found)])
    return True


def _money(money: Money | None) -> Mapping[str, Any]:
    return {
        "amount": money.minor if money else None,
        "currency": money.currency if money else "",
    }


def _facts(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was found, without the way on which it came."""
    return {name: value for name, value in detail.items() if name not in _NOT_FACTS}


@db_transaction.atomic
def resolve_case(*, case_id: UUID, user_id: UUID, resolution: str) -> Case:
    """Close an open case. Raises Case.DoesNotExist when it is not open."""
    case = Case.objects.select_for_update().get(pk=case_id, state=CaseState.OPEN)
    Case.objects.filter(pk=case.pk).update(
        state=CaseState.RESOLVED,
        resolved_at=Now(),
        resolved_by_id=user_id,
        resolution=resolution,
    )
    audit.record([_event(case, AuditAction.CASE_RESOLVED, {"resolution": resolution})])
    case.refresh_from_db()
    return case


def _event(case: Case, action: AuditAction, after: Mapping[str, Any]) -> AuditEvent:
    return audit.event(
        action=action,
        subject_type="case",
        subject_id=case.pk,
        after={"transaction": str(case.transaction_id or ""), **after},
    )
