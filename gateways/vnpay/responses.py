"""The answers to querydr and refund, read as an Outcome.

An answer that is not signed moves nothing, with two exceptions that cost no money when they are
wrong: "not found" (an abandoned payment, which late money revives) and refused credentials (who
has the wrong secret cannot check a signature either).
"""

from collections.abc import Mapping
from typing import Final

from gateways.http import HttpAnswer
from gateways.operation import Json, Operation, Verb
from gateways.outcome import Failure, FailureCode, Outcome, OutcomeKind
from gateways.vnpay import amounts, mapping, signing

_HTTP_OK: Final = 200
# VNPAY's limit for a second question about one reference.
_DUPLICATE_WAIT_S: Final = 300
_UNSIGNED_KINDS: Final = frozenset({OutcomeKind.NOT_DONE, OutcomeKind.UNPAID})


def read_answer(operation: Operation, answer: HttpAnswer, secrets: tuple[str, ...]) -> Outcome:
    """The outcome of one call, without the exchange. An answer in doubt is UNKNOWN."""
    content = answer.json()
    if answer.status != _HTTP_OK or content is None:
        return Outcome(OutcomeKind.UNKNOWN, retry_after_s=answer.retry_after_s)
    values = _as_texts(content)
    is_signed = _is_signed(operation.verb, values, secrets)
    outcome = _interpret(operation, values)
    if not is_signed and not _may_be_unsigned(outcome, values):
        return Outcome(OutcomeKind.UNKNOWN)
    return outcome


def read_facts(values: Mapping[str, str]) -> dict[str, str]:
    """The facts that are stored with the payment, under our names."""
    return {ours: values[theirs] for theirs, ours in mapping.FACTS.items() if values.get(theirs)}


def read_transaction_no(values: Mapping[str, str]) -> str:
    """VNPAY's number of the transaction; "0" stands for none."""
    return values.get("vnp_TransactionNo", "").strip("0") and values["vnp_TransactionNo"]


def _interpret(operation: Operation, values: Mapping[str, str]) -> Outcome:
    if operation.verb is Verb.REFUND:
        return _interpret_refund(operation, values)
    if values.get("vnp_ResponseCode") != mapping.SUCCESS:
        return _interpret_query_code(values)
    if values.get("vnp_TxnRef") != operation.details.reference:
        return Outcome(OutcomeKind.UNKNOWN)
    if operation.verb is Verb.QUERY_REFUND:
        return _interpret_refund_query(operation, values)
    return _interpret_query(values)


def _interpret_query_code(values: Mapping[str, str]) -> Outcome:
    code = values.get("vnp_ResponseCode", "")
    wait_s = _DUPLICATE_WAIT_S if code == mapping.DUPLICATE_REQUEST else None
    kind = mapping.QUERY_CODES.get(code, OutcomeKind.UNKNOWN)
    return Outcome(kind, reference=values.get("vnp_TxnRef", ""), retry_after_s=wait_s)


def _interpret_query(values: Mapping[str, str]) -> Outcome:
    """The query worked: what it says about the payment, if it is about the payment."""
    status = values.get("vnp_TransactionStatus", "")
    money = amounts.from_wire(values.get("vnp_Amount", ""))
    kind = mapping.QUERY_STATUSES.get(status, OutcomeKind.UNKNOWN)
    if money is None or values.get("vnp_TransactionType") != mapping.TYPE_PAYMENT:
        kind = OutcomeKind.UNKNOWN
    return Outcome(
        kind,
        money=money,
        reference=values["vnp_TxnRef"],
        psp_reference=read_transaction_no(values),
        account=values.get("vnp_TmnCode", ""),
        failure=_failure(kind, status),
        psp_data=read_facts(values),
    )


def _failure(kind: OutcomeKind, status: str) -> Failure | None:
    """Why not, without ``vnp_Message``: that one says "success", and means the question."""
    if kind is OutcomeKind.DECLINED:
        return Failure(FailureCode.DECLINED, status)
    return Failure(FailureCode.SUSPECTED_FRAUD, status) if kind is OutcomeKind.PENDING else None


def _interpret_refund(operation: Operation, values: Mapping[str, str]) -> Outcome:
    code = values.get("vnp_ResponseCode", "")
    if code == mapping.SUCCESS:
        if values.get("vnp_TxnRef") != operation.details.reference:
            return Outcome(OutcomeKind.UNKNOWN)
        return _accepted_refund(operation.reference, values)
    kind = mapping.REFUND_CODES.get(code, OutcomeKind.UNKNOWN)
    return Outcome(
        kind,
        reference=operation.reference,
        account=values.get("vnp_TmnCode", ""),
        failure=_refund_failure(kind, code, values),
        psp_data=read_facts(values),
    )


def _accepted_refund(reference: str, values: Mapping[str, str]) -> Outcome:
    status = values.get("vnp_TransactionStatus", "")
    money = amounts.from_wire(values.get("vnp_Amount", ""))
    kind = mapping.REFUND_STATUSES.get(status, OutcomeKind.UNKNOWN)
    if money is None:
        kind = OutcomeKind.UNKNOWN
    return Outcome(
        kind,
        money=money,
        reference=reference,
        psp_reference=read_transaction_no(values),
        account=values.get("vnp_TmnCode", ""),
        failure=_refund_failure(kind, status, values),
        psp_data=read_facts(values),
    )


def _interpret_refund_query(operation: Operation, values: Mapping[str, str]) -> Outcome:
    """VNPAY finds payments by reference, not refunds by request: only a sure match counts."""
    outcome = _accepted_refund(operation.refund_reference, values)
    if outcome.money != operation.money or not _is_that_refund(operation, outcome, values):
        return Outcome(OutcomeKind.UNKNOWN, reference=operation.refund_reference)
    return outcome


def _is_that_refund(operation: Operation, outcome: Outcome, values: Mapping[str, str]) -> bool:
    kind = values.get("vnp_TransactionType")
    if kind not in {mapping.TYPE_REFUND_FULL, mapping.TYPE_REFUND_PARTIAL}:
        return False
    if operation.refund_psp_reference:
        return operation.refund_psp_reference == outcome.psp_reference
    # Nothing names the refund. A payment is given back whole once; parts of the same amount, and
    # tries that VNPAY refused, may be many.
    return kind == mapping.TYPE_REFUND_FULL and outcome.kind is OutcomeKind.SUCCEEDED


def _refund_failure(kind: OutcomeKind, code: str, values: Mapping[str, str]) -> Failure | None:
    if kind is not OutcomeKind.DECLINED:
        return None
    return Failure(FailureCode.INVALID_REQUEST, code, values.get("vnp_Message", ""))


def _is_signed(verb: Verb, values: Mapping[str, str], secrets: tuple[str, ...]) -> bool:
    fields = signing.REFUND_ANSWER_FIELDS if verb is Verb.REFUND else signing.QUERY_ANSWER_FIELDS
    signature = values.get("vnp_SecureHash", "")
    return signing.is_signed(signing.joined(fields, values), signature, secrets)


def _may_be_unsigned(outcome: Outcome, values: Mapping[str, str]) -> bool:
    # A signature that is there and wrong is a forgery or a mistake; it is never looked past,
    # but for credentials, where a wrong secret is exactly what both sides then see.
    if outcome.kind is OutcomeKind.UNPAID:
        return not values.get("vnp_SecureHash")
    return outcome.kind in _UNSIGNED_KINDS


def _as_texts(content: Json) -> dict[str, str]:
    # Captured answers hold strings only; a number among them is signed in its plain form.
    return {
        name: value if isinstance(value, str) else str(value)
        for name, value in content.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    }
