"""The strict members of a JSON body: nothing is guessed, converted or silently left out."""

from typing import Any

from rest_framework import serializers

from money.money import EXPONENTS
from privacy.redaction import find_card_number


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
        refuse_card_number(data)
        return super().to_internal_value(data)


def refuse_card_number(text: str) -> None:
    """Raise ValidationError for a text that holds one."""
    if find_card_number(text):
        raise serializers.ValidationError(
            "A card number must never be sent here.", code="card_number_refused"
        )


class AddressField(TextField, serializers.EmailField):
    """An e-mail address; a card number is none, whatever follows it."""


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


class WordField(serializers.ChoiceField):
    """One of a few words; a refusal names them."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        words = " or ".join(map(str, self.choices))
        self.error_messages["invalid_choice"] = f"Must be {words}."


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields, so that a typing mistake is reported."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated data."""
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                message = {name: ["Unknown field."] for name in unknown}
                raise serializers.ValidationError(message, code="unknown_member")
        return super().to_internal_value(data)
