"""What can go wrong with a payment, each with a stable code and an HTTP status.

PaymentError
├── PaymentNotFound          404 not_found
├── PaymentInProgress        409 payment_in_progress
├── AlreadyPaid              409 already_paid
├── OrderEnded               409 order_cancelled
├── NotCancellable           409 not_cancellable
├── NotCapturable            409 not_capturable
├── RequestInProgress        409 request_in_progress
├── KeyReused                422 idempotency_key_reused
├── AmountMismatch           422 amount_mismatch
├── CurrencyMismatch         422 currency_mismatch
├── MethodUnavailable        422 method_unavailable
├── ChannelUnavailable       422 channel_unavailable
├── CaptureUnavailable       422 capture_unavailable
├── CaptureAmountRefused     422 capture_amount_refused
├── TokenRequired            422 payment_token_required
├── TokenNotAccepted         422 payment_token_not_accepted
├── ReturnUrlRefused         422 return_url_not_allowed
└── CardNumberRefused        422 card_number_refused
"""

from typing import Any


class PaymentError(Exception):
    """The root. ``code`` is for programs; ``detail`` tells a person how to correct it."""

    code = "payment_error"
    status = 422
    field = ""

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        # Further members of the problem document, such as ``payment_id``.
        self.extra = extra


class PaymentNotFound(PaymentError):
    """Unknown, or somebody else's: the answer is the same."""

    code = "not_found"
    status = 404


class PaymentInProgress(PaymentError):
    """The order has a live payment: continue it or cancel it first."""

    code = "payment_in_progress"
    status = 409


class AlreadyPaid(PaymentError):
    """The order is paid, or the payment has succeeded."""

    code = "already_paid"
    status = 409


class OrderEnded(PaymentError):
    """The order was cancelled."""

    code = "order_cancelled"
    status = 409


class NotCancellable(PaymentError):
    """The payment has ended already, or its gateway cannot release the hold."""

    code = "not_cancellable"
    status = 409


class NotCapturable(PaymentError):
    """The payment holds no money that could be taken."""

    code = "not_capturable"
    status = 409


class RequestInProgress(PaymentError):
    """The same request is being answered at this moment."""

    code = "request_in_progress"
    status = 409


class KeyReused(PaymentError):
    """The idempotency key belongs to another request."""

    code = "idempotency_key_reused"


class AmountMismatch(PaymentError):
    """The amount is not what the order costs."""

    code = "amount_mismatch"
    field = "amount"


class CurrencyMismatch(PaymentError):
    """The currency is not the order's."""

    code = "currency_mismatch"
    field = "currency"


class MethodUnavailable(PaymentError):
    """No gateway takes this amount in this currency by this method."""

    code = "method_unavailable"
    field = "method"


class ChannelUnavailable(PaymentError):
    """The method has no such channel, or it does not take this amount."""

    code = "channel_unavailable"
    field = "channel"


class CaptureUnavailable(PaymentError):
    """The gateway cannot hold money for a later capture."""

    code = "capture_unavailable"
    field = "capture"


class CaptureAmountRefused(PaymentError):
    """More than is held, or a part where the gateway takes all or nothing."""

    code = "capture_amount_refused"
    field = "amount"


class TokenRequired(PaymentError):
    """The method needs a payment token from the gateway's own form."""

    code = "payment_token_required"
    field = "payment_token"


class TokenNotAccepted(PaymentError):
    """The method takes no payment token."""

    code = "payment_token_not_accepted"
    field = "payment_token"


class ReturnUrlRefused(PaymentError):
    """The return URL's origin is not in RETURN_ORIGINS."""

    code = "return_url_not_allowed"
    field = "return_url"


class CardNumberRefused(PaymentError):
    """Free text holds a card number; none may enter this system."""

    code = "card_number_refused"
