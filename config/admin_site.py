"""The staff's site: its home page, its clock and its language."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
Response = TypeVar("Response", bound=HttpResponseBase)
LANGUAGE = "en"


class PaymentsAdminSite(AdminSite):
    """Django's admin under our name, on the shop's clock.

    Its pages are in English whatever the browser asks for: the words for money and states are
    those of the API and the audit trail, and half of a page in another language helps nobody.
    """

    site_header = _("Payments")
    site_title = _("Payments")
    index_title = _("Today")
    index_template = "payments/admin/home.html"
    site_url = "/"

    def admin_view(self, view: View, cacheable: bool = False) -> View:  # noqa: FBT001, FBT002 - Django's
        """``view`` for staff only, rendered with our clock and language."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with timezone.override(settings.SHOP_TIME_ZONE), translation.override(LANGUAGE):
                return _rendered(guarded(request, *args, **kwargs))

        return cast("View", shown)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The staff's sign-in, guarded by axes like every other."""
        with translation.override(LANGUAGE):
            return _rendered(super().login(request, extra_context))


def _rendered(response: Response) -> Response:
    """A page is rendered after its view has returned, when clock and language are gone."""
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        response.render()
    return response
