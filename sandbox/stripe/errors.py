"""The errors of Stripe's API, in its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.journal import Json

INVALID = "invalid_request_error"


class StripeError(Exception):
    """An answer that is no success. ``began`` says that the endpoint had begun to run.

    Stripe keeps such an answer under the caller's idempotency key; refusals of the request itself
    are forgotten, so that a corrected request may use the key again.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID,
        code: str | None = None,
        param: str | None = None,
        began: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.began = began
        self.more: Json = {}
        self._body = {"type": kind, "message": message, "code": code, "param": param}

    def body(self) -> Json:
        """The JSON of the answer; absent members are left out."""
        error = {name: value for name, value in self._body.items() if value is not None}
        return {"error": error | doc_url(error.get("code")) | self.more}


def doc_url(code: str | None) -> Json:
    """Where Stripe explains a code."""
    page = (code or "").replace("_", "-")
    return {"doc_url": f"https://stripe.com/docs/error-codes/{page}"} if page else {}


def missing(param: str) -> StripeError:
    """A required parameter is not there."""
    return StripeError(
        400, f"Missing required param: {param}.", code="parameter_missing", param=param
    )


def unknown(param: str) -> StripeError:
    """A parameter that the endpoint does not have."""
    return StripeError(
        400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param
    )


def no_such(kind: str, object_id: str, param: str = "id", status: int = 404) -> StripeError:
    """The account has no such object; 400 where a parameter names it and not the path."""
    message = f"No such {kind}: '{object_id}'"
    return StripeError(status, message, code="resource_missing", param=param)


def bad_value(param: str, message: str, code: str = "parameter_invalid_string") -> StripeError:
    """A parameter whose value cannot be."""
    return StripeError(400, message, code=code, param=param)


def bad_state(message: str, intent: Json | None = None) -> StripeError:
    """The PaymentIntent is in a state that forbids the call."""
    error = StripeError(400, message, code="payment_intent_unexpected_state", began=True)
    if intent is not None:
        error.more["payment_intent"] = intent
    return error


def refused(message: str, code: str | None = None, param: str | None = None) -> StripeError:
    """Understood, but against a rule; the endpoint had begun to run."""
    return StripeError(400, message, code=code, param=param, began=True)


def not_reconciled() -> StripeError:
    """It is not known yet what a payout carries."""
    message = "The payout has not been reconciled yet."
    code = "payout_reconciliation_not_ready"
    return StripeError(400, message, code=code, param="payout")
