"""MoMo's answers, read as an ``Outcome``.

The answers are not signed, so every field that repeats one of the request is compared with it: an
answer to another request says nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from gateways.foreign_json import drop_empty, read_text_or_number
from gateways.http import HttpAnswer
from gateways.momo import amounts
from gateways.momo.mapping import KINDS, NOTICE_KINDS, REFUND_AGAIN_AFTER_S, RESULTS, Meaning
from gateways.momo.requests import read_capture
from gateways.operation import CaptureMethod, Json, Operation, Verb
from gateways.outcome import Failure, FailureCode, NextAction, Outcome, OutcomeKind
from gateways.psp_urls import PspUrls
from privacy.redaction import mask_text

_MESSAGE_MAX: Final = 300
# The outcomes that must name a sum and a reference to be believed.
_GOOD: Final = frozenset(
    {OutcomeKind.SUCCEEDED, OutcomeKind.AUTHORIZED, OutcomeKind.ACTION_REQUIRED}
)
_DONE: Final = "0"
_STATUS_SERVER: Final = 500
_STATUS_REDIRECT: Final = 300
_STATUS_REQUEST: Final = 400


def read_answer(operation: Operation, answer: HttpAnswer, psp_urls: PspUrls) -> Outcome:
    """The outcome of ``operation`` by MoMo's answer to it, without the exchange."""
    outcome = _read_status(answer) or _read_body(operation, answer, psp_urls)
    return replace(outcome, retry_after_s=outcome.retry_after_s or answer.retry_after_s)


def read_result(fields: Mapping[str, object]) -> Outcome:
    """The outcome in a verified notification. Values may be numbers or their texts."""
    code = read_text_or_number(fields, "resultCode")
    result = RESULTS.get(code)
    kind = NOTICE_KINDS.get(result.meaning, OutcomeKind.UNKNOWN) if result else OutcomeKind.UNKNOWN
    if kind is OutcomeKind.AUTHORIZED:
        kind = _read_authorized(read_capture(fields.get("extraData")))
    return _outcome(kind, code, fields)


def _read_status(answer: HttpAnswer) -> Outcome | None:
    # No word of MoMo's comes with a redirect, nor with an error that has no code: who sends it
    # is somebody on the way, and may have thrown away the answer to what was done.
    is_elsewhere = _STATUS_REDIRECT <= answer.status < _STATUS_REQUEST
    is_refused = answer.status >= _STATUS_REQUEST
    if is_elsewhere or answer.status >= _STATUS_SERVER or (is_refused and not _code(answer)):
        return Outcome(OutcomeKind.UNKNOWN)
    return None


def _code(answer: HttpAnswer) -> str:
    return read_text_or_number(answer.json() or {}, "resultCode")


def _read_body(operation: Operation, answer: HttpAnswer, psp_urls: PspUrls) -> Outcome:
    content = answer.json()
    if content is not None and operation.verb is Verb.QUERY_REFUND:
        content = _refund_entry(operation, content)
    if content is None or not _echoes(operation, content):
        return Outcome(OutcomeKind.UNKNOWN)
    code = read_text_or_number(content, "resultCode")
    kind = _kind(operation, code, content)
    if (kind in _GOOD or code == _DONE) and answer.status >= _STATUS_REDIRECT:
        kind = OutcomeKind.UNKNOWN
    if kind is OutcomeKind.ACTION_REQUIRED:
        return _link(content, psp_urls)
    return _finish(_outcome(kind, code, content), operation, code)


def _refund_entry(operation: Operation, content: Json) -> Json:
    """The refund asked about out of ``refundTrans``; the answer itself when it lists none."""
    entries = content.get("refundTrans")
    if not isinstance(entries, list):
        return content
    for entry in entries:
        if isinstance(entry, dict) and entry.get("orderId") == operation.refund_reference:
            return {"partnerCode": content.get("partnerCode"), **entry}
    # Zero over a list without our refund says only that the query worked.
    return {} if read_text_or_number(content, "resultCode") == _DONE else content


def _echoes(operation: Operation, content: Json) -> bool:
    """Whether the answer repeats what we asked, as far as it repeats anything.

    A query's requestId is left out: some copies of the manual say that the create's comes back.
    """
    asked = cast("Json", operation.request["body"])
    names = ["orderId"]
    if operation.verb not in {Verb.QUERY, Verb.QUERY_REFUND}:
        names.append("requestId")
    if operation.verb is Verb.CREATE:
        names.append("amount")
    return all(str(content.get(name, asked[name])) == str(asked[name]) for name in names)


