"""What we have told people, word for word, and what still waits to be sent."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from backoffice import export, query
from backoffice.filters import CreatedFilter
from backoffice.formats import badge, json_block, text_block
from backoffice.read_only import FOUND_MAX, Finder, ReadOnlyAdmin
from notifications.models import MessageChannel, Notification

# Where a message stands → how its word looks, and which rows it means.
STATES: Mapping[str, tuple[str, Q]] = {
    "sent": ("good", Q(sent_at__isnull=False)),
    "waiting": ("open", Q(sent_at__isnull=True, due_at__isnull=False, failures=0)),
    "retrying": ("bad", Q(sent_at__isnull=True, due_at__isnull=False, failures__gt=0)),
    "given up": ("bad", Q(sent_at__isnull=True, due_at__isnull=True)),
}


class StateFilter(admin.SimpleListFilter):
    """Sent, or why not yet."""

    title = "state"
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Notification]"
    ) -> list[tuple[str, str]]:
        """Each state by its word."""
        return [(word, word) for word in STATES]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Notification]
    ) -> QuerySet[Notification]:
        """The messages in the chosen state."""
        word = self.value() or ""
        return queryset.filter(STATES[word][1]) if word in STATES else queryset


def find_state(row: Notification) -> str:
    """The word for where ``row`` stands."""
    if row.sent_at:
        return "sent"
    if row.due_at is None:
        return "given up"
    return "retrying" if row.failures else "waiting"


def _find_by_id(word: str) -> Iterable[object]:
    """A message's own id, or the messages about the payment or order of that id."""
    found = query.read_id(word, "pay", "ord")
    if found is None:
        return []
    rows = Notification.objects.filter(Q(pk=found) | Q(subject_id=found))
    return rows.values_list("pk", flat=True)[:FOUND_MAX]


def _by_recipient(word: str) -> Iterable[object]:
    if "@" not in word:
        return []
    rows = Notification.objects.filter(query.email("recipient")(":", word))
    return rows.order_by("-created_at").values_list("pk", flat=True)[:FOUND_MAX]


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Each message to one recipient."""

    list_display = ("created_at", "template", "state", "recipient", "title", "sent_at")
    list_filter = (StateFilter, CreatedFilter)
    ordering = ("-created_at", "-id")
    search_help_text = "The payment's id, or an e-mail address; or template:payment_paid"
    fields = (
        "template", "channel", "recipient", "state", "title", "text_shown", "context_shown",
        "locale", "event_key", "failures", "due_at", "sent_at", "created_at",
    )  # fmt: skip
    recorded_as = "notification"
    terms: ClassVar[Mapping[str, query.Term]] = {
        "about": query.identifier("subject_id", "pay", "ord"),
        "channel": query.choice("channel", MessageChannel.values),
        "created": query.day("created_at"),
        "recipient": query.email("recipient"),
        "template": query.text("template"),
    }
    finders: ClassVar[tuple[Finder, ...]] = (_find_by_id, _by_recipient)
    export_columns: ClassVar[export.Columns] = {
        "id": lambda row: row.pk.hex,
        "about": lambda row: row.subject_id.hex,
        "template": lambda row: row.template,
        "channel": lambda row: row.channel,
        "recipient": lambda row: row.recipient,
        "state": find_state,
        "created_at": lambda row: row.created_at,
        "sent_at": lambda row: row.sent_at,
    }

    @admin.display(description="state")
    def state(self, row: Notification) -> SafeString | str:
        """Sent, waiting, being retried, or given up."""
        word = find_state(row)
        return badge(word, STATES[word][0])

    @admin.display(description="text")
    def text_shown(self, row: Notification) -> SafeString | str:
        """What exactly was said."""
        return text_block(row.text)

    @admin.display(description="facts")
    def context_shown(self, row: Notification) -> SafeString | str:
        """What the text is made from. The link opens the order for whoever holds it."""
        return json_block({name: value for name, value in row.context.items() if name != "link"})
