"""How many forms one address may send: far more than a person, or an office of them, ever does."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from accounts.client_ip import client_ip
from accounts.throttling import FormThrottle
from api.errors import too_many_forms

# Where people's forms go: the shop's, those that pay, and signing in.
_BELOW: Final = ("/checkout/", "/login")


class FormLimitMiddleware:
    """Answers 429 to who sends more; what was sent then did nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let ``request`` pass unless it is one form too many. Reading is not limited."""
        if request.method == "POST" and _is_a_form(request.path):
            throttle = FormThrottle()
            if not throttle.has_room(client_ip(request)):
                return too_many_forms(request, throttle.wait())
        return self._get_response(request)


def _is_a_form(path: str) -> bool:
    return path == "/" or path.startswith(_BELOW)
