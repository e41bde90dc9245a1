"""A refund of PayPal's, by itself or as its order lists it."""

from gateways.operation import Json, Operation, Verb
from gateways.outcome import Failure, FailureCode, Outcome, OutcomeKind
from gateways.paypal import amounts
from gateways.paypal.mapping import REFUND_STATUSES
from gateways.paypal.order import find_payments, first_unit, read_text


def read(operation: Operation, content: Json) -> Outcome:
    """The outcome of a REFUND or a QUERY_REFUND by a 2xx answer."""
    if operation.verb is Verb.QUERY_REFUND and not operation.refund_psp_reference:
        return _find(operation, content)
    is_asked = operation.verb is Verb.QUERY_REFUND
    wanted = operation.refund_reference if is_asked else operation.reference
    known_id = operation.refund_psp_reference if is_asked else ""
    outcome = read_refund(content)
    named = read_references(content)
    # A refund made on PayPal's own pages carries no reference of ours, so none is demanded.
    is_other = bool(named) and bool(wanted) and wanted not in named
    if is_other or (known_id and outcome.psp_reference != known_id):
        return Outcome(OutcomeKind.UNKNOWN)
    return outcome


def read_refund(refund: Json) -> Outcome:
    """What the refund's own fields say."""
    kind = REFUND_STATUSES.get(read_text(refund, "status"), OutcomeKind.UNKNOWN)
    amount = amounts.read(refund.get("amount"))
    refund_id = read_text(refund, "id")
    if not refund_id or (kind is OutcomeKind.SUCCEEDED and amount is None):
        kind = OutcomeKind.UNKNOWN
    status = read_text(refund, "status")
    return Outcome(
        kind,
        money=amount,
        reference=next(iter(read_references(refund)), ""),
        psp_reference=refund_id,
        failure=Failure(FailureCode.DECLINED, status) if kind is OutcomeKind.DECLINED else None,
    )


def read_references(node: Json) -> list[str]:
    """Our reference, wherever PayPal repeats it."""
    found = (read_text(node, "custom_id"), read_text(node, "invoice_id"))
    return [text for text in found if text]


def _find(operation: Operation, order: Json) -> Outcome:
    """Our refund among those that its order lists; none there means that none was made."""
    if read_text(order, "id") != operation.details.psp_reference:
        return Outcome(OutcomeKind.UNKNOWN)
    refunds = find_payments(first_unit(order), "refunds")
    for refund in refunds:
        if operation.refund_reference in read_references(refund):
            return read_refund(refund)
    # One without any reference might be ours.
    is_certain = all(read_references(refund) for refund in refunds)
    return Outcome(OutcomeKind.UNPAID if is_certain else OutcomeKind.UNKNOWN)
