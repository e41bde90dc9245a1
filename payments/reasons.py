"""Why a payment failed, as our pages and mails show it."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateways.outcome import FailureCode

# One calm sentence for each code, with what helps; never a gateway's own code.
_UNKNOWN_FAILURE: Final = _("The payment was not completed.")
FAILURES: Final[Mapping[str, str | Promise]] = {
    FailureCode.DECLINED: _(
        "Your bank or wallet did not approve the payment. It can tell you why; or pay in another"
        " way."
    ),
    FailureCode.INSUFFICIENT_FUNDS: _("There was not enough money in the account or card."),
    FailureCode.CARD_EXPIRED: _("The card has expired."),
    FailureCode.INCORRECT_CODE: _("The code or password that was entered was not right."),
    FailureCode.AUTHENTICATION_FAILED: _("Your bank could not confirm that it was you."),
    FailureCode.ACCOUNT_BLOCKED: _("The account or card cannot be used for this payment."),
    FailureCode.LIMIT_EXCEEDED: _("The payment is above the limit of the account or card."),
    FailureCode.SUSPECTED_FRAUD: _(
        "Your bank or wallet did not approve the payment. It can tell you why; or pay in another"
        " way."
    ),
    FailureCode.METHOD_UNAVAILABLE: _("This bank or wallet is not available at the moment."),
    FailureCode.INVALID_REQUEST: _("This way of paying did not work with this order."),
    FailureCode.CANCELLED: _("You cancelled the payment."),
    FailureCode.EXPIRED: _("The time to pay was over."),
    FailureCode.SUPERSEDED: _("You chose to pay in another way."),
    FailureCode.NEVER_SENT: _("The payment could not be started."),
}


def failure_text(code: str) -> str | Promise:
    """The sentence for a failure code; a neutral one for an unknown code."""
    return FAILURES.get(code, _UNKNOWN_FAILURE)
