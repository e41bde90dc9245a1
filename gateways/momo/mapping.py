"""MoMo's result codes, and what each means for what was asked.

A code by itself says little: 0 on a create means that a link exists, on a query that the shopper
has paid. So there are two tables: code -> meaning, and (verb, meaning) -> outcome. What stands in
neither is unknown.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateways.operation import Verb
from gateways.outcome import FailureCode, OutcomeKind
from gateways.settlement import RecordKind


class Meaning(StrEnum):
    """What a result code says, whatever was asked."""

    DONE = "DONE"
    AUTHORIZED = "AUTHORIZED"
    WAITING = "WAITING"  # for the shopper
    WORKING = "WORKING"  # at MoMo or at the bank
    REFUSED = "REFUSED"  # a no to the payment
    CANCELLED = "CANCELLED"  # a hold or a link that is gone
    DUPLICATE = "DUPLICATE"  # of a requestId or orderId: the first one decides
    NOT_FOUND = "NOT_FOUND"
    BUSY = "BUSY"  # a no to this request, for now
    CREDENTIALS = "CREDENTIALS"
    BAD_REQUEST = "BAD_REQUEST"
    REFUND_REFUSED = "REFUND_REFUSED"
    UNCLEAR = "UNCLEAR"  # MoMo itself does not know: ask


@dataclass(frozen=True, slots=True)
class Result:
    """``final`` is MoMo's own flag: a repeat of the requestId gives the same answer again.

    After a code that is not final a repeat is answered by 40, so the request can never be done
    under that id any more.
    """

    meaning: Meaning
    final: bool
    failure: FailureCode | None = None


RESULTS: Final[dict[str, Result]] = {
    "0": Result(Meaning.DONE, final=True),
    "10": Result(Meaning.BUSY, final=False, failure=FailureCode.METHOD_UNAVAILABLE),
    "11": Result(Meaning.CREDENTIALS, final=False, failure=FailureCode.INVALID_REQUEST),
    "12": Result(Meaning.CREDENTIALS, final=False, failure=FailureCode.INVALID_REQUEST),
    "13": Result(Meaning.CREDENTIALS, final=False, failure=FailureCode.INVALID_REQUEST),
    "20": Result(Meaning.BAD_REQUEST, final=False, failure=FailureCode.INVALID_REQUEST),
    "21": Result(Meaning.BAD_REQUEST, final=False, failure=FailureCode.INVALID_REQUEST),
    "22": Result(Meaning.BAD_REQUEST, final=False, failure=FailureCode.LIMIT_EXCEEDED),
    "40": Result(Meaning.DUPLICATE, final=False),
    "41": Result(Meaning.DUPLICATE, final=False),
    "42": Result(Meaning.NOT_FOUND, final=False, failure=FailureCode.INVALID_REQUEST),
    "43": Result(Meaning.BUSY, final=False, failure=FailureCode.METHOD_UNAVAILABLE),
    "45": Result(Meaning.BAD_REQUEST, final=False, failure=FailureCode.INVALID_REQUEST),
    "47": Result(Meaning.BAD_REQUEST, final=False, failure=FailureCode.INVALID_REQUEST),
    "98": Result(Meaning.REFUSED, final=True, failure=FailureCode.METHOD_UNAVAILABLE),
    "99": Result(Meaning.UNCLEAR, final=True, failure=FailureCode.DECLINED),
    "1000": Result(Meaning.WAITING, final=False),
    "1001": Result(Meaning.REFUSED, final=True, failure=FailureCode.INSUFFICIENT_FUNDS),
    "1002": Result(Meaning.REFUSED, final=True, failure=FailureCode.DECLINED),
    # MoMo has one code for a hold that we released and for one that it let run out. Whoever asked
    # for a release knows that; to everybody else time has ended it.
    "1003": Result(Meaning.CANCELLED, final=True, failure=FailureCode.EXPIRED),
    "1004": Result(Meaning.REFUSED, final=True, failure=FailureCode.LIMIT_EXCEEDED),
    "1005": Result(Meaning.REFUSED, final=True, failure=FailureCode.EXPIRED),
    "1006": Result(Meaning.REFUSED, final=True, failure=FailureCode.CANCELLED),
    "1007": Result(Meaning.REFUSED, final=True, failure=FailureCode.ACCOUNT_BLOCKED),
    "1017": Result(Meaning.CANCELLED, final=True, failure=FailureCode.CANCELLED),
    "1026": Result(Meaning.REFUSED, final=True, failure=FailureCode.DECLINED),
    "1080": Result(Meaning.REFUND_REFUSED, final=True, failure=FailureCode.METHOD_UNAVAILABLE),
    "1081": Result(Meaning.REFUND_REFUSED, final=True, failure=FailureCode.LIMIT_EXCEEDED),
    "1088": Result(Meaning.REFUND_REFUSED, final=True, failure=FailureCode.INVALID_REQUEST),
    "2019": Result(Meaning.BAD_REQUEST, final=True, failure=FailureCode.INVALID_REQUEST),
    "4001": Result(Meaning.REFUSED, final=True, failure=FailureCode.ACCOUNT_BLOCKED),
    "4002": Result(Meaning.REFUSED, final=True, failure=FailureCode.AUTHENTICATION_FAILED),
    "4100": Result(Meaning.REFUSED, final=True, failure=FailureCode.AUTHENTICATION_FAILED),
    "7000": Result(Meaning.WORKING, final=False),
    "7002": Result(Meaning.WORKING, final=False),
    "8000": Result(Meaning.WAITING, final=False),
    "8200": Result(Meaning.WAITING, final=False),
    "9000": Result(Meaning.AUTHORIZED, final=False),
}

# A refund that MoMo could not make now is asked for again after this long, as a new refund.
REFUND_AGAIN_AFTER_S: Final[dict[str, int]] = {"1080": 3600}

# A word that a repeat cannot change, and that leaves the truth open: the operation is answered,
# and a query says how things stand. (UNKNOWN would have the same bytes sent again.)
_ASK: Final = {
    Meaning.DUPLICATE: OutcomeKind.PENDING,
    Meaning.WORKING: OutcomeKind.PENDING,
    Meaning.UNCLEAR: OutcomeKind.PENDING,
}
_HOLD: Final = {
    **_ASK,
    # Only words that say the hold is gone end it. Any other no leaves it as it was.
    Meaning.CANCELLED: OutcomeKind.DECLINED,
    Meaning.REFUSED: OutcomeKind.PENDING,
    Meaning.BAD_REQUEST: OutcomeKind.PENDING,
    Meaning.NOT_FOUND: OutcomeKind.PENDING,
    Meaning.BUSY: OutcomeKind.PENDING,
    Meaning.CREDENTIALS: OutcomeKind.NOT_DONE,
}

KINDS: Final[dict[Verb, dict[Meaning, OutcomeKind]]] = {
    Verb.CREATE: {
        **_ASK,
        Meaning.DONE: OutcomeKind.ACTION_REQUIRED,  # the link exists; nothing is paid
        Meaning.REFUSED: OutcomeKind.DECLINED,
        Meaning.CANCELLED: OutcomeKind.DECLINED,
        # The requestId is used up by any code that is not final: this attempt ends here, and
        # the shopper may start another one at once.
        Meaning.BUSY: OutcomeKind.DECLINED,
        Meaning.BAD_REQUEST: OutcomeKind.DECLINED,
        Meaning.NOT_FOUND: OutcomeKind.DECLINED,
        Meaning.CREDENTIALS: OutcomeKind.NOT_DONE,
    },
    Verb.QUERY: {
        Meaning.DONE: OutcomeKind.SUCCEEDED,
        Meaning.AUTHORIZED: OutcomeKind.AUTHORIZED,
        Meaning.WAITING: OutcomeKind.UNPAID,
        Meaning.NOT_FOUND: OutcomeKind.UNPAID,
        Meaning.WORKING: OutcomeKind.PENDING,
        Meaning.REFUSED: OutcomeKind.DECLINED,
        Meaning.CANCELLED: OutcomeKind.DECLINED,
        Meaning.BUSY: OutcomeKind.NOT_DONE,
        Meaning.CREDENTIALS: OutcomeKind.NOT_DONE,
    },
    Verb.CAPTURE: {**_HOLD, Meaning.DONE: OutcomeKind.SUCCEEDED},
    # A released hold is a final no to the payment.
    Verb.VOID: {**_HOLD, Meaning.DONE: OutcomeKind.DECLINED},
    Verb.REFUND: {
        **_ASK,
        Meaning.DONE: OutcomeKind.SUCCEEDED,
        Meaning.REFUSED: OutcomeKind.DECLINED,
        Meaning.CANCELLED: OutcomeKind.DECLINED,
        Meaning.BUSY: OutcomeKind.DECLINED,
        Meaning.BAD_REQUEST: OutcomeKind.DECLINED,
        Meaning.NOT_FOUND: OutcomeKind.DECLINED,
        Meaning.REFUND_REFUSED: OutcomeKind.DECLINED,
        Meaning.CREDENTIALS: OutcomeKind.NOT_DONE,
    },
    Verb.QUERY_REFUND: {
        Meaning.DONE: OutcomeKind.SUCCEEDED,
        Meaning.WORKING: OutcomeKind.PENDING,
        Meaning.REFUSED: OutcomeKind.DECLINED,
        Meaning.REFUND_REFUSED: OutcomeKind.DECLINED,
        Meaning.NOT_FOUND: OutcomeKind.UNPAID,
        Meaning.BUSY: OutcomeKind.NOT_DONE,
        Meaning.CREDENTIALS: OutcomeKind.NOT_DONE,
    },
}

# A notification is about the payment; codes about a request do not occur in it.
NOTICE_KINDS: Final[dict[Meaning, OutcomeKind]] = {
    Meaning.DONE: OutcomeKind.SUCCEEDED,
    Meaning.AUTHORIZED: OutcomeKind.AUTHORIZED,
    Meaning.WAITING: OutcomeKind.PENDING,
    Meaning.WORKING: OutcomeKind.PENDING,
    Meaning.REFUSED: OutcomeKind.DECLINED,
    Meaning.CANCELLED: OutcomeKind.DECLINED,
    Meaning.UNCLEAR: OutcomeKind.PENDING,
}

LANGUAGES: Final[dict[str, str]] = {"vi": "vi", "en": "en"}

# transType of a row of the daily file.
SETTLEMENT_KINDS: Final[dict[str, RecordKind]] = {
    "payment": RecordKind.PAYMENT,
    "refund": RecordKind.REFUND,
}
