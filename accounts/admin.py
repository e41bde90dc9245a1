"""Who may sign in, for the administrator; and what Django's own pages must not show or change."""

from typing import TYPE_CHECKING, Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import User
from audit import services as audit
from audit.actions import AuditAction
from backoffice.change_list import UncountedChangeList, UncountedPaginator
from backoffice.read_only import record_reading

if TYPE_CHECKING:
    _UserAdmin = DjangoUserAdmin[User]
else:
    _UserAdmin = DjangoUserAdmin

# Rights come by roles only, and a role is a table in code.
admin.site.unregister(Group)
# Their pages show refresh tokens, with which anybody could act as somebody else.
admin.site.unregister([OutstandingToken, BlacklistedToken])
# Sign-in attempts may be read; a lock-out is lifted by ``axes_reset_username``, which is logged.
admin.site.unregister([AccessAttempt, AccessFailureLog, AccessLog])


@admin.register(User)
class UserAdmin(_UserAdmin):
    """Shoppers and staff. Nobody is deleted: whoever leaves is no longer active."""

    list_display = ("username", "email", "roles", "is_active", "is_staff", "last_login")
    list_filter = ("is_staff", "is_active", "groups")
    ordering = ("-date_joined", "-id")
    search_fields = ("username", "email")
    search_help_text = "Part of a name or of an e-mail address"
    change_list_template = "backoffice/change_list.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_max_show_all = 0
    paginator = UncountedPaginator
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "phone", "locale")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    actions = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that does not count: every shopper is on it."""
        return UncountedChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With the roles of a whole page at once."""
        return super().get_queryset(request).prefetch_related("groups")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: orders and the audit trail name them."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The account's page; opening it is recorded."""
        row = self.get_object(request, object_id)
        if row is not None and self.has_view_permission(request, row):
            record_reading(subject_type="user", row=row)
        return super().change_view(request, object_id, form_url, extra_context)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,
        form_url: str = "",
    ) -> HttpResponse:
        """Set somebody's password; the record of it is in the same commit."""
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def log_addition(self, request: HttpRequest, object: User, message: Any) -> LogEntry:
        """Write a new account into the trail."""
        _record(object, AuditAction.USER_CREATED, message)
        return super().log_addition(request, object, message)

    def log_change(self, request: HttpRequest, object: User, message: Any) -> LogEntry:
        """Write down who may now do what."""
        _record(object, AuditAction.USER_CHANGED, message)
        return super().log_change(request, object, message)

    @admin.display(description="roles")
    def roles(self, row: User) -> str:
        """The groups, and the administrator."""
        words = [group.name for group in row.groups.all()]
        return ", ".join(["administrator"] * row.is_superuser + words) or "shopper"


def _record(user: User, action: AuditAction, message: object) -> None:
    audit.record(
        [
            audit.event(
                action=action,
                subject_type="user",
                subject_id=user.pk,
                after={
                    "username": user.username,
                    "what": message,
                    "roles": sorted(group.name for group in user.groups.all()),
                    "is_active": user.is_active,
                    "is_staff": user.is_staff,
                    "is_superuser": user.is_superuser,
                },
            )
        ]
    )
