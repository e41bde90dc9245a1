"""What people read: our words for methods, gateways and reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from checkout.stages import Stage
from orders.states import OrderStatus
from payments.routing.registry import find_psp


@dataclass(frozen=True, slots=True)
class MethodWords:
    """A way to pay: its name, what happens next, and its drawing among ours."""

    name: str | Promise
    hint: str | Promise
    mark: str

    @property
    def drawing(self) -> str:
        """The template that draws it."""
        return f"checkout/marks/{self.mark}.svg"


_UNKNOWN_METHOD: Final = MethodWords(_("Other"), _("You continue on the provider's page."), "other")
METHODS: Final[Mapping[str, MethodWords]] = {
    "card": MethodWords(
        _("Card"),
        _("Visa, Mastercard and others. You enter it on the payment provider's secure page."),
        "card",
    ),
    "paypal": MethodWords("PayPal", _("You sign in to PayPal and confirm there."), "paypal"),
    "vnpay": MethodWords(
        "VNPAY",
        _("Banking app by QR code, domestic card or bank account."),
        "vnpay",
    ),
    "momo": MethodWords("MoMo", _("MoMo wallet by app or QR code, or a card."), "momo"),
}
# The channels of a method. A bank's own code is its own name.
CHANNELS: Final[Mapping[str, str | Promise]] = {
    "qr": _("QR code with a banking app"),
    "bank": _("Domestic card or bank account"),
    "international_card": _("International card"),
    "wallet": _("MoMo wallet"),
    "atm": _("Domestic card or bank account"),
    "card": _("International card"),
}

GATEWAYS: Final[Mapping[str, str]] = {
    "stripe": "Stripe", "paypal": "PayPal", "vnpay": "VNPAY", "momo": "MoMo",
}  # fmt: skip

# The heading of each stage that the status page shows.
TITLES: Final[Mapping[Stage, str | Promise]] = {
    Stage.CONNECTING: _("Connecting to %(name)s"),
    Stage.LEAVING: _("Going to %(name)s"),
    Stage.CONTINUE: _("Your payment is waiting for you"),
    Stage.CHECKING: _("Checking your payment"),
    Stage.CLOSING: _("Closing the earlier payment"),
    Stage.HELD: _("The amount is reserved"),
    Stage.PAID: _("Paid. Thank you!"),
    Stage.FAILED: _("The payment did not go through"),
    Stage.GIVEN_UP: _("You cancelled the payment"),
    Stage.CANCELLED: _("This order was cancelled"),
    Stage.NOT_NEEDED: _("You will get your money back"),
}


class Problem(StrEnum):
    """Why a choice on the pay page could not be taken."""

    NO_METHOD = "choose"
    NOT_OFFERED = "not-offered"
    OLD_PAGE = "old-page"


PROBLEMS: Final[Mapping[str, str | Promise]] = {
    Problem.NO_METHOD: _("Choose how you want to pay."),
    Problem.NOT_OFFERED: _("This way to pay is not possible for this order. Choose another one."),
    Problem.OLD_PAGE: _("The page was too old, and nothing was paid. Please choose again."),
}

ORDER_STATUSES: Final[Mapping[str, str | Promise]] = {
    OrderStatus.PENDING: _("Waiting for payment"),
    OrderStatus.PAID: _("Paid"),
    OrderStatus.PARTIALLY_REFUNDED: _("Partly refunded"),
    OrderStatus.REFUNDED: _("Refunded"),
    OrderStatus.CANCELLED: _("Cancelled"),
}


def find_title(stage: Stage, gateway: str) -> str:
    """The heading of ``stage``, for a payment at ``gateway``."""
    return str(TITLES[stage]) % {"name": gateway}


def gateway_name(gateway: str) -> str:
    """``VNPAY`` for ``vnpay`` and each account there; the word itself where we have no name."""
    psp = find_psp(gateway)
    return GATEWAYS.get(psp, psp)


def method_words(method: str) -> MethodWords:
    """The words for ``method``; neutral ones for a method we have no words for."""
    return METHODS.get(method, _UNKNOWN_METHOD)


def channel_words(channel: str) -> str | Promise:
    """The name of a channel of a method; the code itself where we have none."""
    return CHANNELS.get(channel, channel)
