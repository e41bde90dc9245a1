"""The IPN: VNPAY calls us (GET, signed query string) and reads RspCode and Message."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from gateways.outcome import Failure, FailureCode, Outcome, OutcomeKind
from gateways.vnpay import amounts, formats, mapping, responses, signing
from gateways.webhook import Answer, Delivery, Notice, WebhookRefused, WebhookResult

# What identifies an IPN; VNPAY gives its events no ids.
_EVENT_FIELDS: Final = (
    "vnp_TxnRef",
    "vnp_TransactionNo",
    "vnp_ResponseCode",
    "vnp_TransactionStatus",
    "vnp_Amount",
)


def read(query_string: str, secrets: tuple[str, ...]) -> Notice:
    """Verify and parse one IPN. Raises WebhookRefused."""
    values = signing.verified_params(query_string, secrets)
    if values is None:
        raise WebhookRefused("vnp_SecureHash does not fit")
    event = signing.joined(_EVENT_FIELDS, values)
    return Notice(
        event_id=hashlib.sha256(event.encode()).hexdigest(),
        event_type="ipn",
        reference=values.get("vnp_TxnRef", ""),
        psp_reference=responses.read_transaction_no(values),
        outcome=_outcome(values),
    )


def _make_answer(code: str, message: str) -> Answer:
    """HTTP 200 with exactly the two keys VNPAY reads."""
    body = json.dumps({"RspCode": code, "Message": message})
    return Answer(200, body, "application/json")


ANSWERS: Final[dict[WebhookResult, Answer]] = {
    result: _make_answer(code, message) for result, (code, message) in mapping.IPN_ANSWERS.items()
}


def sample(secret: str, now: datetime) -> Delivery:
    """An IPN about no payment."""
    query = signing.canonical_query(
        {"vnp_TxnRef": "sample", "vnp_PayDate": formats.date_to_wire(now)}
    )
    signed = f"{query}&vnp_SecureHash={signing.sign(query, secret)}"
    return Delivery(body=b"", query_string=signed, headers={}, received_at=now)


def _outcome(values: Mapping[str, str]) -> Outcome:
    money = amounts.from_wire(values.get("vnp_Amount", ""))
    kind, failure_code = _read_codes(
        values.get("vnp_ResponseCode", ""), values.get("vnp_TransactionStatus", "")
    )
    failure = None
    if failure_code is not None:
        failure = Failure(failure_code, values.get("vnp_ResponseCode", ""))
    return Outcome(
        kind if money is not None else OutcomeKind.UNKNOWN,
        money=money,
        reference=values.get("vnp_TxnRef", ""),
        psp_reference=responses.read_transaction_no(values),
        account=values.get("vnp_TmnCode", ""),
        failure=failure,
        psp_data=responses.read_facts(values),
    )


def _read_codes(code: str, status: str) -> tuple[OutcomeKind, FailureCode | None]:
    """Paid only when both codes say so; a no only when neither contradicts it."""
    if mapping.SUSPECTED_FRAUD in {code, status}:
        return OutcomeKind.PENDING, FailureCode.SUSPECTED_FRAUD
    if code == mapping.SUCCESS and status == mapping.STATUS_PAID:
        return OutcomeKind.SUCCEEDED, None
    if code == mapping.SUCCESS and status == mapping.STATUS_NOT_COMPLETED:
        return OutcomeKind.PENDING, None
    if code in mapping.PAYMENT_FAILURES and status in _believable_statuses(code):
        return OutcomeKind.DECLINED, mapping.PAYMENT_FAILURES[code]
    return OutcomeKind.UNKNOWN, None


def _believable_statuses(code: str) -> frozenset[str]:
    if code == mapping.UNSPECIFIC_FAILURE:
        return frozenset({mapping.STATUS_FAILED})
    return frozenset({mapping.STATUS_FAILED, mapping.STATUS_NOT_COMPLETED})
