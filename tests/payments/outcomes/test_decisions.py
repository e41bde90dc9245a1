"""One piece of evidence on one payment, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.outcome import Failure, FailureCode, Outcome, OutcomeKind
from money.money import Money
from payments.outcomes.decisions import Action, Decision, TransactionSnapshot, decide
from payments.states import LEGAL_MOVES, LIVE, Status

PRICE = Money(150_000, "VND")
EXPIRES_AT = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
BEFORE_EXPIRY = EXPIRES_AT - timedelta(minutes=5)
AFTER_MARGIN = EXPIRES_AT + timedelta(minutes=15)


def standing(status: Status = Status.PROCESSING, **changes: Any) -> TransactionSnapshot:
    return replace(
        TransactionSnapshot(
            status=status,
            money=PRICE,
            account="SHOP0001",
            live_mode=False,
            reference="0199f1d2c3b47a5e8f90123456789abc",
            manual_capture=False,
            psp_reference="psp-1" if status == Status.SUCCESS else "",
            expires_at=EXPIRES_AT,
            expiry_margin=timedelta(minutes=15),
        ),
        **changes,
    )


def said(kind: OutcomeKind, **changes: Any) -> Outcome:
    money = PRICE if kind in {OutcomeKind.SUCCEEDED, OutcomeKind.AUTHORIZED} else None
    return replace(Outcome(kind, money=money, psp_reference="psp-1"), **changes)


def action(before: TransactionSnapshot, outcome: Outcome, now: datetime = BEFORE_EXPIRY) -> Action:
    return decide(before, outcome, now).action


PAID = said(OutcomeKind.SUCCEEDED)
HELD = said(OutcomeKind.AUTHORIZED)
NO = said(OutcomeKind.DECLINED, failure=Failure(FailureCode.INSUFFICIENT_FUNDS, "51"))


class TestMoneyTaken:
    @pytest.mark.parametrize("status", [Status.PROCESSING, Status.AUTHORIZED, Status.FAILED])
    def test_succeeds_from_every_status_in_which_we_had_asked(self, status: Status) -> None:
        assert action(standing(status), PAID) is Action.SUCCEED

    def test_is_a_repeat_when_it_is_the_same_charge(self) -> None:
        assert action(standing(Status.SUCCESS), PAID) is Action.REPEAT

    def test_is_a_conflict_when_it_is_a_second_charge(self) -> None:
        second = replace(PAID, psp_reference="psp-2")
        decision = decide(standing(Status.SUCCESS), second, BEFORE_EXPIRY)
        assert decision == Decision(
            Action.CONFLICT, differences={"psp_reference": "psp-2, not psp-1"}
        )

    def test_is_a_conflict_before_anything_was_sent(self) -> None:
        assert action(standing(Status.PENDING), PAID) is Action.CONFLICT

    @pytest.mark.parametrize(
        ("change", "name"),
        [
            ({"money": Money(149_999, "VND")}, "amount"),
            ({"money": Money(150_001, "VND")}, "amount"),
            ({"money": Money(0, "VND")}, "amount"),
            ({"money": Money(150_000, "USD")}, "currency"),
            ({"money": None}, "amount"),
            ({"account": "OTHER001"}, "account"),
            ({"live": True}, "live_mode"),
            ({"reference": "f" * 32}, "reference"),
            ({"psp_reference": ""}, "psp_reference"),
        ],
    )
    @pytest.mark.parametrize("status", [Status.PROCESSING, Status.FAILED])
    def test_is_a_mismatch_whatever_differs(
        self, status: Status, change: dict[str, Any], name: str
    ) -> None:
        decision = decide(standing(status), replace(PAID, **change), BEFORE_EXPIRY)
        assert decision.action is Action.MISMATCH
        assert name in decision.differences

    def test_needs_no_fact_that_a_gateway_does_not_send(self) -> None:
        silent = replace(PAID, account="", live=None, reference="")
        assert action(standing(), silent) is Action.SUCCEED

    def test_may_lack_the_psp_reference_where_we_know_it(self) -> None:
        known = standing(psp_reference="psp-1")
        assert action(known, replace(PAID, psp_reference="")) is Action.SUCCEED


class TestMoneyHeld:
    def test_authorizes_where_a_later_capture_was_asked_for(self) -> None:
        assert action(standing(manual_capture=True), HELD) is Action.AUTHORIZE

    def test_is_a_mismatch_where_it_should_have_been_taken(self) -> None:
        assert action(standing(), HELD) is Action.MISMATCH

    def test_is_a_conflict_after_the_end(self) -> None:
        ended = standing(Status.FAILED, manual_capture=True)
        assert action(ended, HELD) is Action.CONFLICT

    @pytest.mark.parametrize("status", [Status.AUTHORIZED, Status.SUCCESS])
    def test_repeats_what_we_know(self, status: Status) -> None:
        assert action(standing(status, manual_capture=True), HELD) is Action.REPEAT


class TestDecline:
    def test_fails_with_the_gateways_reason(self) -> None:
        assert decide(standing(), NO, BEFORE_EXPIRY) == Decision(
            Action.FAIL, failure=Failure(FailureCode.INSUFFICIENT_FUNDS, "51")
        )

    @pytest.mark.parametrize("status", [Status.PENDING, Status.SUCCESS, Status.FAILED])
    def test_changes_nothing_elsewhere(self, status: Status) -> None:
        assert action(standing(status), NO) is Action.REPEAT

    def test_is_not_believed_about_other_money(self) -> None:
        assert action(standing(), replace(NO, money=Money(1, "VND"))) is Action.MISMATCH

    @pytest.mark.parametrize("code", [FailureCode.CANCELLED, FailureCode.EXPIRED])
    def test_gets_the_failure_code_of_the_request(self, code: FailureCode) -> None:
        asked = standing(cancel_code="superseded")
        decision = decide(asked, replace(NO, failure=Failure(code, "24")), BEFORE_EXPIRY)
        assert decision.failure == Failure(FailureCode.SUPERSEDED, "24")

    def test_keeps_its_own_reason_where_nobody_caused_it(self) -> None:
        decision = decide(standing(cancel_code="cancelled"), NO, BEFORE_EXPIRY)
        assert decision.failure == Failure(FailureCode.INSUFFICIENT_FUNDS, "51")


class TestUnpaid:
    UNPAID = said(OutcomeKind.UNPAID)

    def test_ends_nothing_while_the_link_lives(self) -> None:
        assert action(standing(), self.UNPAID) is Action.KEEP_OPEN

    def test_ends_nothing_within_the_margin_after_the_link(self) -> None:
        almost = AFTER_MARGIN - timedelta(microseconds=1)
        assert action(standing(), self.UNPAID, almost) is Action.KEEP_OPEN

    def test_ends_as_expired_after_the_margin(self) -> None:
        decision = decide(standing(), self.UNPAID, AFTER_MARGIN)
        assert decision.action is Action.FAIL
        assert decision.failure == Failure(FailureCode.EXPIRED)

    def test_ends_at_once_where_somebody_asked_for_the_end(self) -> None:
        decision = decide(standing(cancel_code="superseded"), self.UNPAID, BEFORE_EXPIRY)
        assert decision.failure == Failure(FailureCode.SUPERSEDED)

    def test_does_not_answer_a_request_that_came_after_it(self) -> None:
        moment = timedelta(microseconds=1)
        asked = standing(cancel_code="superseded", cancel_requested_at=BEFORE_EXPIRY)
        assert action(asked, self.UNPAID, BEFORE_EXPIRY - moment) is Action.KEEP_OPEN
        assert action(asked, self.UNPAID, BEFORE_EXPIRY) is Action.FAIL

    @pytest.mark.parametrize("status", [Status.SUCCESS, Status.FAILED])
    def test_never_moves_an_end(self, status: Status) -> None:
        assert action(standing(status), self.UNPAID, AFTER_MARGIN) is Action.REPEAT


class TestNoAnswer:
    @pytest.mark.parametrize(
        "kind",
        [OutcomeKind.UNKNOWN, OutcomeKind.NOT_DONE, OutcomeKind.PENDING,
         OutcomeKind.ACTION_REQUIRED],
    )  # fmt: skip
    @pytest.mark.parametrize("now", [BEFORE_EXPIRY, AFTER_MARGIN + timedelta(days=30)])
    def test_never_ends_a_payment_however_late(self, kind: OutcomeKind, now: datetime) -> None:
        assert action(standing(), said(kind), now) is Action.KEEP_OPEN


AMOUNTS = st.sampled_from([PRICE, Money(1, "VND"), Money(150_000, "USD")])
OUTCOMES = st.one_of(
    st.builds(
        Outcome,
        st.sampled_from(OutcomeKind),
        money=st.one_of(st.none(), AMOUNTS),
        psp_reference=st.sampled_from(["", "psp-1", "psp-2"]),
        account=st.sampled_from(["", "SHOP0001", "OTHER001"]),
        live=st.sampled_from([None, False, True]),
        failure=st.sampled_from([None, Failure(FailureCode.DECLINED)]),
    ),
    st.sampled_from([PAID, HELD, NO]),
)
# A success without an id goes to a person (see above), who ends what evidence alone cannot.
NAMED = OUTCOMES.filter(lambda o: o.kind is not OutcomeKind.SUCCEEDED or o.psp_reference)
STANDINGS = st.builds(
    standing,
    st.sampled_from(Status),
    manual_capture=st.booleans(),
    cancel_code=st.sampled_from(["", "cancelled", "superseded"]),
)


class TestAnyEvidence:
    @given(STANDINGS, OUTCOMES, st.sampled_from([BEFORE_EXPIRY, AFTER_MARGIN]))
    def test_only_ever_moves_along_the_table(
        self, before: TransactionSnapshot, outcome: Outcome, now: datetime
    ) -> None:
        after = _after(before, outcome, now).status
        assert after == before.status or after in LEGAL_MOVES[before.status]

    @given(STANDINGS, OUTCOMES)
    def test_never_succeeds_on_other_money(
        self, before: TransactionSnapshot, outcome: Outcome
    ) -> None:
        if outcome.money != PRICE:
            assert action(before, outcome) is not Action.SUCCEED

    @given(st.data())
    def test_ends_the_same_in_every_order_and_however_often(self, data: st.DataObject) -> None:
        start = data.draw(
            st.builds(
                standing, st.just(Status.PROCESSING), manual_capture=st.booleans(),
                cancel_code=st.sampled_from(["", "cancelled"]),
            )
        )  # fmt: skip
        heard = data.draw(st.lists(NAMED, min_size=1, max_size=6))
        again = data.draw(st.permutations(heard + data.draw(st.lists(st.sampled_from(heard)))))
        now = data.draw(st.sampled_from([BEFORE_EXPIRY, AFTER_MARGIN]))
        assert _end(start, heard, now) == _end(start, again, now)

    @given(STANDINGS, OUTCOMES, st.sampled_from([BEFORE_EXPIRY, AFTER_MARGIN]))
    def test_changes_nothing_the_second_time(
        self, before: TransactionSnapshot, outcome: Outcome, now: datetime
    ) -> None:
        once = _after(before, outcome, now)
        assert _after(once, outcome, now).status == once.status


def _after(before: TransactionSnapshot, outcome: Outcome, now: datetime) -> TransactionSnapshot:
    """``before`` as the action leaves it."""
    moves = {
        Action.SUCCEED: Status.SUCCESS,
        Action.AUTHORIZE: Status.AUTHORIZED,
        Action.FAIL: Status.FAILED,
    }
    made = action(before, outcome, now)
    if made in {Action.REPEAT, Action.MISMATCH, Action.CONFLICT}:
        return before
    known = outcome.psp_reference or before.psp_reference
    return replace(before, status=moves.get(made, before.status), psp_reference=known)


def _end(before: TransactionSnapshot, heard: list[Outcome], now: datetime) -> str:
    """SUCCESS, FAILED, or live: how far a live one has come may hang on who spoke first."""
    for outcome in heard:
        before = _after(before, outcome, now)
    return "live" if before.status in LIVE else before.status
