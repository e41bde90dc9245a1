"""Orders and products as the API speaks of them."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from audit.redaction import find_card_number
from orders.links import pay_url
from orders.models import Order, OrderLine, Product
from orders.money import EXPONENTS
from orders.services import LINES_MAX, QUANTITY_MAX


class WholeNumberField(serializers.IntegerField):
    """A JSON integer: no string, no float, no boolean, in ASCII digits by nature."""

    def to_internal_value(self, data: Any) -> int:
        """``data`` itself, if it is an integer."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A JSON string, and nothing that is turned into one; no card numbers."""

    def to_internal_value(self, data: Any) -> str:
        """``data`` itself, if it is a text without a card number."""
        if not isinstance(data, str):
            self.fail("invalid")
        _refuse_card_number(data)
        return super().to_internal_value(data)


def _refuse_card_number(text: str) -> None:
    if find_card_number(text):
        raise serializers.ValidationError(
            "A card number must never be sent here.", code="card_number_refused"
        )


class AddressField(serializers.EmailField):
    """An e-mail address; a card number is none, whatever follows it."""

    def to_internal_value(self, data: Any) -> str:
        """``data`` itself, if it is a text without a card number."""
        if not isinstance(data, str):
            self.fail("invalid")
        _refuse_card_number(data)
        return super().to_internal_value(data)


class CurrencyField(serializers.CharField):
    """An ISO 4217 code in capitals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=3, max_length=3, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The code, if we know the currency."""
        if not isinstance(data, str) or data not in EXPONENTS:
            raise serializers.ValidationError(
                "Must be an ISO 4217 code in capitals, such as VND.", code="unknown_currency"
            )
        return data


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses members that it does not know: a typing mistake must not be taken silently."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated data."""
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                message = {name: ["There is no such member."] for name in unknown}
                raise serializers.ValidationError(message, code="unknown_member")
        return super().to_internal_value(data)


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
