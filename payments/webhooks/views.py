"""Where the gateways tell us things: raw bytes in, each gateway's own words out.

Plain Django views: no parsing, no session, no CSRF, no throttling may stand between the bytes
that were signed and their verification.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from payments.gateways.base import Delivery, WebhookResult
from payments.gateways.registry import gateways
from payments.services import inbox

BODY_BYTES_MAX: Final = 256 * 1024


@csrf_exempt
@require_POST
def posted(request: HttpRequest, gateway: str) -> HttpResponse:
    """A webhook that comes as a POST (Stripe, PayPal, MoMo)."""
    return _receive(request, gateway)


@csrf_exempt
@require_GET
def fetched(request: HttpRequest, gateway: str) -> HttpResponse:
    """A webhook that comes as a GET (VNPAY's IPN)."""
    return _receive(request, gateway)


def _receive(request: HttpRequest, name: str) -> HttpResponse:
    if name not in gateways():
        return HttpResponseNotFound()
    body = request.read(BODY_BYTES_MAX + 1)
    if len(body) > BODY_BYTES_MAX:
        return HttpResponse(status=413)
    result = inbox.receive(gateway_name=name, delivery=_delivery(request, body))
    return _answer(name, result)


def _delivery(request: HttpRequest, body: bytes) -> Delivery:
    return Delivery(
        body=body,
        query_string=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        received_at=timezone.now(),
    )


def _answer(name: str, result: WebhookResult) -> HttpResponse:
    answer = gateways()[name].answer_webhook(result)
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
