"""What PayPal says, read as an ``Outcome``. Nothing here talks to anybody."""

from dataclasses import replace
from typing import Final

from gateways.http import HttpAnswer
from gateways.operation import Operation, Verb
from gateways.outcome import Failure, FailureCode, NextAction, Outcome, OutcomeKind
from gateways.paypal import mapping, order, refunds
from gateways.paypal.mapping import ErrorMeaning
from gateways.psp_urls import PspUrls
from privacy.redaction import mask_text

_MESSAGE_MAX: Final = 300
_NO_CONTENT: Final = 204
_SUCCESS_MAX: Final = 299
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_CLOSED_DOORS: Final = frozenset({401, 403, 429})
_EXPLICIT: Final = frozenset({400, 422})
# PayPal names no time after "your first request is still running".
_IN_PROGRESS_WAIT_S: Final = 10
# An order that ran out is no longer found: it was not paid. It tells nothing of refunds, though,
# and whatever else was asked for must ask first.
_NOT_THERE: Final = {
    Verb.QUERY: OutcomeKind.UNPAID,
    Verb.QUERY_REFUND: OutcomeKind.UNKNOWN,
}
_REFUND_VERBS: Final = frozenset({Verb.REFUND, Verb.QUERY_REFUND})


def read_answer(operation: Operation, answer: HttpAnswer, psp_urls: PspUrls) -> Outcome:
    """The outcome of ``operation`` by PayPal's answer to it, without the exchange."""
    if answer.status <= _SUCCESS_MAX:
        return _read_success(operation, answer, psp_urls)
    if answer.status in _EXPLICIT:
        return _read_refusal(operation, answer)
    return _read_status(operation, answer)


def _read_success(operation: Operation, answer: HttpAnswer, psp_urls: PspUrls) -> Outcome:
    if operation.verb is Verb.VOID:
        return _read_void(operation, answer)
    content = answer.json()
    if content is None:
        return Outcome(OutcomeKind.UNKNOWN)
    if operation.verb in _REFUND_VERBS:
        return refunds.read(operation, content)
    if "/authorizations/" in str(operation.request["path"]):
        return order.read_capture(operation, content)
    return order.read_order(operation, content, psp_urls)


def _read_void(operation: Operation, answer: HttpAnswer) -> Outcome:
    content = answer.json() or {}
    # Without a body there is nothing that could be about another hold.
    is_ours = content.get("id") == operation.details.psp_data.get("authorization_id")
    is_voided = is_ours and content.get("status") == "VOIDED"
    if answer.status != _NO_CONTENT and not is_voided:
        return Outcome(OutcomeKind.UNKNOWN)
    return Outcome(
        OutcomeKind.DECLINED,
        psp_reference=operation.details.psp_reference,
        failure=Failure(FailureCode.CANCELLED, "VOIDED"),
    )


def _read_refusal(operation: Operation, answer: HttpAnswer) -> Outcome:
    """A 400 or 422, decided on ``details[0].issue`` and ``name`` and never on the text."""
    content = answer.json() or {}
    details = content.get("details")
    first = details[0] if isinstance(details, list) and details else None
    issue = _text(first.get("issue")) if isinstance(first, dict) else ""
    name = _text(content.get("name"))
    meaning = _ruling(operation, issue, name)
    message = mask_text(_text(content.get("message")))[:_MESSAGE_MAX]
    outcome = Outcome(
        meaning.kind,
        psp_reference=_payment_id(operation),
        failure=meaning.read_failure(issue or name, message),
    )
    return _back_to_page(operation, outcome) if issue in mapping.APPROVAL_USED_UP else outcome


def _ruling(operation: Operation, issue: str, name: str) -> ErrorMeaning:
    by_issue, by_name = _TABLES.get(operation.verb, ({}, {}))
    if operation.verb is Verb.CAPTURE and "/authorizations/" in str(operation.request["path"]):
        by_issue, by_name = _OF_HOLD
    return by_issue.get(issue) or by_name.get(name) or ErrorMeaning(OutcomeKind.UNKNOWN)


_OF_HOLD: Final = (mapping.HOLD_ISSUES, mapping.HOLD_NAMES)
_TABLES: Final[dict[Verb, tuple[dict[str, ErrorMeaning], dict[str, ErrorMeaning]]]] = {
    Verb.CREATE: (mapping.CREATE_ISSUES, mapping.CREATE_NAMES),
    Verb.CAPTURE: (mapping.ORDER_ISSUES, {}),
    Verb.VOID: _OF_HOLD,
    Verb.REFUND: (mapping.REFUND_ISSUES, mapping.REFUND_NAMES),
}


def _back_to_page(operation: Operation, outcome: Outcome) -> Outcome:
    """The shopper may choose another way to pay, on the page that they know."""
    url = operation.details.psp_data.get("approve_url", "")
    action = NextAction(url) if url else None
    kind = OutcomeKind.ACTION_REQUIRED if action else outcome.kind
    data = {order.DECLINED_AT: operation.now.isoformat()}
    return replace(outcome, kind=kind, next_action=action, psp_data=data)


def _read_status(operation: Operation, answer: HttpAnswer) -> Outcome:
    if answer.status in _CLOSED_DOORS and (name := _error_name(answer)):
        failure = Failure(FailureCode.INVALID_REQUEST, name)
        return Outcome(OutcomeKind.NOT_DONE, failure=failure, retry_after_s=answer.retry_after_s)
    if answer.status == _CONFLICT:
        wait_s = answer.retry_after_s or _IN_PROGRESS_WAIT_S
        return Outcome(OutcomeKind.UNKNOWN, retry_after_s=wait_s)
    if answer.status == _NOT_FOUND and _is_not_found(answer):
        return Outcome(_NOT_THERE.get(operation.verb, OutcomeKind.PENDING))
    return Outcome(OutcomeKind.UNKNOWN, retry_after_s=answer.retry_after_s)


def _is_not_found(answer: HttpAnswer) -> bool:
    return (answer.json() or {}).get("name") == "RESOURCE_NOT_FOUND"


def _error_name(answer: HttpAnswer) -> str:
    """What PayPal calls its error, "" where it is not PayPal that speaks.

    A filter on the way may answer as well, after the answer to what was done. Many of them
    have an ``error``; PayPal's comes with a description (RFC 6749, 5.2).
    """
    content = answer.json() or {}
    oauth = _text(content.get("error")) if _text(content.get("error_description")) else ""
    return _text(content.get("name")) or oauth


def _payment_id(operation: Operation) -> str:
    return "" if operation.verb in _REFUND_VERBS else operation.details.psp_reference


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
