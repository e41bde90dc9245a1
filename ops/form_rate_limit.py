"""Limits the forms that one address may send; the limit fits an office behind one address."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from accounts.client_ip import client_ip
from accounts.throttling import FormThrottle
from api.errors import too_many_forms

# The paths of forms: shop, checkout and sign-in.
_FORM_PATHS: Final = ("/checkout/", "/login")


class FormLimitMiddleware:
    """Answers 429 above the limit; the refused form has no effect."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Refuse a form above the limit. Other requests are not limited."""
        if request.method == "POST" and _is_a_form(request.path):
            throttle = FormThrottle()
            if not throttle.has_room(client_ip(request)):
                return too_many_forms(request, throttle.wait())
        return self._get_response(request)


def _is_a_form(path: str) -> bool:
    return path == "/" or path.startswith(_FORM_PATHS)
