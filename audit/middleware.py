"""Give every request an id and say who is acting in it."""

import re
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from audit.context import SYSTEM, Actor, acting, in_request
from durable.ids import uuid7
from privacy.redaction import find_card_number

HEADER: Final = "X-Request-Id"
# What a client may call its own request; anything else gets an id of ours.
_ACCEPTABLE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContextMiddleware:
    """Takes ``X-Request-Id`` from the client or makes one, and sends it back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request`` inside its context."""
        request_id = _request_id(request)
        request.META["REQUEST_ID"] = request_id
        with in_request(request_id), acting(_actor(request)):
            response = self._get_response(request)
        response.headers[HEADER] = request_id
        return response


def _request_id(request: HttpRequest) -> str:
    offered = request.headers.get(HEADER, "")
    is_kept = _ACCEPTABLE.fullmatch(offered) and not find_card_number(offered)
    return offered if is_kept else uuid7().hex


def _actor(request: HttpRequest) -> Actor:
    """A signed-in person; API clients are known only once DRF has read their token."""
    user = getattr(request, "user", None)
    if user is not None and "sessionid" in request.COOKIES and user.is_authenticated:
        return Actor("user", str(user.pk))
    return SYSTEM
