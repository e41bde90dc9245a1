"""PaymentIntents at the emulated Stripe, made for the tests through the official SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess

BACK = "http://127.0.0.1:9/back"


def create_intent(
    sandbox: SandboxProcess, reference: str, card: str = "pm_card_visa", **more: Any
) -> Any:
    body = {
        "amount": 150_000,
        "currency": "vnd",
        "confirm": True,
        "payment_method": card,
        "metadata": {"reference": reference},
        "return_url": BACK,
    } | more
    return sandbox.stripe().v1.payment_intents.create(body)


def pay_by_card(sandbox: SandboxProcess, reference: str, card: str = "pm_card_visa") -> str:
    """The id of a PaymentIntent of 100.00 USD that is confirmed with ``card``."""
    intent = sandbox.stripe().v1.payment_intents.create(
        {
            "amount": 10_000,
            "currency": "usd",
            "confirm": True,
            "payment_method": card,
            "metadata": {"reference": reference},
        }
    )
    return str(intent.id)