def _kind(operation: Operation, code: str, content: Json) -> OutcomeKind:
    result = RESULTS.get(code)
    if result is None:
        return OutcomeKind.UNKNOWN
    if result.meaning is Meaning.UNCLEAR and operation.verb is Verb.QUERY:
        # With a number of MoMo's the code is about the payment, and final; without one it may
        # be the query that failed.
        return OutcomeKind.DECLINED if content.get("transId") else OutcomeKind.UNKNOWN
    kind = KINDS[operation.verb].get(result.meaning, OutcomeKind.UNKNOWN)
    if kind is OutcomeKind.AUTHORIZED:
        return _read_authorized(operation.details.capture)
    return kind


def _read_authorized(capture: CaptureMethod | None) -> OutcomeKind:
    """MoMo's page: 9000 counts as paid when MoMo captures by itself, and as a hold when we do."""
    match capture:
        case CaptureMethod.MANUAL:
            return OutcomeKind.AUTHORIZED
        case CaptureMethod.AUTOMATIC:
            return OutcomeKind.SUCCEEDED
    return OutcomeKind.UNKNOWN


def _outcome(kind: OutcomeKind, code: str, content: Mapping[str, object]) -> Outcome:
    money = amounts.from_wire(content.get("amount"))
    reference = read_text_or_number(content, "orderId")
    if kind in _GOOD and (money is None or not reference):
        kind = OutcomeKind.UNKNOWN
    good = kind in _GOOD
    return Outcome(
        kind,
        money=money,
        reference=reference,
        # On a refusal transId is a clock value, and no number of a payment.
        psp_reference=read_text_or_number(content, "transId") if good else "",
        account=read_text_or_number(content, "partnerCode"),
        failure=_failure(code, content),
        psp_data=_facts(content) if good else {},
    )


def _failure(code: str, content: Mapping[str, object]) -> Failure | None:
    result = RESULTS.get(code)
    if result is None or result.failure is None:
        return None
    return Failure(
        result.failure, code, mask_text(read_text_or_number(content, "message"))[:_MESSAGE_MAX]
    )


def _facts(content: Mapping[str, object]) -> dict[str, str]:
    facts = {
        "trans_id": read_text_or_number(content, "transId"),
        "pay_type": read_text_or_number(content, "payType"),
        "payment_option": read_text_or_number(content, "paymentOption"),
        "refunded": _refunded(content.get("refundTrans")),
    }
    return drop_empty(facts)


def _refunded(entries: object) -> str:
    """What MoMo gave back of this payment, whoever asked for it: in đồng, "" for nothing."""
    listed = entries if isinstance(entries, list) else []
    done = [
        e for e in listed if isinstance(e, dict) and read_text_or_number(e, "resultCode") == _DONE
    ]
    sums = [amounts.from_wire(entry.get("amount")) for entry in done]
    total = sum(money.minor for money in sums if money)
    return str(total) if total else ""


def _finish(outcome: Outcome, operation: Operation, code: str) -> Outcome:
    if operation.verb in {Verb.REFUND, Verb.QUERY_REFUND}:
        # The refund's own numbers must not replace the payment's.
        return replace(outcome, psp_data={}, retry_after_s=REFUND_AGAIN_AFTER_S.get(code))
    if operation.verb is Verb.CAPTURE and operation.details.psp_reference:
        # A confirmation may have a number of its own; the payment keeps the one it has.
        return replace(outcome, psp_reference=operation.details.psp_reference, psp_data={})
    if operation.verb is Verb.VOID and outcome.kind is OutcomeKind.DECLINED:
        return replace(outcome, failure=Failure(FailureCode.CANCELLED, code))
    return outcome


def _link(content: Json, psp_urls: PspUrls) -> Outcome:
    """The page, the QR text and the app link. A page that is not MoMo's is handed to nobody."""
    url = read_text_or_number(content, "payUrl")
    money, reference = (
        amounts.from_wire(content.get("amount")),
        read_text_or_number(content, "orderId"),
    )
    if money is None or not reference or not psp_urls.is_own(url):
        return Outcome(OutcomeKind.UNKNOWN)
    app_url = read_text_or_number(content, "deeplink")
    is_own_app = psp_urls.is_own_app_link(app_url)
    return Outcome(
        OutcomeKind.ACTION_REQUIRED,
        money=money,
        reference=reference,
        account=read_text_or_number(content, "partnerCode"),
        next_action=NextAction(
            url=url,
            qr=read_text_or_number(content, "qrCodeUrl"),
            app_url=app_url if is_own_app else "",
        ),
    )
