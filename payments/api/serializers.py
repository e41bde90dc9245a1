"""Payments as the API speaks of them."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from durable.ids import public_id
from gateways.operation import CaptureMethod
from gateways.outcome import FailureCode
from money.money import MINOR_UNITS_MAX
from orders.fields import (
    CurrencyField,
    StrictSerializer,
    TextField,
    WholeNumberField,
    WordField,
    refuse_card_number,
)
from payments.models import CAPTURE_METHODS, Transaction
from payments.states import Status

METADATA_MEMBERS_MAX: Final = 20
METADATA_KEY_MAX: Final = 40
METADATA_VALUE_MAX: Final = 500
_CHANNEL_HELP: Final = (
    "Which channel of the method, such as `qr` of `vnpay` or `wallet` of `momo`; without one the"
    " shopper chooses at the gateway."
)


class MetadataField(serializers.Field[Any, Any, Any, Any]):
    """Up to 20 members of text to text, for the client's own use."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """``data`` itself, if it is an object of short texts without card numbers."""
        if not isinstance(data, dict) or len(data) > METADATA_MEMBERS_MAX:
            raise serializers.ValidationError(
                f"Must be an object of at most {METADATA_MEMBERS_MAX} members.", code="invalid"
            )
        for name, value in data.items():
            _check_member(name, value)
        return data

    def to_representation(self, value: Any) -> Any:
        """As it was sent."""
        return value


def _check_member(name: str, value: Any) -> None:
    if len(name) > METADATA_KEY_MAX or not isinstance(value, str):
        raise serializers.ValidationError(
            f"Keys have at most {METADATA_KEY_MAX} characters, values are texts.", code="invalid"
        )
    if len(value) > METADATA_VALUE_MAX:
        raise serializers.ValidationError(
            f"Values have at most {METADATA_VALUE_MAX} characters.", code="too_long"
        )
    refuse_card_number(name)
    refuse_card_number(value)


class ShopperSerializer(StrictSerializer):
    """The person who pays, where a client app asks on their behalf."""

    ip = serializers.IPAddressField(required=False)
    locale = WordField(choices=("en", "vi"), required=False)


@extend_schema_serializer(component_name="NewPayment")
class PaymentRequestSerializer(StrictSerializer):
    """The body of ``POST /payments``."""

    order_id = TextField(max_length=40)
    amount = WholeNumberField(
        min_value=1, max_value=MINOR_UNITS_MAX, help_text="In minor units of the currency."
    )
    currency = CurrencyField()
    method = TextField(max_length=20)
    channel = TextField(
        max_length=20, required=False, default="", allow_blank=True, help_text=_CHANNEL_HELP
    )
    capture = WordField(choices=CAPTURE_METHODS, required=False, default=CaptureMethod.AUTOMATIC)
    payment_token = TextField(
        max_length=255, required=False, default="", help_text="From the gateway's own form."
    )
    return_url = TextField(max_length=500, required=False, default="")
    metadata = MetadataField(required=False, default=dict)
    customer = ShopperSerializer(required=False, default=dict)


@extend_schema_serializer(component_name="Capture")
class CaptureRequestSerializer(StrictSerializer):
    """The body of ``POST /payments/{id}/capture``; without an amount all that is held is taken."""

    amount = WholeNumberField(min_value=1, max_value=MINOR_UNITS_MAX, required=False)


class NextActionSerializer(serializers.Serializer[Any]):
    """Where the shopper must go now."""

    type = serializers.ChoiceField(choices=("redirect",))
    url = serializers.URLField()
    qr = serializers.CharField(required=False, help_text="The text to draw as a QR code.")


class FailureSerializer(serializers.Serializer[Any]):
    """Why it failed."""

    code = serializers.ChoiceField(choices=sorted(FailureCode))


class PaymentSerializer(serializers.Serializer[Transaction]):
    """A payment as it stands."""

    id = serializers.CharField(source="public_id")
    order_id = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=Status.choices)
    amount = serializers.IntegerField(help_text="In minor units of the currency.")
    currency = serializers.CharField()
    method = serializers.CharField()
    channel = serializers.CharField(help_text='"" when the shopper chooses at the gateway.')
    gateway = serializers.CharField(
        help_text="Who takes it. Another one may take over while nothing can have been charged."
    )
    capture = serializers.ChoiceField(choices=CAPTURE_METHODS)
    next_action = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()
    amount_captured = serializers.SerializerMethodField(
        help_text="What was taken: less than `amount` after the capture of a part, 0 before."
    )
    amount_refunded = serializers.IntegerField()
    metadata = MetadataField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_order_id(self, payment: Transaction) -> str:
        """``ord_…``."""
        return public_id("ord", payment.order_id)

    def get_amount_captured(self, payment: Transaction) -> int:
        """In minor units."""
        return payment.amount_captured or 0

    @extend_schema_field(NextActionSerializer(allow_null=True))
    def get_next_action(self, payment: Transaction) -> dict[str, str] | None:
        """Where the shopper must go, while that leads anywhere."""
        action = payment.next_action
        if not action:
            return None
        qr = {"qr": action["qr"]} if action.get("qr") else {}
        return {"type": "redirect", "url": action["url"], **qr}

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, payment: Transaction) -> dict[str, str] | None:
        """Our reason; the gateway's own words are for staff."""
        return {"code": payment.failure_code} if payment.failure_code else None
