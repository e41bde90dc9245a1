"""Where the gateways tell us things: raw bytes in, each gateway's own words out.

Plain Django views: no parsing, no session, no CSRF, no throttling may stand between the bytes
that were signed and their verification.
"""

from typing import Final

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseNotFound,
)
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts.client_ip import client_ip
from gateways.webhook import Delivery
from payments.inbox import inbox
from payments.routing.registry import gateways
from payments.webhooks.counting import TOO_LARGE, count

BODY_BYTES_MAX: Final = 256 * 1024


@csrf_exempt
def receive(request: HttpRequest, gateway: str) -> HttpResponse:
    """A webhook, by the HTTP method that its gateway uses."""
    adapter = gateways().get(gateway)
    if adapter is None:
        return HttpResponseNotFound()
    if request.method != adapter.webhook_method:
        return HttpResponseNotAllowed([adapter.webhook_method])
    body = request.read(BODY_BYTES_MAX + 1)
    if len(body) > BODY_BYTES_MAX:
        count(gateway, TOO_LARGE)
        return HttpResponse(status=413)
    result = inbox.receive(gateway_name=gateway, delivery=_delivery(request, body))
    count(gateway, result)
    answer = adapter.answer_webhook(result)
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)


def _delivery(request: HttpRequest, body: bytes) -> Delivery:
    return Delivery(
        body=body,
        query_string=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        received_at=timezone.now(),
        sender=client_ip(request),
    )
