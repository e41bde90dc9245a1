"""The payments API."""

import re
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED

from accounts.client_ip import client_ip
from accounts.requests import read_client, read_user_id
from accounts.throttling import WriteThrottle
from durable.ids import parse_public_id
from gateways.operation import CaptureMethod
from money.money import Money
from orders import selectors as orders
from orders.errors import OrderNotFound
from orders.models import Order
from orders.serializers import OrderSerializer
from payments import selectors
from payments.api import waiting
from payments.api.serializers import (
    CaptureRequestSerializer,
    PaymentRequestSerializer,
    PaymentSerializer,
)
from payments.models import Transaction
from payments.services import create, lifecycle
from payments.services.create import CreatedPayment, PaymentRequest
from payments.states import LIVE
from privacy.redaction import find_card_number

# Made once: a serializer copies all of its fields whenever it is made, and keeps nothing of what
# it checks or shows.
_ASKED: Final = PaymentRequestSerializer()
_SHOWN: Final = PaymentSerializer()
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")

_KEY_HEADER = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER,
    description="1 to 255 visible ASCII characters; the same key never pays twice.",
)  # fmt: skip
_PREFER_HEADER = OpenApiParameter(
    "Prefer", str, OpenApiParameter.HEADER,
    description="wait=N: hold the answer up to N (at most 10) seconds for the gateway's reply.",
)  # fmt: skip


class PaymentsView(GenericAPIView[Transaction]):
    """The caller's payments."""

    throttle_classes = (WriteThrottle,)
    serializer_class = PaymentSerializer
    queryset = Transaction.objects.none()

    @extend_schema(operation_id="list_payments", responses=PaymentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the caller's payments, newest first."""
        page = self.paginate_queryset(selectors.find_payments(read_user_id(request)))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="create_payment",
        request=PaymentRequestSerializer,
        responses={201: PaymentSerializer},
        parameters=[_KEY_HEADER, _PREFER_HEADER],
    )
    def post(self, request: Request) -> HttpResponse:
        """Start paying an order. Repeat it with the same Idempotency-Key as often as you like."""
        created = create.create_payment(
            client=read_client(request),
            key=_idempotency_key(request),
            request=_payment_request(request),
            render=render_payment,
        )
        return _created_response(request, created)


class PaymentView(GenericAPIView[Transaction]):
    """One of the caller's payments."""

    serializer_class = PaymentSerializer
    queryset = Transaction.objects.none()

    @extend_schema(operation_id="get_payment", responses=PaymentSerializer)
    def get(self, request: Request, payment_id: str) -> Response:
        """Show one payment."""
        return Response(_SHOWN.to_representation(_payment(request, payment_id)))


class CancelPaymentView(GenericAPIView[Transaction]):
    """The end of a payment that has not succeeded."""

    serializer_class = PaymentSerializer
    queryset = Transaction.objects.none()

    @extend_schema(
        operation_id="cancel_payment",
        request=None,
        responses={200: PaymentSerializer, 202: PaymentSerializer},
    )
    def post(self, request: Request, payment_id: str) -> Response:
        """End it. 202: asked for; it ends when the gateway has closed it or calls it unpaid."""
        row = _payment(request, payment_id)
        row = lifecycle.cancel_payment(transaction_id=row.pk)
        status = HTTP_202_ACCEPTED if row.status in LIVE else HTTP_200_OK
        return Response(_SHOWN.to_representation(row), status=status)


class CapturePaymentView(GenericAPIView[Transaction]):
    """Taking the money that a payment holds."""

    serializer_class = PaymentSerializer
    queryset = Transaction.objects.none()

    @extend_schema(
        operation_id="capture_payment",
        request=CaptureRequestSerializer,
        responses={202: PaymentSerializer},
    )
    def post(self, request: Request, payment_id: str) -> Response:
        """Take it, or a part of it; the rest is released. It is SUCCESS once the gateway did."""
        row = _payment(request, payment_id)
        body = CaptureRequestSerializer(data=request.data or {})
        body.is_valid(raise_exception=True)
        row = lifecycle.capture_payment(
            transaction_id=row.pk, amount=body.validated_data.get("amount")
        )
        return Response(_SHOWN.to_representation(row), status=HTTP_202_ACCEPTED)


class CancelOrderView(GenericAPIView[Order]):
    """The end of an order that nobody is paying."""

    serializer_class = OrderSerializer
    queryset = Order.objects.none()

    @extend_schema(operation_id="cancel_order", request=None, responses=OrderSerializer)
    def post(self, request: Request, order_id: str) -> Response:
        """Cancel an unpaid order."""
        order = orders.find_user_order(read_user_id(request), parse_public_id("ord", order_id))
        lifecycle.cancel_order(order_id=order.pk)
        return Response(OrderSerializer(orders.get_order(order.pk)).data)


def render_payment(payment: Transaction) -> str:
    """The body of a payment, as stored with its key and sent for every repeat."""
    return JSONRenderer().render(_SHOWN.to_representation(payment)).decode()


def _payment(request: Request, payment_id: str) -> Transaction:
    return selectors.find_user_payment(read_user_id(request), parse_public_id("pay", payment_id))


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise ValidationError(
            {"Idempotency-Key": ["Must be 1 to 255 visible ASCII characters."]}, code="invalid"
        )
    if key is not None and find_card_number(key):
        raise ValidationError(
            {"Idempotency-Key": ["A card number must never be sent here."]},
            code="card_number_refused",
        )
    return key


def _payment_request(request: Request) -> PaymentRequest:
    data = _ASKED.run_validation(request.data)
    return PaymentRequest(
        order_id=_order_id(data["order_id"]),
        owner_id=read_user_id(request),
        money=Money(data["amount"], data["currency"]),
        method=data["method"],
        channel=data["channel"],
        capture=CaptureMethod(data["capture"]),
        payment_token=data["payment_token"],
        return_url=data["return_url"],
        metadata=data["metadata"],
        customer_ip=data["customer"].get("ip") or client_ip(request._request),
        locale=data["customer"].get("locale") or get_language() or "en",
    )


def _order_id(text: str) -> UUID:
    """The id in ``ord_…``; a text that is none names no order."""
    order_id = parse_public_id("ord", text)
    if order_id is None:
        raise OrderNotFound("There is no such order.")
    return order_id


def _created_response(request: Request, created: CreatedPayment) -> HttpResponse:
    body = created.response
    headers = {"Idempotency-Key": created.key}
    if created.replayed:
        headers["Idempotent-Replayed"] = "true"
    seconds = waiting.seconds_asked(request)
    waited = waiting.wait(created.transaction.pk, seconds) if seconds else None
    if waited is not None:
        body = render_payment(waited)
        headers["Preference-Applied"] = f"wait={seconds}"
    return HttpResponse(
        body, status=HTTP_201_CREATED, content_type="application/json", headers=headers
    )
