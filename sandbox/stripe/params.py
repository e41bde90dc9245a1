"""Which parameters each endpoint takes, and their types.

An unknown one is refused, as Stripe does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.stripe.errors import StripeError, bad_value, missing, unknown

if TYPE_CHECKING:
    from sandbox.book import Json

WHOLE, TEXT, TRUTH, MAP, LIST, ANY = "whole", "text", "truth", "map", "list", "any"
Schema = dict[str, str]

METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500

EVERY: Final[Schema] = {"expand": LIST}
PAGE: Final[Schema] = EVERY | {
    "limit": WHOLE, "starting_after": TEXT, "ending_before": TEXT, "created": ANY,
}  # fmt: skip
INTENT_COMMON: Final[Schema] = EVERY | {
    "payment_method": TEXT, "confirmation_token": TEXT, "return_url": TEXT, "off_session": ANY,
    "error_on_requires_action": TRUTH, "capture_method": TEXT, "receipt_email": ANY,
    "setup_future_usage": ANY, "shipping": ANY, "payment_method_options": MAP,
    "payment_method_data": MAP, "mandate": TEXT, "mandate_data": ANY, "radar_options": MAP,
    "use_stripe_sdk": TRUTH, "allowed_payment_method_types": ANY,
    "excluded_payment_method_types": ANY, "amount_details": ANY, "payment_details": ANY,
}  # fmt: skip
INTENT_BODY: Final[Schema] = INTENT_COMMON | {
    "amount": WHOLE, "currency": TEXT, "metadata": MAP, "description": TEXT, "customer": TEXT,
    "customer_account": TEXT, "automatic_payment_methods": MAP, "statement_descriptor": TEXT,
    "statement_descriptor_suffix": TEXT, "transfer_group": TEXT, "application_fee_amount": ANY,
    "transfer_data": MAP, "payment_method_configuration": TEXT, "hooks": MAP,
}  # fmt: skip

SCHEMAS: Final[Mapping[str, Schema]] = {
    "create_intent": INTENT_BODY | {
        "confirm": TRUTH, "confirmation_method": TEXT, "on_behalf_of": TEXT,
    },
    "update_intent": INTENT_BODY,
    "get_intent": EVERY | {"client_secret": TEXT},
    "confirm_intent": INTENT_COMMON | {"amount_to_confirm": WHOLE, "hooks": MAP},
    "capture_intent": EVERY | {
        "amount_to_capture": WHOLE, "final_capture": TRUTH, "metadata": MAP,
        "application_fee_amount": ANY, "statement_descriptor": TEXT,
        "statement_descriptor_suffix": TEXT, "transfer_data": MAP, "hooks": MAP,
        "amount_details": ANY, "payment_details": ANY,
    },
    "cancel_intent": EVERY | {"cancellation_reason": TEXT},
    "list_intents": PAGE | {"customer": TEXT, "customer_account": TEXT},
    "search_intents": EVERY | {"query": TEXT, "limit": WHOLE, "page": TEXT},
    "create_session": EVERY | {
        "mode": TEXT, "line_items": LIST, "success_url": TEXT, "cancel_url": TEXT,
        "client_reference_id": TEXT, "metadata": MAP, "payment_intent_data": MAP,
        "expires_at": WHOLE, "customer_email": TEXT, "customer": TEXT, "locale": TEXT,
        "submit_type": TEXT, "allowed_payment_method_types": LIST,
        "excluded_payment_method_types": LIST, "ui_mode": TEXT, "adaptive_pricing": MAP,
        "billing_address_collection": TEXT, "customer_creation": TEXT, "currency": TEXT,
        "payment_method_options": MAP, "phone_number_collection": MAP, "custom_text": MAP,
        "branding_settings": MAP, "after_expiration": MAP, "automatic_tax": MAP,
        "allow_promotion_codes": TRUTH, "invoice_creation": MAP, "return_url": TEXT,
        "consent_collection": MAP, "custom_fields": LIST, "customer_account": TEXT,
        "customer_update": MAP, "integration_identifier": TEXT, "name_collection": MAP,
        "origin_context": TEXT, "payment_method_collection": TEXT,
        "payment_method_configuration": TEXT, "payment_method_data": MAP, "permissions": MAP,
        "redirect_on_completion": TEXT, "saved_payment_method_options": MAP,
        "shipping_address_collection": MAP, "tax_id_collection": MAP, "wallet_options": MAP,
    },
    "update_session": EVERY | {"metadata": MAP},
    "list_sessions": PAGE | {
        "payment_intent": TEXT, "status": TEXT, "customer": TEXT, "customer_account": TEXT,
        "customer_details": MAP, "payment_link": TEXT, "subscription": TEXT,
    },
    "create_refund": EVERY | {
        "payment_intent": TEXT, "charge": TEXT, "amount": WHOLE, "reason": TEXT, "metadata": MAP,
        "refund_application_fee": TRUTH, "reverse_transfer": TRUTH, "instructions_email": TEXT,
        "currency": TEXT,
    },
    "update_refund": EVERY | {"metadata": MAP},
    "list_refunds": PAGE | {"payment_intent": TEXT, "charge": TEXT},
    "list_charges": PAGE | {"payment_intent": TEXT, "customer": TEXT, "transfer_group": TEXT},
    "update_charge": EVERY | {
        "metadata": MAP, "description": TEXT, "receipt_email": TEXT, "customer": TEXT,
        "fraud_details": MAP, "shipping": ANY, "transfer_group": TEXT,
    },
    "list_disputes": PAGE | {"payment_intent": TEXT, "charge": TEXT},
    "update_dispute": EVERY | {
        "evidence": MAP, "metadata": MAP, "submit": TRUTH, "intended_submission_method": TEXT,
    },
    "list_transactions": PAGE | {
        "payout": TEXT, "source": TEXT, "type": TEXT, "currency": TEXT,
    },
    "list_payouts": PAGE | {"status": TEXT, "arrival_date": ANY, "destination": TEXT},
    "list_events": PAGE | {"type": TEXT, "types": LIST, "delivery_success": TRUTH},
    "line_items": PAGE,
    "create_report": EVERY | {"report_type": TEXT, "parameters": MAP},
    "list_reports": PAGE,
    "create_confirmation_token": EVERY | {
        "payment_method": TEXT, "return_url": TEXT, "setup_future_usage": TEXT,
        "payment_method_data": MAP, "payment_method_options": MAP, "shipping": MAP,
    },
}  # fmt: skip

# Stripe has these, and they would change what is paid or for what; ignoring them would be a lie.
NOT_PLAYED: Final[Mapping[str, tuple[str, ...]]] = {
    "create_session": (
        "discounts", "managed_payments", "optional_items", "setup_intent_data", "shipping_options",
        "subscription_data",
    ),
    "update_session": (
        "collected_information", "line_items", "payment_intent_data", "shipping_options",
    ),
    "create_refund": ("customer", "origin"),
}  # fmt: skip

PYTHON: Final[Mapping[str, type]] = {TEXT: str, MAP: dict, LIST: list}
TRUTHS: Final = {"true": True, "false": False}


def check(operation: str, given: Json) -> Json:
    """Parameters with their types. Raises StripeError for one that is unknown or mistyped."""
    schema = SCHEMAS.get(operation, EVERY)
    for name in NOT_PLAYED.get(operation, ()):
        if name in given:
            raise StripeError(400, f"The sandbox does not play {name}.", param=name)
    return {name: read(name, value, schema) for name, value in given.items()}


def read(name: str, value: Any, schema: Schema) -> Any:
    """One parameter with its type."""
    if name == "payment_method_types" and name not in schema:
        raise StripeError(
            400,
            "payment_method_types is no longer supported. Use allowed_payment_method_types.",
            code="payment_method_types_no_longer_supported",
            param=name,
        )
    if name not in schema:
        raise unknown(name)
    return typed(name, value, schema[name])


def typed(name: str, value: Any, kind: str) -> Any:
    """A value of the kind, from text. Raises StripeError."""
    if kind == WHOLE:
        return whole(name, value)
    if kind == TRUTH:
        if not isinstance(value, str) or value not in TRUTHS:
            raise bad_value(name, f"Invalid boolean: {value}", "parameter_invalid_boolean")
        return TRUTHS[value]
    # An empty text unsets a map.
    if kind == ANY or isinstance(value, PYTHON[kind]) or (kind == MAP and value == ""):
        return metadata(value) if name == "metadata" and value else value
    raise bad_value(name, f"Invalid {kind}: {name}")


def whole(name: str, value: object) -> int:
    """A whole number from text. Raises StripeError."""
    text = value if isinstance(value, str) else ""
    if not text.removeprefix("-").isdecimal() or not text.isascii():
        raise bad_value(name, f"Invalid integer: {value}", "parameter_invalid_integer")
    return int(text)


def metadata(value: Json) -> Json:
    """Metadata within Stripe's limits. Raises StripeError."""
    if len(value) > METADATA_KEYS_MAX:
        raise bad_value("metadata", f"You can only set {METADATA_KEYS_MAX} metadata keys.")
    for key, text in value.items():
        if len(key) > METADATA_KEY_MAX or not isinstance(text, str):
            raise bad_value(f"metadata[{key}]", "Metadata keys are short and values are text.")
        if len(text) > METADATA_VALUE_MAX:
            raise bad_value(f"metadata[{key}]", "Metadata values can have up to 500 characters.")
    return value


def merged(old: Json, change: Any) -> Json:
    """Metadata after an update: an empty value removes its key, an empty text removes all."""
    if change == "":
        return {}
    both = old | (change or {})
    return {key: value for key, value in both.items() if value != ""}


def need(params: Json, name: str) -> Any:
    """A parameter that must be there. Raises StripeError."""
    if params.get(name) in (None, ""):
        raise missing(name)
    return params[name]
