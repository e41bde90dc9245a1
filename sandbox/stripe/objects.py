"""The shapes of Stripe's objects. The journal keeps what differs from them; ``render`` adds
the rest.

Members of a record that begin with ``_`` are the sandbox's own and never leave it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sandbox.journal import Json

API_VERSION: Final = "2026-10-28.endive"


def nothing(names: str) -> Json:
    """Members that are null unless a record says otherwise."""
    return dict.fromkeys(names.split())


INTENT: Final[Json] = nothing(
    "amount_details application application_fee_amount allowed_payment_method_types canceled_at "
    "automatic_payment_methods cancellation_reason customer customer_account description "
    "excluded_payment_method_types last_payment_error latest_charge managed_payments next_action "
    "on_behalf_of payment_details payment_method payment_method_configuration_details "
    "payment_record presentment_details processing receipt_email review setup_future_usage "
    "shipping source statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
) | {
    "object": "payment_intent", "amount_capturable": 0, "amount_received": 0,
    "confirmation_method": "automatic", "livemode": False, "metadata": {},
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card"],
}  # fmt: skip

CHARGE: Final[Json] = nothing(
    "application application_fee application_fee_amount balance_transaction customer description "
    "failure_balance_transaction failure_code failure_message on_behalf_of receipt_email "
    "receipt_number receipt_url review shipping source source_transfer statement_descriptor "
    "statement_descriptor_suffix transfer_data transfer_group presentment_details"
) | {
    "object": "charge", "amount_captured": 0, "amount_refunded": 0, "disputed": False,
    "billing_details": nothing("address email name phone tax_id"),
    "calculated_statement_descriptor": "SANDBOX", "fraud_details": {}, "livemode": False,
    "metadata": {}, "refunded": False, "paid": True,
}  # fmt: skip

SESSION: Final[Json] = nothing(
    "after_expiration allow_promotion_codes billing_address_collection cancel_url "
    "client_reference_id client_secret collected_information consent consent_collection "
    "currency_conversion customer customer_account customer_creation customer_details "
    "customer_email discounts integration_identifier invoice locale managed_payments "
    "origin_context payment_intent payment_link payment_method_collection "
    "payment_method_configuration_details permissions presentment_details recovered_from "
    "saved_payment_method_options setup_intent shipping_address_collection shipping_cost "
    "submit_type subscription wallet_options"
) | {
    "object": "checkout.session", "adaptive_pricing": {"enabled": False},
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "custom_fields": [], "livemode": False, "metadata": {}, "mode": "payment",
    "custom_text": {
        "after_submit": None, "shipping_address": None, "submit": None,
        "terms_of_service_acceptance": None,
    },
    "invoice_creation": {"enabled": False, "invoice_data": None},
    "payment_method_options": {}, "payment_method_types": ["card"],
    "phone_number_collection": {"enabled": False}, "shipping_options": [],
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "ui_mode": "hosted_page",
}  # fmt: skip

REFUND: Final[Json] = nothing(
    "balance_transaction customer customer_account description failure_balance_transaction "
    "failure_reason instructions_email next_action payment_method pending_reason "
    "presentment_details reason receipt_number source_transfer_reversal transfer_reversal"
) | {
    "object": "refund", "metadata": {},
    "destination_details": {
        "card": {"type": "refund", "reference_status": "pending"}, "type": "card",
    },
}  # fmt: skip

DISPUTE: Final[Json] = {
    "object": "dispute", "balance_transactions": [], "enhanced_eligibility_types": [],
    "evidence": {}, "is_charge_refundable": False, "livemode": False, "metadata": {},
    "payment_method_details": {
        "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"},
        "type": "card",
    },
    "reason": "fraudulent",
}  # fmt: skip

TRANSACTION: Final[Json] = nothing("description exchange_rate") | {
    "object": "balance_transaction", "balance_type": "payments", "fee_details": [],
}  # fmt: skip

PAYOUT: Final[Json] = nothing(
    "application_fee application_fee_amount balance_transaction failure_balance_transaction "
    "failure_code failure_message original_payout payout_method reversed_by "
    "statement_descriptor trace_id"
) | {
    "object": "payout", "automatic": True, "description": "STRIPE PAYOUT", "livemode": False,
    "destination": "ba_sandbox", "metadata": {}, "method": "standard", "type": "bank_account",
    "reconciliation_status": "completed", "source_type": "card", "status": "paid",
}  # fmt: skip

REPORT: Final[Json] = nothing("error result succeeded_at") | {
    "object": "reporting.report_run", "livemode": False,
}  # fmt: skip

INVOICE_SETTINGS: Final[Json] = nothing(
    "custom_fields default_payment_method footer rendering_options"
)
CUSTOMER: Final[Json] = nothing(
    "address business_name currency customer_account default_source description discount email "
    "individual_name invoice_prefix name phone shipping test_clock"
) | {
    "object": "customer", "balance": 0, "delinquent": False, "livemode": False, "metadata": {},
    "invoice_settings": INVOICE_SETTINGS,
    "next_invoice_sequence": 1, "preferred_locales": [], "tax_exempt": "none",
}  # fmt: skip

PAYMENT_METHOD: Final[Json] = nothing("customer customer_account") | {
    "object": "payment_method", "allow_redisplay": "unspecified", "livemode": False,
    "billing_details": nothing("address email name phone tax_id"), "metadata": {}, "type": "card",
}  # fmt: skip

ENDPOINT: Final[Json] = nothing("api_version application description") | {
    "object": "webhook_endpoint", "livemode": False, "metadata": {}, "status": "enabled",
}  # fmt: skip

TEMPLATES: Final[Mapping[str, Json]] = {
    "payment_intents": INTENT,
    "charges": CHARGE,
    "sessions": SESSION,
    "refunds": REFUND,
    "disputes": DISPUTE,
    "transactions": TRANSACTION,
    "payouts": PAYOUT,
    "reports": REPORT,
    "customers": CUSTOMER,
    "payment_methods": PAYMENT_METHOD,
    "webhook_endpoints": ENDPOINT,
}


def render(table: str, record: Json) -> Json:
    """The whole object of a record."""
    own = {name: value for name, value in record.items() if name[0] != "_"}
    return TEMPLATES[table] | own


def member(table: str, record: Json, name: str) -> Any:
    """One member of the whole object."""
    return record.get(name, TEMPLATES[table].get(name))


def new_id(prefix: str) -> str:
    """A fresh id with Stripe's prefix, such as ``pi_``."""
    return prefix + secrets.token_hex(12)


def list_object(url: str, data: list[Any], *, has_more: bool) -> Json:
    """A list as every list endpoint answers it."""
    return {"object": "list", "url": url, "has_more": has_more, "data": data}
