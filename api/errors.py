"""Error pages for people; clients of the API get the same error as a problem document.

No session and no database is read here: the pages must work when neither does. The text of an
exception is never shown.
"""

import sys
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token

from api.problems import RETRY_AFTER_S, json_error
from audit.context import current_request_id
from checkout.context import shop

# Paths that serve HTML only; elsewhere the Accept header decides.
_PAGE_PATHS: Final = ("/checkout/", "/login", "/logout", "/language", "/admin/")
# Paths that answer in JSON whatever the Accept header says.
_API_PATHS: Final = (
    "/orders", "/payments", "/refunds", "/products", "/auth/", "/oauth/", "/webhooks/",
    "/schema", "/livez", "/healthz", "/readyz", "/metrics",
)  # fmt: skip


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    text = _("Your browser sent something that this page does not understand.")
    return _answer(request, 400, "malformed", _("That did not work"), text)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    text = _("You may not see this page. Perhaps another account may.")
    return _answer(request, 403, "permission_denied", _("Not allowed"), text)


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose CSRF token is missing or stale; Django calls it."""
    text = _("The page was open for too long, or cookies are off. Go back, reload it, try again.")
    return _answer(request, 403, "csrf_failed", _("Please send the form again"), text)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    text = _("There is nothing at this address. If it came in a message, copy the whole link.")
    return _answer(request, 404, "not_found", _("Page not found"), text)


def locked_out(
    request: HttpRequest, original_response: HttpResponseBase, credentials: object = None
) -> HttpResponse:
    """429 after too many failed sign-ins; django-axes calls it."""
    wait_s = int(settings.AXES_COOLOFF_TIME.total_seconds())
    text = _("Too many attempts to sign in have failed. Wait %(minutes)d minutes.")
    text %= {"minutes": wait_s // 60}
    response = _answer(request, 429, "rate_limited", _("Wait a little"), text)
    response.headers["Retry-After"] = str(wait_s)
    return response


def too_many_forms(request: HttpRequest, wait_s: float) -> HttpResponse:
    """429 for an address that sends too many forms."""
    text = _(
        "More forms came from your connection than we take at once. What you sent last was not"
        " done: wait a minute, go back and send it again. Nothing was charged by it."
    )
    response = _answer(request, 429, "rate_limited", _("Wait a little"), text)
    response.headers["Retry-After"] = str(int(wait_s) + 1)
    return response


def crashed(request: HttpRequest) -> HttpResponse:
    """500, or 503 while the database cannot be reached."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _unavailable(request)
    text = _(
        "This is our fault. If you were paying, do not pay again: the link of your order shows"
        " how the payment stands."
    )
    return _answer(request, 500, "internal_error", _("Something went wrong here"), text)


def _unavailable(request: HttpRequest) -> HttpResponse:
    text = _(
        "We cannot reach our data at the moment. Try again in a minute. If you were paying, the"
        " link of your order will show how the payment stands."
    )
    response = _answer(request, 503, "unavailable", _("Back in a moment"), text)
    response.headers["Retry-After"] = RETRY_AFTER_S
    return response


def _answer(
    request: HttpRequest, status: int, code: str, title: str | Promise, text: str
) -> HttpResponse:
    if not _wants_page(request):
        return json_error(request, status, code, text)
    context = {
        **shop(request),
        "status": status,
        "title": title,
        "text": text,
        "request_id": current_request_id() or request.META.get("REQUEST_ID", ""),
    }
    page = render_to_string("errors/page.html", context)
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store"})


def _wants_page(request: HttpRequest) -> bool:
    if request.path == "/" or request.path.startswith(_PAGE_PATHS):
        return True
    accepts_html = "text/html" in request.headers.get("Accept", "")
    return accepts_html and not request.path.startswith(_API_PATHS)
