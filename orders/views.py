"""The orders API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.requests import read_user_id
from accounts.selectors import find_contact
from accounts.throttling import WriteThrottle
from durable.ids import parse_public_id
from orders import selectors
from orders.models import Order, Product
from orders.serializers import OrderRequestSerializer, OrderSerializer, ProductSerializer
from orders.services import Customer, Item, create_order


class ProductsView(GenericAPIView[Product]):
    """The catalogue of the demo shop."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    serializer_class = ProductSerializer
    queryset = Product.objects.none()

    @extend_schema(operation_id="list_products", responses=ProductSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List what is on sale."""
        products = ProductSerializer(selectors.products_on_sale(), many=True).data
        return Response({"results": products, "next": None, "previous": None})


class OrdersView(GenericAPIView[Order]):
    """The caller's orders."""

    throttle_classes = (WriteThrottle,)
    serializer_class = OrderSerializer
    queryset = Order.objects.none()

    @extend_schema(operation_id="list_orders", responses=OrderSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the caller's orders, newest first."""
        page = self.paginate_queryset(selectors.find_orders(read_user_id(request)))
        return self.get_paginated_response(OrderSerializer(page, many=True).data)

    @extend_schema(
        operation_id="create_order",
        request=OrderRequestSerializer,
        responses={201: OrderSerializer},
    )
    def post(self, request: Request) -> Response:
        """Create an order; the server adds it up."""
        body = OrderRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        order = create_order(
            customer=_customer(request, body.validated_data),
            currency=body.validated_data["currency"],
            items=[Item(**line) for line in body.validated_data["lines"]],
        )
        return Response(OrderSerializer(order).data, status=status.HTTP_201_CREATED)


class OrderView(GenericAPIView[Order]):
    """One of the caller's orders."""

    serializer_class = OrderSerializer
    queryset = Order.objects.none()

    @extend_schema(operation_id="get_order", responses=OrderSerializer)
    def get(self, request: Request, order_id: str) -> Response:
        """Show one order."""
        order = selectors.find_user_order(read_user_id(request), parse_public_id("ord", order_id))
        return Response(OrderSerializer(order).data)


def _customer(request: Request, body: dict[str, Any]) -> Customer:
    contact = find_contact(read_user_id(request))
    if contact is None:
        raise AuthenticationFailed("The account of this token is gone.")
    return Customer(
        user_id=read_user_id(request),
        email=body["customer_email"] or contact.email,
        phone=body["customer_phone"] or contact.phone,
        locale=contact.locale or "en",
    )
