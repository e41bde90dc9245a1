"""What one piece of evidence does to one payment. Pure: no database, no clock, no network.

``decide`` may get the same evidence again, in any order and from any source; the same facts
always lead to the same end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from gateways.outcome import Failure, FailureCode, Outcome, OutcomeKind
from money.money import Money
from payments.states import LIVE, Status


class Action(Enum):
    """What evidence does to a payment."""

    SUCCEED = auto()
    AUTHORIZE = auto()
    FAIL = auto()
    KEEP_OPEN = auto()  # still open: store what is new, and query again later
    REPEAT = auto()  # nothing new
    MISMATCH = auto()  # other money than requested: a case, and no change of state
    CONFLICT = auto()  # contradicts what we know: a case, and no change of state


@dataclass(frozen=True, slots=True)
class TransactionSnapshot:
    """The facts of a payment that a decision needs, each frozen or read under its lock."""

    status: Status
    money: Money
    account: str
    live_mode: bool
    reference: str
    manual_capture: bool
    psp_reference: str
    expires_at: datetime
    expiry_margin: timedelta
    capture_money: Money | None = None  # the requested capture of a hold
    cancel_code: str = ""  # not empty: its end was requested
    cancel_requested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The action, why (on FAIL), and what differs (on MISMATCH and CONFLICT)."""

    action: Action
    failure: Failure | None = None
    differences: Mapping[str, str] = field(default_factory=dict)


REPEAT: Final = Decision(Action.REPEAT)
KEEP_OPEN: Final = Decision(Action.KEEP_OPEN)


def decide(snapshot: TransactionSnapshot, outcome: Outcome, as_of: datetime) -> Decision:
    """The decision on ``outcome``, which describes the payment as it was at ``as_of``."""
    return _RULES[outcome.kind](snapshot, outcome, as_of)


def _on_succeeded(snapshot: TransactionSnapshot, outcome: Outcome, as_of: datetime) -> Decision:
    expected = snapshot.capture_money or snapshot.money
    differences = _differences(snapshot, outcome, expected)
    if not (outcome.psp_reference or snapshot.psp_reference):
        differences["psp_reference"] = "the gateway gave the payment no id"
    if differences:
        return Decision(Action.MISMATCH, differences=differences)
    if snapshot.status == Status.SUCCESS:
        return _same_charge_or_conflict(snapshot, outcome)
    if snapshot.status == Status.PENDING:
        return Decision(Action.CONFLICT, differences={"status": "paid before we asked for it"})
    return Decision(Action.SUCCEED)


def _same_charge_or_conflict(snapshot: TransactionSnapshot, outcome: Outcome) -> Decision:
    """Two ids for one reference are two charges: the second one needs a person."""
    if outcome.psp_reference in {"", snapshot.psp_reference}:
        return REPEAT
    return Decision(
        Action.CONFLICT,
        differences={"psp_reference": f"{outcome.psp_reference}, not {snapshot.psp_reference}"},
    )


def _on_authorized(snapshot: TransactionSnapshot, outcome: Outcome, as_of: datetime) -> Decision:
    differences = _differences(snapshot, outcome, snapshot.money)
    if not snapshot.manual_capture:
        differences["capture"] = "held, though it should have been taken"
    if differences:
        return Decision(Action.MISMATCH, differences=differences)
    if snapshot.status == Status.PROCESSING:
        return Decision(Action.AUTHORIZE)
    if snapshot.status == Status.FAILED:
        return Decision(Action.CONFLICT, differences={"status": "held after the payment ended"})
    return REPEAT


def _on_declined(snapshot: TransactionSnapshot, outcome: Outcome, as_of: datetime) -> Decision:
    if snapshot.status not in {Status.PROCESSING, Status.AUTHORIZED}:
        return REPEAT
    # Not every gateway names the amount of a decline.
    said = replace(outcome, money=outcome.money or snapshot.money)
    if differences := _differences(snapshot, said, snapshot.money):
        # A decline of other money is no decline of this payment.
        return Decision(Action.MISMATCH, differences=differences)
    failure = outcome.failure or Failure(FailureCode.DECLINED)
    may_be_ours = failure.code in {FailureCode.CANCELLED, FailureCode.EXPIRED}
    if snapshot.cancel_code and may_be_ours:
        failure = _failure_as_requested(snapshot, failure)
    return Decision(Action.FAIL, failure=failure)


def _on_unpaid(snapshot: TransactionSnapshot, outcome: Outcome, as_of: datetime) -> Decision:
    """An "unpaid" ends a payment only where its end was requested, or its link has expired."""
    if snapshot.status not in LIVE:
        return REPEAT
    said = outcome.failure or Failure(FailureCode.EXPIRED)
    if _observed_after_cancel(snapshot, as_of):
        return Decision(Action.FAIL, failure=_failure_as_requested(snapshot, said))
    if as_of >= snapshot.expires_at + snapshot.expiry_margin:
        expired = Failure(FailureCode.EXPIRED, said.gateway_code, said.message)
        return Decision(Action.FAIL, failure=expired)
    return KEEP_OPEN


def _observed_after_cancel(snapshot: TransactionSnapshot, as_of: datetime) -> bool:
    """True when the end had been requested by then; an earlier "unpaid" may be outdated."""
    requested_at = snapshot.cancel_requested_at
    return bool(snapshot.cancel_code) and (requested_at is None or as_of >= requested_at)


def _on_open(snapshot: TransactionSnapshot, outcome: Outcome, as_of: datetime) -> Decision:
    return KEEP_OPEN if snapshot.status in LIVE else REPEAT


def _failure_as_requested(snapshot: TransactionSnapshot, said: Failure) -> Failure:
    return Failure(FailureCode(snapshot.cancel_code), said.gateway_code, said.message)


def _differences(
    snapshot: TransactionSnapshot, outcome: Outcome, expected: Money
) -> dict[str, str]:
    """Where the gateway's facts differ from what was frozen before the call, by name."""
    said = outcome.money
    pairs = {
        "amount": (said.minor if said else None, expected.minor),
        "currency": (said.currency if said else None, expected.currency),
        "account": (outcome.account or snapshot.account, snapshot.account),
        "live_mode": (
            snapshot.live_mode if outcome.live is None else outcome.live,
            snapshot.live_mode,
        ),
        "reference": (outcome.reference or snapshot.reference, snapshot.reference),
    }
    return {
        name: f"{actual}, not {frozen}"
        for name, (actual, frozen) in pairs.items()
        if actual != frozen
    }


_RULES: Final[
    Mapping[OutcomeKind, Callable[[TransactionSnapshot, Outcome, datetime], Decision]]
] = {
    OutcomeKind.SUCCEEDED: _on_succeeded,
    OutcomeKind.AUTHORIZED: _on_authorized,
    OutcomeKind.DECLINED: _on_declined,
    OutcomeKind.UNPAID: _on_unpaid,
    OutcomeKind.ACTION_REQUIRED: _on_open,
    OutcomeKind.PENDING: _on_open,
    OutcomeKind.NOT_DONE: _on_open,
    OutcomeKind.UNKNOWN: _on_open,
}
