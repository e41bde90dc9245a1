"""Orders and products as the API speaks of them."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from orders.fields import AddressField, CurrencyField, StrictSerializer, TextField, WholeNumberField
from orders.links import pay_url
from orders.models import Order, OrderLine, Product
from orders.services import LINES_MAX, QUANTITY_MAX


class ProductSerializer(serializers.ModelSerializer[Product]):
    """Something on sale."""

    unit_amount = serializers.IntegerField(help_text="In minor units of the currency.")

    class Meta:
        model = Product
        fields = ("sku", "name", "unit_amount", "currency")
        read_only_fields = fields


class ItemSerializer(StrictSerializer):
    """One line as ordered."""

    sku = TextField(max_length=40)
    quantity = WholeNumberField(min_value=1, max_value=QUANTITY_MAX)


@extend_schema_serializer(component_name="NewOrder")
class OrderRequestSerializer(StrictSerializer):
    """The body of ``POST /orders``."""

    currency = CurrencyField()
    lines = serializers.ListField(child=ItemSerializer(), allow_empty=False, max_length=LINES_MAX)
    customer_email = AddressField(required=False, default="", max_length=254)
    customer_phone = TextField(required=False, default="", max_length=20, allow_blank=True)


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    """One line of an order."""

    amount = serializers.IntegerField(help_text="Quantity times price, in minor units.")

    class Meta:
        model = OrderLine
        fields = ("sku", "name", "unit_amount", "quantity", "amount")
        read_only_fields = fields


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order as it stands."""

    id = serializers.CharField(source="public_id")
    number = serializers.CharField()
    lines = OrderLineSerializer(many=True)
    pay_url = serializers.SerializerMethodField(help_text="Pays the order without an account.")

    class Meta:
        model = Order
        fields = (
            "id", "number", "status", "currency", "total", "amount_paid", "amount_refunded",
            "lines", "pay_url", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_pay_url(self, order: Order) -> str:
        """The signed link."""
        return pay_url(order)
