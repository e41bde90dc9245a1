"""Which parameters each endpoint takes, and their types.

An unknown one is refused, as Stripe does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.stripe.errors import StripeError, bad_value, missing, unknown

if TYPE_CHECKING:
    from sandbox.journal import Json

WHOLE, TEXT, TRUTH, MAP, LIST, ANY = "whole", "text", "truth", "map", "list", "any"
# A list of texts, a map of texts within Stripe's limits, a map whose ``enabled`` is a truth, and
# a number or its bounds.
TEXTS, METADATA, SWITCH, RANGE = "texts", "metadata", "switch", "range"
Schema = dict[str, str]

METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500
# Stripe counts in 64 bits; nothing of the shop's comes near.
DIGITS_MAX = 18

EVERY: Final[Schema] = {"expand": TEXTS}
SEARCH: Final[Schema] = EVERY | {"query": TEXT, "limit": WHOLE, "page": TEXT}
LINES: Final[Schema] = EVERY | {"limit": WHOLE, "starting_after": TEXT, "ending_before": TEXT}
PAGE: Final[Schema] = LINES | {"created": RANGE}
# What a PaymentIntent is, in every call that may change it.
INTENT: Final[Schema] = EVERY | {
    "payment_method": TEXT, "capture_method": TEXT, "receipt_email": ANY, "shipping": ANY,
    "setup_future_usage": ANY, "payment_method_options": MAP, "payment_method_data": MAP,
    "allowed_payment_method_types": ANY, "excluded_payment_method_types": ANY,
    "amount_details": ANY, "payment_details": ANY, "hooks": MAP,
}  # fmt: skip
# How it is to be paid, in the two calls that may confirm it.
CONFIRMATION: Final[Schema] = {
    "confirmation_token": TEXT, "return_url": TEXT, "off_session": ANY, "mandate": TEXT,
    "error_on_requires_action": TRUTH, "mandate_data": ANY, "radar_options": MAP,
    "use_stripe_sdk": TRUTH,
}  # fmt: skip
INTENT_BODY: Final[Schema] = INTENT | {
    "amount": WHOLE, "currency": TEXT, "metadata": METADATA, "description": TEXT,
    "customer": TEXT, "customer_account": TEXT, "statement_descriptor": TEXT,
    "statement_descriptor_suffix": TEXT, "transfer_group": TEXT, "application_fee_amount": ANY,
    "transfer_data": MAP, "payment_method_configuration": TEXT,
}  # fmt: skip

CUSTOMER: Final[Schema] = EVERY | {
    "address": ANY, "balance": WHOLE, "business_name": ANY, "cash_balance": MAP,
    "description": TEXT, "email": TEXT, "individual_name": ANY, "invoice_prefix": TEXT,
    "invoice_settings": MAP, "metadata": METADATA, "name": TEXT, "next_invoice_sequence": WHOLE,
    "phone": TEXT, "preferred_locales": TEXTS, "shipping": ANY, "tax": MAP, "tax_exempt": ANY,
    "validate": TRUTH,
}  # fmt: skip

SCHEMAS: Final[Mapping[str, Schema]] = {
    "create_intent": INTENT_BODY | CONFIRMATION | {
        "confirm": TRUTH, "confirmation_method": TEXT, "on_behalf_of": TEXT,
        "automatic_payment_methods": SWITCH,
    },
    "update_intent": INTENT_BODY,
    "get_intent": EVERY | {"client_secret": TEXT},
    "confirm_intent": INTENT | CONFIRMATION | {"amount_to_confirm": WHOLE},
    "capture_intent": EVERY | {
        "amount_to_capture": WHOLE, "final_capture": TRUTH, "metadata": METADATA,
        "application_fee_amount": ANY, "statement_descriptor": TEXT,
        "statement_descriptor_suffix": TEXT, "transfer_data": MAP, "hooks": MAP,
        "amount_details": ANY, "payment_details": ANY,
    },
    "cancel_intent": EVERY | {"cancellation_reason": TEXT},
    "list_intents": PAGE | {"customer": TEXT, "customer_account": TEXT},
    "search_intents": SEARCH,
    "search_charges": SEARCH,
    "create_session": EVERY | {
        "mode": TEXT, "line_items": LIST, "success_url": TEXT, "cancel_url": TEXT,
        "client_reference_id": TEXT, "metadata": METADATA, "payment_intent_data": MAP,
        "expires_at": WHOLE, "customer_email": TEXT, "customer": TEXT, "locale": TEXT,
        "submit_type": TEXT, "allowed_payment_method_types": TEXTS,
        "excluded_payment_method_types": TEXTS, "ui_mode": TEXT, "adaptive_pricing": SWITCH,
        "billing_address_collection": TEXT, "customer_creation": TEXT, "currency": TEXT,
        "payment_method_options": MAP, "phone_number_collection": SWITCH, "custom_text": MAP,
        "branding_settings": MAP, "after_expiration": MAP, "automatic_tax": SWITCH,
        "allow_promotion_codes": TRUTH, "invoice_creation": SWITCH, "return_url": TEXT,
        "consent_collection": MAP, "custom_fields": LIST, "customer_account": TEXT,
        "customer_update": MAP, "integration_identifier": TEXT, "name_collection": MAP,
        "origin_context": TEXT, "payment_method_collection": TEXT,
        "payment_method_configuration": TEXT, "payment_method_data": MAP, "permissions": MAP,
        "redirect_on_completion": TEXT, "saved_payment_method_options": MAP,
        "shipping_address_collection": MAP, "tax_id_collection": SWITCH, "wallet_options": MAP,
    },
    "update_session": EVERY | {"metadata": METADATA},
    "list_sessions": PAGE | {
        "payment_intent": TEXT, "status": TEXT, "customer": TEXT, "customer_account": TEXT,
        "customer_details": MAP, "payment_link": TEXT, "subscription": TEXT,
    },
    "create_refund": EVERY | {
        "payment_intent": TEXT, "charge": TEXT, "amount": WHOLE, "reason": TEXT, "currency": TEXT,
        "metadata": METADATA, "refund_application_fee": TRUTH, "reverse_transfer": TRUTH,
        "instructions_email": TEXT,
    },
    "create_customer": CUSTOMER | {
        "payment_method": TEXT, "source": TEXT, "test_clock": TEXT, "tax_id_data": LIST,
    },
    "update_customer": CUSTOMER | {"default_source": TEXT, "source": TEXT},
    "list_customers": PAGE | {"email": TEXT, "test_clock": TEXT},
    "list_methods_of_customer": LINES | {"allow_redisplay": TEXT, "type": TEXT},
    "create_method": EVERY | {
        "type": TEXT, "card": MAP, "billing_details": MAP, "metadata": METADATA,
        "allow_redisplay": TEXT,
    },
    "list_methods": LINES | {
        "allow_redisplay": TEXT, "customer": TEXT, "customer_account": TEXT, "type": TEXT,
    },
    "update_method": EVERY | {
        "allow_redisplay": TEXT, "billing_details": MAP, "card": MAP, "metadata": METADATA,
        "us_bank_account": MAP,
    },
    "attach_method": EVERY | {"customer": TEXT, "customer_account": TEXT},
    "create_endpoint": EVERY | {
        "url": TEXT, "enabled_events": TEXTS, "api_version": TEXT, "description": ANY,
        "metadata": METADATA, "connect": TRUTH,
    },
    "update_endpoint": EVERY | {
        "url": TEXT, "enabled_events": TEXTS, "description": ANY, "disabled": TRUTH,
        "metadata": METADATA,
    },
    "list_endpoints": LINES,
    "update_refund": EVERY | {"metadata": METADATA},
    "list_refunds": PAGE | {"payment_intent": TEXT, "charge": TEXT},
    "list_charges": PAGE | {"payment_intent": TEXT, "customer": TEXT, "transfer_group": TEXT},
    "update_charge": EVERY | {
        "metadata": METADATA, "description": TEXT, "receipt_email": TEXT, "customer": TEXT,
        "fraud_details": MAP, "shipping": ANY, "transfer_group": TEXT,
    },
    "list_disputes": PAGE | {"payment_intent": TEXT, "charge": TEXT},
    "update_dispute": EVERY | {
        "evidence": MAP, "metadata": METADATA, "submit": TRUTH, "intended_submission_method": TEXT,
    },
    "list_transactions": PAGE | {
        "payout": TEXT, "source": TEXT, "type": TEXT, "currency": TEXT,
    },
    "list_payouts": PAGE | {"status": TEXT, "arrival_date": RANGE, "destination": TEXT},
    "list_events": PAGE | {"type": TEXT, "types": TEXTS, "delivery_success": TRUTH},
    "line_items": LINES,
    "create_report": EVERY | {"report_type": TEXT, "parameters": MAP},
    "list_reports": PAGE,
    "create_confirmation_token": EVERY | {
        "payment_method": TEXT, "return_url": TEXT, "setup_future_usage": TEXT,
        "payment_method_data": MAP, "payment_method_options": MAP, "shipping": MAP,
    },
}  # fmt: skip

# Stripe has these, and they would change what is paid or for what; ignoring them would be a lie.
NOT_EMULATED: Final[Mapping[str, tuple[str, ...]]] = {
    "create_session": (
        "discounts", "managed_payments", "optional_items", "setup_intent_data", "shipping_options",
        "subscription_data",
    ),
    "update_session": (
        "collected_information", "line_items", "payment_intent_data", "shipping_options",
    ),
    "create_refund": ("customer", "origin"),
    "create_customer": ("balance", "cash_balance", "source", "tax_id_data", "test_clock"),
    "update_customer": ("balance", "cash_balance", "default_source", "source"),
    "update_method": ("card", "us_bank_account"),
}  # fmt: skip

PYTHON: Final[Mapping[str, type]] = {TEXT: str, MAP: dict, LIST: list}
TRUTHS: Final = {"true": True, "false": False}


def check(operation: str, given: Json) -> Json:
    """Parameters with their types. Raises StripeError for one that is unknown or mistyped."""
    schema = SCHEMAS.get(operation, EVERY)
    for name in NOT_EMULATED.get(operation, ()):
        if name in given:
            raise StripeError(400, f"The sandbox does not emulate {name}.", param=name)
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
    if kind in READERS:
        return READERS[kind](name, value)
    # An empty text unsets a map.
    if kind == ANY or isinstance(value, PYTHON[kind]) or (kind == MAP and value == ""):
        return value
    raise bad_value(name, f"Invalid {kind}: {name}")


def whole(name: str, value: object) -> int:
    """A whole number from text. Raises StripeError."""
    text = value if isinstance(value, str) else ""
    digits = text.removeprefix("-")
    if not digits.isdecimal() or not text.isascii() or len(digits) > DIGITS_MAX:
        raise bad_value(name, f"Invalid integer: {value}", "parameter_invalid_integer")
    return int(text)


def truth(name: str, value: object) -> bool:
    """``true`` or ``false`` from text. Raises StripeError."""
    if not isinstance(value, str) or value not in TRUTHS:
        raise bad_value(name, f"Invalid boolean: {value}", "parameter_invalid_boolean")
    return TRUTHS[value]


def texts(name: str, value: object) -> list[str]:
    """A list of texts. Raises StripeError."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise bad_value(name, f"Invalid array: {name}")
    return value


