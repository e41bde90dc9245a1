"""What one browser is doing with a payment: leaving for the gateway's page, or back from it."""

from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from checkout.stages import Visit
from payments import selectors
from payments.models import Transaction

_LEAVING_COOKIE: Final = "leaving"
_BACK: Final = "back"
_MS: Final = 1000
_BACK_DIGITS_MAX: Final = 13
# A shopper who is not at the gateway's page by then has given up, and is not sent there later.
_LEAVING_FOR: Final = timedelta(minutes=10)


def read_visit(request: HttpRequest, payment: Transaction | None) -> Visit:
    """What this browser is doing with ``payment``."""
    if payment is None or not payment.is_live:
        return Visit()
    back_at = _back_at(request)
    return Visit(
        is_leaving=request.COOKIES.get(_LEAVING_COOKIE) == payment.reference and back_at is None,
        is_back=back_at is not None,
        is_unpaid_since=back_at is not None and selectors.is_unpaid_since(payment.pk, back_at),
    )


def mark_leaving(response: HttpResponse, payment: Transaction) -> None:
    """Let the next page send this browser on to the gateway, once.

    Once only: a shopper who comes back by the Back button must not be thrown out again.
    """
    response.set_cookie(
        _LEAVING_COOKIE,
        payment.reference,
        max_age=_LEAVING_FOR,
        path=_cookie_path(payment.order_id),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def mark_left(response: HttpResponse, order_id: UUID) -> None:
    """The browser is being sent on: not a second time."""
    response.delete_cookie(_LEAVING_COOKIE, path=_cookie_path(order_id), samesite="Lax")


def back_query(now: datetime) -> str:
    """The query string that says since when the shopper is back."""
    return urlencode({_BACK: int(now.timestamp() * _MS)})


def _back_at(request: HttpRequest) -> datetime | None:
    """What ``back_query`` wrote. Whoever changes it only changes the words of their own page."""
    text = request.GET.get(_BACK, "")
    if not (text.isascii() and text.isdigit()) or len(text) > _BACK_DIGITS_MAX:
        return None
    return datetime.fromtimestamp(int(text) / _MS, UTC)


def _cookie_path(order_id: UUID) -> str:
    return reverse("pay", kwargs={"order_id": order_id})
