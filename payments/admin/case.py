"""Money that needs a person: to read, and to close with a reason."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms
from django.contrib import admin
from django.utils.safestring import SafeString

from backoffice import export, query
from backoffice.filters import RangeFilter
from backoffice.formats import badge, json_block, link_to
from backoffice.read_only import FOUND_MAX, Finder
from money.money import EXPONENTS, Money
from payments.admin.actions import ActingAdmin, StaffAction
from payments.admin.badges import CASE_TONES, format_sum, payment_link
from payments.admin.filters import CurrencyFilter
from payments.admin.finders import payments_named
from payments.cases.opening import resolve_case
from payments.models import Case, CaseKind, CaseState
from payments.permissions import RESOLVE_CASE
from privacy.redaction import find_card_number, redact

RESOLUTION_LENGTH_MAX: Final = 2000


class ResolutionForm(forms.Form):
    """Why the case is closed."""

    resolution = forms.CharField(
        label="What was found, and what was done about the money",
        min_length=10,
        max_length=RESOLUTION_LENGTH_MAX,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def clean_resolution(self) -> str:
        """No card number may enter this system, least of all a text that is kept for ever."""
        text: str = self.cleaned_data["resolution"]
        if find_card_number(text):
            raise forms.ValidationError("Leave the card number out: its last four digits will do.")
        return text


def _resolve(case_id: UUID, user_id: UUID, filled_in: Mapping[str, Any]) -> str:
    try:
        resolve_case(case_id=case_id, user_id=user_id, resolution=filled_in["resolution"])
    except Case.DoesNotExist:
        return "Somebody else has resolved it in the meantime."
    return "The case is resolved, under your name."


def _find_by_id(word: str) -> Iterable[object]:
    found = query.read_id(word)
    return Case.objects.filter(pk=found).values_list("pk", flat=True) if found else []


def _find_by_payments(word: str) -> Iterable[object]:
    cases = Case.objects.filter(transaction__in=payments_named(word))
    return cases.order_by("-opened_at").values_list("pk", flat=True)[:FOUND_MAX]


class OpenedFilter(RangeFilter):
    """The days on which cases were opened."""

    title = "day"
    parameter = "opened"
    input_type = "date"
    term = staticmethod(query.day("opened_at"))


@admin.register(Case)
class CaseAdmin(ActingAdmin):
    """Why a person must look, at what, and what came of it."""

    list_display = ("opened_at", "state_badge", "kind", "sum", "about", "resolved_by")
    list_filter = ("state", "kind", CurrencyFilter, OpenedFilter)
    list_select_related = ("transaction", "webhook_event", "resolved_by")
    ordering = ("state", "-opened_at", "-id")
    search_help_text = "A payment's id, an order's number; or state:open kind:duplicate"
    fields = (
        "state_badge", "kind", "sum", "about", "webhook", "detail_shown", "opened_at",
        "resolved_at", "resolved_by", "resolution",
    )  # fmt: skip
    terms: ClassVar[Mapping[str, query.Term]] = {
        "state": query.choice("state", CaseState.values),
        "kind": query.choice("kind", CaseKind.values),
        "payment": query.identifier("transaction_id", "pay"),
        "currency": query.choice("currency", EXPONENTS),
        "opened": query.day("opened_at"),
    }
    finders: ClassVar[tuple[Finder, ...]] = (_find_by_id, _find_by_payments)
    export_columns: ClassVar[export.Columns] = {
        "id": lambda row: row.pk.hex,
        "state": lambda row: row.state,
        "kind": lambda row: row.kind,
        "amount": lambda row: (
            Money(row.amount, row.currency).major if row.amount is not None else ""
        ),
        "currency": lambda row: row.currency,
        "payment": lambda row: row.transaction.public_id if row.transaction else "",
        "opened_at": lambda row: row.opened_at,
        "resolved_at": lambda row: row.resolved_at,
        "resolved_by": lambda row: row.resolved_by or "",
        "resolution": lambda row: row.resolution,
    }
    staff_action = StaffAction(
        name="resolve",
        title="Resolve this case",
        question=(
            "Closing a case moves no money. Say what you found and what was done, so that"
            " whoever reads this in a year needs nobody to explain it."
        ),
        permission=RESOLVE_CASE,
        applies_to=lambda case: case.state == CaseState.OPEN,
        perform=_resolve,
        form=ResolutionForm,
    )

    @admin.display(description="state")
    def state_badge(self, row: Case) -> SafeString | str:
        """Open or resolved."""
        return badge(row.state, CASE_TONES[row.state])

    @admin.display(description="amount")
    def sum(self, row: Case) -> str:
        """How much is in question."""
        return format_sum(row.amount, row.currency) or "—"

    @admin.display(description="payment")
    def about(self, row: Case) -> SafeString | str:
        """The payment in question."""
        return payment_link(row.transaction)

    @admin.display(description="webhook")
    def webhook(self, row: Case) -> SafeString | str:
        """The event in question."""
        return link_to(row.webhook_event)

    @admin.display(description="facts")
    def detail_shown(self, row: Case) -> SafeString | str:
        """What differs, or what was tried."""
        return json_block(redact(row.detail))