def switch(name: str, value: Any) -> Any:
    """A map that something is switched on with. Raises StripeError."""
    options = typed(name, value, MAP)
    if "enabled" not in options:
        return options
    return options | {"enabled": truth(f"{name}[enabled]", options["enabled"])}


def bounds(name: str, value: Any) -> dict[str, int]:
    """``created=5`` or ``created[gte]=5``…, by sign. Raises StripeError."""
    given = {"": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or not given.keys() <= SIGNS:
        raise bad_value(name, "Use one number, or gt, gte, lt or lte.")
    return {sign: whole(f"{name}[{sign}]", text) for sign, text in given.items()}


def metadata(name: str, value: Any) -> Any:
    """Metadata within Stripe's limits; an empty text unsets it all. Raises StripeError."""
    pairs = typed(name, value, MAP) or {}
    if len(pairs) > METADATA_KEYS_MAX:
        raise bad_value(name, f"You can only set {METADATA_KEYS_MAX} metadata keys.")
    for key, text in pairs.items():
        if len(key) > METADATA_KEY_MAX or not isinstance(text, str):
            raise bad_value(f"{name}[{key}]", "Metadata keys are short and values are text.")
        if len(text) > METADATA_VALUE_MAX:
            raise bad_value(f"{name}[{key}]", "Metadata values can have up to 500 characters.")
    return value


SIGNS: Final = frozenset({"", "gt", "gte", "lt", "lte"})
READERS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    WHOLE: whole,
    TRUTH: truth,
    TEXTS: texts,
    SWITCH: switch,
    RANGE: bounds,
    METADATA: metadata,
}


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
