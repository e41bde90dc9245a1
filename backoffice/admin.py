"""The audit trail, to read. Reading it is on the trail as well."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import services
from audit.actions import AuditAction, read_label
from audit.models import AuditEvent
from backoffice import export, query
from backoffice.actors import actor_word, read_names
from backoffice.change_list import UncountedChangeList
from backoffice.filters import RangeFilter, ValuesFilter
from backoffice.formats import json_block, shortened
from backoffice.read_only import Finder, ReadOnlyAdmin, describe_filter
from durable.ids import uuid7

# What a request does is done within this time of its id being made.
_REQUEST_SPAN: Final = timedelta(hours=1)
_VERSION_7: Final = 7


class OccurredFilter(RangeFilter):
    """The days on which things happened."""

    title = "day"
    parameter = "occurred"
    input_type = "date"
    term = staticmethod(query.day("occurred_at"))


class ActorKindFilter(ValuesFilter):
    """Who acted: a person, a client app, a gateway, or the system."""

    title = "actor"
    parameter_name = "actor_kind"

    def values(self) -> Iterable[str]:
        """Every kind of ``audit.context.Actor``."""
        return "user", "client", "link", "gateway", "system"


def _request(operator: str, value: str) -> Q:
    """The events of one request. An id of ours tells its time, which spares a whole scan."""
    match = query.text("request_id")(operator, value)
    made = query.read_id(value)
    if made is None or made.version != _VERSION_7:
        return match
    at = datetime.fromtimestamp((made.int >> 80) / 1000, tz=UTC)
    return match & Q(occurred_at__range=(at - _REQUEST_SPAN, at + _REQUEST_SPAN))


def _find_by_id(word: str) -> Iterable[object]:
    """An event's own id, or everything about the subject of that id."""
    found = query.read_id(word, "pay", "ord", "re", "evt")
    if found is None:
        return []
    events = AuditEvent.objects.filter(Q(pk=found) | Q(subject_id=found))
    return events.values_list("pk", flat=True)[:500]


def _find_by_request(word: str) -> Iterable[object]:
    if query.read_id(word) is None:
        return []
    return AuditEvent.objects.filter(_request(":", word)).values_list("pk", flat=True)[:500]


def _name_actors(rows: list[AuditEvent]) -> None:
    """Look the names of a whole page up at once."""
    names = read_names(rows)
    for row in rows:
        row.actor_name = actor_word(row, names)  # type: ignore[attr-defined]


class _NamedChangeList(UncountedChangeList):
    def prepare_rows(self, rows: list[AuditEvent]) -> None:
        _name_actors(rows)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what to which row, when, why, and in which request."""

    list_display = ("occurred_at", "actor", "label", "subject", "change", "cause", "request")
    list_filter = (ActorKindFilter, OccurredFilter)
    ordering = ("-occurred_at", "-id")
    search_help_text = "An id of a payment, an order or a request; or action:transaction.success"
    fields = (
        "occurred_at", "actor", "label", "action", "subject", "version", "before_block",
        "after_block", "cause", "subject_id", "cause_id", "request_id",
    )  # fmt: skip
    recorded_as = "audit_event"
    terms: ClassVar[Mapping[str, query.Term]] = {
        "action": query.text("action"),
        "actor": query.text("actor_id", "actor_kind"),
        "subject": query.identifier("subject_id", "pay", "ord", "re", "evt"),
        "type": query.text("subject_type"),
        "cause": query.text("cause_id", "cause_type"),
        "request": _request,
        "day": query.day("occurred_at"),
    }
    finders: ClassVar[tuple[Finder, ...]] = (_find_by_id, _find_by_request)
    export_columns: ClassVar[export.Columns] = {
        "occurred_at": lambda row: row.occurred_at,
        "actor_kind": lambda row: row.actor_kind,
        "actor_id": lambda row: row.actor_id,
        "action": lambda row: row.action,
        "subject_type": lambda row: row.subject_type,
        "subject_id": lambda row: row.subject_id,
        "version": lambda row: row.version,
        "before": lambda row: row.before or "",
        "after": lambda row: row.after or "",
        "cause": lambda row: f"{row.cause_type} {row.cause_id}".strip(),
        "request_id": lambda row: row.request_id,
    }

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that knows its actors by name."""
        return _NamedChangeList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> AuditEvent | None:
        """One event, with its actor's name."""
        row: AuditEvent | None = super().get_object(request, object_id, from_field)
        if row is not None:
            _name_actors([row])
        return row

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list; each page of the trail that somebody reads is one more event on it."""
        services.record(
            [
                services.event(
                    action=AuditAction.TRAIL_READ,
                    subject_type="audit_list",
                    subject_id=uuid7(),
                    after={"filter": describe_filter(request)},
                )
            ]
        )
        return super().get_changelist_instance(request)

    @admin.display(description="actor")
    def actor(self, row: AuditEvent) -> str:
        """A user's name, or which gateway, client or part of the system."""
        return str(getattr(row, "actor_name", row.actor_kind))

    @admin.display(description="what happened", ordering="action")
    def label(self, row: AuditEvent) -> str:
        """The action in a sentence."""
        return read_label(row.action)

    @admin.display(description="subject")
    def subject(self, row: AuditEvent) -> SafeString | str:
        """What it was done to."""
        return shortened(row.subject_id.hex, row.subject_type)

    @admin.display(description="change")
    def change(self, row: AuditEvent) -> str:
        """The change of status, where there is one."""
        before, after = row.before.get("status", ""), row.after.get("status", "")
        return f"{before} → {after}".strip(" →") if before != after else ""

    @admin.display(description="because of")
    def cause(self, row: AuditEvent) -> SafeString | str:
        """The call, webhook or person behind it."""
        return shortened(row.cause_id, row.cause_type)

    @admin.display(description="request")
    def request(self, row: AuditEvent) -> SafeString | str:
        """Everything that the same request did."""
        if not row.request_id:
            return ""
        url = reverse("admin:audit_auditevent_changelist")
        return format_html(
            '<a href="{}?q=request:{}">{}</a>', url, row.request_id, shortened(row.request_id)
        )

    @admin.display(description="before")
    def before_block(self, row: AuditEvent) -> SafeString | str:
        """What the row said before."""
        return json_block(row.before)

    @admin.display(description="after")
    def after_block(self, row: AuditEvent) -> SafeString | str:
        """What it said afterwards."""
        return json_block(row.after)
