"""An order of PayPal's, read for what happened to its money."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from gateways.operation import Json, Operation, Verb
from gateways.outcome import Failure, FailureCode, NextAction, Outcome, OutcomeKind
from gateways.paypal import amounts
from gateways.paypal.mapping import (
    AUTHORIZATION_FAILURES,
    AUTHORIZATION_STATUSES,
    CAPTURE_STATUSES,
    ORDER_STATUSES,
    PENDING_FAILURES,
)
from gateways.psp_urls import PspUrls
from money.money import Money, MoneyError

# When the capture of an approved order was declined, in ``psp_data``.
DECLINED_AT: Final = "declined_at"
_USED_UP_FOR: Final = timedelta(minutes=10)
_PAGE_RELS: Final = ("payer-action", "approve")


def read_order(operation: Operation, order: Json, psp_urls: PspUrls) -> Outcome:
    """The outcome that an order's current state tells. Another order's tells nothing."""
    asked = operation.details.psp_reference
    order_id, unit = read_text(order, "id"), first_unit(order)
    captures, holds = find_payments(unit, "captures"), find_payments(unit, "authorizations")
    named = {read_text(node, "custom_id") for node in (unit, *captures, *holds)} - {""}
    if not order_id or order_id != (asked or order_id) or named - {operation.details.reference}:
        return Outcome(OutcomeKind.UNKNOWN)
    outcome = _find_by_payments(captures, holds)
    return replace(
        outcome or _read_status(operation, order, unit, psp_urls),
        reference=next(iter(named), ""),
        psp_reference=order_id,
        account=read_text(child(unit, "payee"), "merchant_id"),
    )


def read_capture(operation: Operation, capture: Json) -> Outcome:
    """The capture of a hold, which PayPal answers by itself and not within its order."""
    named = read_text(capture, "custom_id")
    outcome = _read_captures([capture])
    if outcome is None or named not in {"", operation.details.reference}:
        return Outcome(OutcomeKind.UNKNOWN)
    if outcome.kind is OutcomeKind.DECLINED:
        # The hold may still stand; a query shows it.
        outcome = replace(outcome, kind=OutcomeKind.PENDING)
    return replace(outcome, reference=named, psp_reference=operation.details.psp_reference)


def first_unit(order: Json) -> Json:
    """Our orders have one purchase unit; {} where an answer left it out."""
    units = order.get("purchase_units")
    first = units[0] if isinstance(units, list) and units else None
    return first if isinstance(first, dict) else {}


def find_payments(unit: Json, name: str) -> list[Json]:
    """The captures, authorizations or refunds that a purchase unit lists."""
    listed = child(unit, "payments").get(name)
    return [node for node in listed if isinstance(node, dict)] if isinstance(listed, list) else []


def child(node: Json, name: str) -> Json:
    """The object under ``name``, or {}."""
    value = node.get(name)
    return value if isinstance(value, dict) else {}


def read_text(node: Json, name: str) -> str:
    """The text under ``name``, or ""."""
    value = node.get(name)
    return value if isinstance(value, str) else ""


def _find_by_payments(captures: Sequence[Json], holds: Sequence[Json]) -> Outcome | None:
    captured = _read_captures(captures)
    is_used_up = all(read_text(hold, "status") == "CAPTURED" for hold in holds)
    if captured and (captured.kind is not OutcomeKind.DECLINED or is_used_up):
        return captured
    # A declined capture may leave its hold standing.
    return _read_holds(holds)


def _read_captures(captures: Sequence[Json]) -> Outcome | None:
    """All captures together: money taken beats money on its way beats a no."""
    kinds = [CAPTURE_STATUSES.get(read_text(node, "status")) for node in captures]
    if None in kinds:
        return Outcome(OutcomeKind.UNKNOWN)
    for kind in (OutcomeKind.SUCCEEDED, OutcomeKind.PENDING):
        chosen = [node for node, said in zip(captures, kinds, strict=True) if said is kind]
        if chosen:
            return _read_chosen(kind, chosen)
    return None if not captures else _declined(captures[-1])


def _read_chosen(kind: OutcomeKind, captures: Sequence[Json]) -> Outcome:
    # Two captures are two charges: their sum shows it, where one of them alone would hide it.
    total = _sum(amounts.read(node.get("amount")) for node in captures)
    last = captures[-1]
    reason = read_text(child(last, "status_details"), "reason")
    failure = PENDING_FAILURES.get(reason)
    if total is None:
        return Outcome(OutcomeKind.UNKNOWN)
    return Outcome(
        kind,
        money=total,
        failure=Failure(failure, reason) if failure else None,
        psp_data=_facts(last, reason),
    )


def _facts(capture: Json, reason: str) -> dict[str, str]:
    fee = child(child(capture, "seller_receivable_breakdown"), "paypal_fee")
    facts = {
        "capture_id": read_text(capture, "id"),
        "pending_reason": reason,
        # Missing while the capture is pending, so it may come with a later answer.
        "paypal_fee": f"{read_text(fee, 'value')} {read_text(fee, 'currency_code')}".strip(),
    }
    return {name: value for name, value in facts.items() if value}


def _declined(capture: Json) -> Outcome:
    processor = read_text(child(capture, "processor_response"), "response_code")
    return Outcome(
        OutcomeKind.DECLINED,
        money=amounts.read(capture.get("amount")),
        failure=Failure(FailureCode.DECLINED, processor or read_text(capture, "status")),
    )


def _sum(amounts: Iterable[Money | None]) -> Money | None:
    total: Money | None = None
    for amount in amounts:
        if amount is None:
            return None
        try:
            total = total + amount if total else amount
        except MoneyError:
            return None
    return total


def _read_holds(holds: Sequence[Json]) -> Outcome | None:
    if not holds:
        return None
    # A hold that was renewed at PayPal stands under another id, beside the one before it.
    hold = next((each for each in reversed(holds) if _stands(each)), holds[-1])
    status = read_text(hold, "status")
    kind = AUTHORIZATION_STATUSES.get(status, OutcomeKind.UNKNOWN)
    held = amounts.read(hold.get("amount"))
    if kind is OutcomeKind.AUTHORIZED and held is None:
        return Outcome(OutcomeKind.UNKNOWN)
    failure = AUTHORIZATION_FAILURES.get(status)
    if failure is FailureCode.CANCELLED and _has_run_out(hold):
        failure = FailureCode.EXPIRED
    facts = {
        "authorization_id": read_text(hold, "id"),
        "authorization_expires_at": read_text(hold, "expiration_time"),
    }
    return Outcome(
        kind,
        money=held,
        failure=Failure(failure, status) if failure else None,
        psp_data={name: value for name, value in facts.items() if value},
    )


def _stands(hold: Json) -> bool:
    return AUTHORIZATION_STATUSES.get(read_text(hold, "status")) is OutcomeKind.AUTHORIZED


def _has_run_out(hold: Json) -> bool:
    """Whether PayPal let the hold go because its time was over: its own two times tell."""
    ended, limit = read_text(hold, "update_time"), read_text(hold, "expiration_time")
    try:
        return datetime.fromisoformat(ended) >= datetime.fromisoformat(limit)
    except (TypeError, ValueError):
        return False


def _read_status(operation: Operation, order: Json, unit: Json, psp_urls: PspUrls) -> Outcome:
    """An order with no payment in it: nothing is taken, and nothing is held."""
    status = read_text(order, "status")
    kind = ORDER_STATUSES.get(status, OutcomeKind.UNKNOWN)
    amount = amounts.read(unit.get("amount"))
    if status == "APPROVED":
        return _read_approval(operation, amount)
    if operation.verb is Verb.CREATE and kind is OutcomeKind.UNPAID:
        return _page(operation, order, amount, psp_urls)
    failure = Failure(FailureCode.CANCELLED, status) if kind is OutcomeKind.DECLINED else None
    # PayPal waits for the shopper once more: whatever is approved from now on is new.
    was_declined = kind is OutcomeKind.UNPAID and operation.details.psp_data.get(DECLINED_AT)
    data = {DECLINED_AT: ""} if was_declined else {}
    return Outcome(kind, money=amount, failure=failure, psp_data=data)


def _read_approval(operation: Operation, amount: Money | None) -> Outcome:
    """The shopper has agreed; only our capture takes the money, so it must follow.

    It is "unpaid" by PayPal's own word, which lets somebody who cancelled be let go.
    """
    if operation.verb is Verb.CAPTURE:
        return Outcome(OutcomeKind.PENDING, money=amount)
    is_used_up = _was_just_declined(operation)
    next_verb = None if is_used_up else Verb.CAPTURE
    return Outcome(OutcomeKind.UNPAID, money=amount, next_verb=next_verb)


def _was_just_declined(operation: Operation) -> bool:
    """Whether an approval met a decline a moment ago, and may be that same one still.

    An order does not say when it was approved; an event tells of each approval by itself, and
    leads to a capture at once. Without it we try again after a while.
    """
    declined_at = operation.details.psp_data.get(DECLINED_AT, "")
    return bool(declined_at) and operation.now < datetime.fromisoformat(declined_at) + _USED_UP_FOR


def _page(operation: Operation, order: Json, amount: Money | None, psp_urls: PspUrls) -> Outcome:
    url = _page_url(order, psp_urls)
    if not url or amount not in {None, operation.details.money}:
        return Outcome(OutcomeKind.UNKNOWN)
    return Outcome(
        OutcomeKind.ACTION_REQUIRED,
        money=amount,
        next_action=NextAction(url),
        psp_data={"approve_url": url},
    )


def _page_url(order: Json, psp_urls: PspUrls) -> str:
    """The page to send the shopper to, under whichever of its two names; "" if not PayPal's."""
    links = order.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") in _PAGE_RELS:
            url = read_text(link, "href")
            return url if psp_urls.is_own(url) else ""
    return ""
