"""Every operation at a gateway, with what went over the wire."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString

from backoffice import export, query
from backoffice.filters import CreatedFilter
from backoffice.formats import badge, json_block
from backoffice.read_only import FOUND_MAX, Finder, ReadOnlyAdmin
from gateways.operation import Verb
from gateways.outcome import OutcomeKind
from payments.admin.badges import OUTCOME_TONES, payment_link
from payments.admin.filters import GatewayFilter
from payments.admin.finders import payments_named
from payments.models import GatewayCall
from privacy.redaction import redact


def _find_by_id(word: str) -> Iterable[object]:
    found = query.read_id(word)
    if found is None:
        return []
    return [
        *GatewayCall.objects.filter(pk=found).values_list("pk", flat=True),
        *GatewayCall.objects.filter(reference=found.hex).values_list("pk", flat=True)[:FOUND_MAX],
    ]


def _find_by_payments(word: str) -> Iterable[object]:
    calls = GatewayCall.objects.filter(transaction__in=payments_named(word))
    return calls.order_by("-created_at").values_list("pk", flat=True)[:FOUND_MAX]


@admin.register(GatewayCall)
class GatewayCallAdmin(ReadOnlyAdmin):
    """One operation: its frozen request, its sends, its answer."""

    list_display = (
        "created_at", "gateway", "verb", "outcome_badge", "http_status", "duration_ms", "sends",
        "payment",
    )  # fmt: skip
    list_filter = (GatewayFilter, "verb", "outcome", CreatedFilter)
    list_select_related = ("transaction",)
    ordering = ("-created_at", "-id")
    search_help_text = "A payment's or an operation's id, a gateway's number; or outcome:unknown"
    fields = (
        "payment", "gateway", "verb", "reference", "outcome_badge", "http_status", "duration_ms",
        "sends", "first_sent_at", "last_sent_at", "answered_at", "request_shown", "sent_shown",
        "received_shown", "earlier_shown", "created_at",
    )  # fmt: skip
    terms: ClassVar[Mapping[str, query.Term]] = {
        "payment": query.identifier("transaction_id", "pay"),
        "reference": query.text("reference"),
        "verb": query.choice("verb", Verb),
        "outcome": query.choice("outcome", OutcomeKind),
        "gateway": query.text("gateway"),
        "http": query.number("http_status", largest=999),
        "duration_ms": query.number("duration_ms", largest=2**31 - 1),
        "created": query.day("created_at"),
    }
    finders: ClassVar[tuple[Finder, ...]] = (_find_by_id, _find_by_payments)
    export_columns: ClassVar[export.Columns] = {
        "id": lambda row: row.pk.hex,
        "payment": lambda row: row.transaction.public_id,
        "gateway": lambda row: row.gateway,
        "verb": lambda row: row.verb,
        "reference": lambda row: row.reference,
        "outcome": lambda row: row.outcome,
        "http_status": lambda row: row.http_status,
        "duration_ms": lambda row: row.duration_ms,
        "sends": lambda row: row.sends,
        "created_at": lambda row: row.created_at,
        "answered_at": lambda row: row.answered_at,
    }

    @admin.display(description="payment")
    def payment(self, row: GatewayCall) -> SafeString | str:
        """The payment it is for."""
        return payment_link(row.transaction)

    @admin.display(description="outcome")
    def outcome_badge(self, row: GatewayCall) -> SafeString | str:
        """What the gateway said; nothing where it has not answered yet."""
        return badge(row.outcome or "no answer yet", OUTCOME_TONES.get(row.outcome, ""))

    @admin.display(description="frozen request")
    def request_shown(self, row: GatewayCall) -> SafeString | str:
        """What every repeat sends."""
        return json_block(redact(row.request))

    @admin.display(description="sent last")
    def sent_shown(self, row: GatewayCall) -> SafeString | str:
        """What went out, without secrets."""
        return json_block(redact(row.sent))

    @admin.display(description="received last")
    def received_shown(self, row: GatewayCall) -> SafeString | str:
        """What came back, without secrets."""
        return json_block(redact(row.received))

    @admin.display(description="what earlier sends got")
    def earlier_shown(self, row: GatewayCall) -> SafeString | str:
        """What came back before the last one, without secrets; oldest first."""
        return json_block(redact(row.earlier or []))
