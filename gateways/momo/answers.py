"""What MoMo says, read as an ``Outcome``. Nothing here talks to anybody.

MoMo's answers are not signed, so every field that repeats a question is compared with it: an
answer to something else tells us nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast
from urllib.parse import urlsplit

from gateways.http import HttpAnswer
from gateways.momo.mapping import KINDS, NOTICE_KINDS, REFUND_AGAIN_AFTER_S, RESULTS, Meaning
from gateways.momo.requests import CURRENCY, read_capture
from gateways.operation import CaptureMethod, Json, Operation, Verb
from gateways.outcome import Exchange, Failure, FailureCode, NextAction, Outcome, OutcomeKind
from money.money import Money, MoneyError
from privacy.redaction import mask_text

_MESSAGE_MAX: Final = 300
_AMOUNT_DIGITS_MAX: Final = 18
_MOMO_DOMAIN: Final = "momo.vn"
# The outcomes that must name a sum and a reference to be believed.
_GOOD: Final = frozenset(
    {OutcomeKind.SUCCEEDED, OutcomeKind.AUTHORIZED, OutcomeKind.ACTION_REQUIRED}
)
_DONE: Final = "0"
_HOST: Final = re.compile(r"[a-z0-9.-]+")
_STATUS_SERVER: Final = 500
_STATUS_REDIRECT: Final = 300
_STATUS_REQUEST: Final = 400


def read_answer(
    operation: Operation, answer: HttpAnswer, exchange: Exchange, api_base: str
) -> Outcome:
    """The outcome of ``operation`` by MoMo's answer to it."""
    outcome = _read_status(answer) or _read_body(operation, answer, api_base)
    wait_s = outcome.retry_after_s or answer.retry_after_s
    return replace(outcome, exchange=exchange, retry_after_s=wait_s)


def read_result(fields: Mapping[str, object]) -> Outcome:
    """The outcome that a genuine notification tells. Values may be numbers or their texts."""
    code = _text(fields.get("resultCode"))
    result = RESULTS.get(code)
    kind = NOTICE_KINDS.get(result.meaning, OutcomeKind.UNKNOWN) if result else OutcomeKind.UNKNOWN
    if kind is OutcomeKind.AUTHORIZED:
        kind = _read_authorized(read_capture(fields.get("extraData")))
    return _outcome(kind, code, fields)


def read_money(amount: object) -> Money | None:
    """Whole đồng, as a number or its text; anything else is None."""
    text = str(amount) if type(amount) in {int, str} else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= _AMOUNT_DIGITS_MAX):
        return None
    try:
        return Money(int(text), CURRENCY)
    except MoneyError:
        return None


def _read_status(answer: HttpAnswer) -> Outcome | None:
    # No word of MoMo's comes with a redirect, nor with an error that has no code: who sends it
    # is somebody on the way, and may have thrown away the answer to what was done.
    is_elsewhere = _STATUS_REDIRECT <= answer.status < _STATUS_REQUEST
    is_refused = answer.status >= _STATUS_REQUEST
    if is_elsewhere or answer.status >= _STATUS_SERVER or (is_refused and not _code(answer)):
        return Outcome(OutcomeKind.UNKNOWN)
    return None


def _code(answer: HttpAnswer) -> str:
    return _text((answer.json() or {}).get("resultCode"))


def _read_body(operation: Operation, answer: HttpAnswer, api_base: str) -> Outcome:
    content = answer.json()
    if content is not None and operation.verb is Verb.QUERY_REFUND:
        content = _refund_entry(operation, content)
    if content is None or not _echoes(operation, content):
        return Outcome(OutcomeKind.UNKNOWN)
    code = _text(content.get("resultCode"))
    kind = _kind(operation, code, content)
    if (kind in _GOOD or code == _DONE) and answer.status >= _STATUS_REDIRECT:
        kind = OutcomeKind.UNKNOWN
    if kind is OutcomeKind.ACTION_REQUIRED:
        return _link(content, api_base)
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
    return {} if _text(content.get("resultCode")) == _DONE else content


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
    money = read_money(content.get("amount"))
    reference = _text(content.get("orderId"))
    if kind in _GOOD and (money is None or not reference):
        kind = OutcomeKind.UNKNOWN
    good = kind in _GOOD
    return Outcome(
        kind,
        money=money,
        reference=reference,
        # On a refusal transId is a clock value, and no number of a payment.
        psp_reference=_text(content.get("transId")) if good else "",
        account=_text(content.get("partnerCode")),
        failure=_failure(code, content),
        psp_data=_facts(content) if good else {},
    )


def _failure(code: str, content: Mapping[str, object]) -> Failure | None:
    result = RESULTS.get(code)
    if result is None or result.failure is None:
        return None
    return Failure(result.failure, code, mask_text(_text(content.get("message")))[:_MESSAGE_MAX])


def _facts(content: Mapping[str, object]) -> dict[str, str]:
    facts = {
        "trans_id": _text(content.get("transId")),
        "pay_type": _text(content.get("payType")),
        "payment_option": _text(content.get("paymentOption")),
        "refunded": _refunded(content.get("refundTrans")),
    }
    return {name: value for name, value in facts.items() if value}


def _refunded(entries: object) -> str:
    """What MoMo gave back of this payment, whoever asked for it: in đồng, "" for nothing."""
    listed = entries if isinstance(entries, list) else []
    done = [e for e in listed if isinstance(e, dict) and _text(e.get("resultCode")) == _DONE]
    sums = [read_money(entry.get("amount")) for entry in done]
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


def _link(content: Json, api_base: str) -> Outcome:
    """The page, the QR text and the app link. A page that is not MoMo's is handed to nobody."""
    url = _text(content.get("payUrl"))
    money, reference = read_money(content.get("amount")), _text(content.get("orderId"))
    if money is None or not reference or not _is_momos(url, api_base):
        return Outcome(OutcomeKind.UNKNOWN)
    app_url = _text(content.get("deeplink"))
    app_is_momos = urlsplit(app_url).scheme == "momo" or _is_momos(app_url, api_base)
    return Outcome(
        OutcomeKind.ACTION_REQUIRED,
        money=money,
        reference=reference,
        account=_text(content.get("partnerCode")),
        next_action=NextAction(
            url=url, qr=_text(content.get("qrCodeUrl")), app_url=app_url if app_is_momos else ""
        ),
    )


def _is_momos(url: str, api_base: str) -> bool:
    try:
        parts, base = urlsplit(url), urlsplit(api_base)
    except ValueError:
        return False
    if (parts.scheme, parts.netloc) == (base.scheme, base.netloc):
        return True
    host = parts.hostname or ""
    if parts.scheme != "https" or not _HOST.fullmatch(host):
        return False
    return host == _MOMO_DOMAIN or host.endswith(f".{_MOMO_DOMAIN}")


def _text(value: object) -> str:
    return str(value) if type(value) in {int, str} else ""
