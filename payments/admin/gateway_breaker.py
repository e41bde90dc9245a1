"""The circuit breakers of the gateways, as they stand."""

from collections.abc import Mapping
from typing import ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString

from backoffice import query
from backoffice.formats import badge
from backoffice.read_only import ReadOnlyAdmin
from payments.models import GatewayBreaker


@admin.register(GatewayBreaker)
class GatewayBreakerAdmin(ReadOnlyAdmin):
    """Which gateways are held back because they did not answer."""

    list_display = ("gateway", "state", "failures", "opened_at", "probe_at")
    ordering = ("gateway",)
    search_help_text = "gateway:stripe; one that has always answered has no row"
    fields = ("gateway", "state", "failures", "opened_at", "probe_at")
    terms: ClassVar[Mapping[str, query.Term]] = {"gateway": query.text("gateway")}

    @admin.display(description="state")
    def state(self, row: GatewayBreaker) -> SafeString | str:
        """Closed while calls go out; open while they wait for the answer to a probe."""
        if row.opened_at is None:
            return badge("closed: it answers", "good")
        return badge("open: held back", "bad")
