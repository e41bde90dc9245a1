"""The circuit breakers of the gateways, as they stand."""

from collections.abc import Mapping
from typing import ClassVar

from django.contrib import admin

from audit.staff import query
from audit.staff.read_only import ReadOnlyAdmin
from payments.models import GatewayBreaker


@admin.register(GatewayBreaker)
class GatewayBreakerAdmin(ReadOnlyAdmin):
    """Which gateways are held back because they did not answer."""

    list_display = ("gateway", "is_held_back", "failures", "opened_at", "probe_at")
    ordering = ("gateway",)
    search_help_text = "gateway:stripe"
    fields = ("gateway", "failures", "opened_at", "probe_at")
    terms: ClassVar[Mapping[str, query.Term]] = {"gateway": query.text("gateway")}

    @admin.display(boolean=True, description="held back")
    def is_held_back(self, row: GatewayBreaker) -> bool:
        """Whether calls wait for the next probe."""
        return row.opened_at is not None
