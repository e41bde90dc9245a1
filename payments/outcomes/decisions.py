"""What one piece of evidence does to one transaction. Pure: no database, no clock, no network.

``decide`` may be given the same evidence again, in any order, by any way it can reach us; the
same facts always lead to the same end.
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
    """What is to be done."""

    SUCCEED = auto()
    AUTHORIZE = auto()
    FAIL = auto()
    KEEP_OPEN = auto()  # still open: keep what is new, and look again later
    REPEAT = auto()  # nothing that we do not know already
    MISMATCH = auto()  # other money than we asked for: a case, and no change of state
    CONFLICT = auto()  # cannot be true together with what we know: a case


@dataclass(frozen=True, slots=True)
class TransactionSnapshot:
    """What a decision needs to know of a transaction; all of it frozen or read under its lock."""

    status: Status
    money: Money
    account: str
    live_mode: bool
    reference: str
    manual_capture: bool
    psp_reference: str
    expires_at: datetime
    expiry_margin: timedelta
    capture_money: Money | None = None  # what a hold was asked to take
    cancel_code: str = ""  # not empty: somebody asked for its end
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
    """Rule on ``outcome``, which tells how things stood at ``as_of``."""
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
    # A no names its amount where the gateway says one.
    said = replace(outcome, money=outcome.money or snapshot.money)
    if differences := _differences(snapshot, said, snapshot.money):
        # Not even a no is believed when it is about other money.
        return Decision(Action.MISMATCH, differences=differences)
    failure = outcome.failure or Failure(FailureCode.DECLINED)
    wanted = failure.code in {FailureCode.CANCELLED, FailureCode.EXPIRED}
    if snapshot.cancel_code and wanted:
        failure = _ended_as_asked(snapshot, failure)
    return Decision(Action.FAIL, failure=failure)


def _on_unpaid(snapshot: TransactionSnapshot, outcome: Outcome, as_of: datetime) -> Decision:
    """An "unpaid" ends a transaction only where somebody asked for its end, or its link is over."""
    if snapshot.status not in LIVE:
        return REPEAT
    said = outcome.failure or Failure(FailureCode.EXPIRED)
    if _observed_after_cancel(snapshot, as_of):
        return Decision(Action.FAIL, failure=_ended_as_asked(snapshot, said))
    if as_of >= snapshot.expires_at + snapshot.expiry_margin:
        expired = Failure(FailureCode.EXPIRED, said.gateway_code, said.message)
        return Decision(Action.FAIL, failure=expired)
    return KEEP_OPEN


def _observed_after_cancel(snapshot: TransactionSnapshot, as_of: datetime) -> bool:
    """Whether its end was wanted by then: what was unpaid before may have been paid since."""
    asked_at = snapshot.cancel_requested_at
    return bool(snapshot.cancel_code) and (asked_at is None or as_of >= asked_at)


def _on_open(snapshot: TransactionSnapshot, outcome: Outcome, as_of: datetime) -> Decision:
    return KEEP_OPEN if snapshot.status in LIVE else REPEAT


def _ended_as_asked(snapshot: TransactionSnapshot, said: Failure) -> Failure:
    return Failure(FailureCode(snapshot.cancel_code), said.gateway_code, said.message)


def _differences(
    snapshot: TransactionSnapshot, outcome: Outcome, expected: Money
) -> dict[str, str]:
    """The gateway's money against what we asked for: checked, not believed."""
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
        name: f"{theirs}, not {ours}" for name, (theirs, ours) in pairs.items() if theirs != ours
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
