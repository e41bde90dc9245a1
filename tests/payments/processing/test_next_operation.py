"""Which operation comes next, without a database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gateways.operation import CaptureMethod, Verb
from payments.models import GatewayCall, Transaction
from payments.processing.next_operation import SENDS_BEFORE_A_QUERY, next_operation
from payments.routing.registry import gateway
from payments.states import Status

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def a_second_after(moment: datetime) -> datetime:
    return moment + timedelta(seconds=1)


def unanswered(verb: Verb, *, sends: int = 1, sent_at: datetime = NOW) -> GatewayCall:
    return GatewayCall(verb=verb, sends=sends, first_sent_at=sent_at, last_sent_at=sent_at)


def held() -> Transaction:
    """A payment whose capture was requested, after many queries."""
    return Transaction(
        status=Status.AUTHORIZED,
        capture=CaptureMethod.MANUAL,
        capture_amount=150_000,
        capture_requested_at=NOW,
        psp_reference="pi_1",
        queries=40,
        queried_at=NOW - timedelta(hours=1),
    )


def closing() -> Transaction:
    """A payment whose end was requested, after many queries."""
    return Transaction(
        status=Status.PROCESSING,
        cancel_code="cancelled",
        cancel_requested_at=NOW,
        psp_reference="cs_1",
        queries=40,
        queried_at=NOW - timedelta(hours=1),
    )


LATE = [(held, Verb.CAPTURE), (closing, Verb.CLOSE)]

Make = Callable[[], Transaction]


def run_attempts(payment: Transaction, call: GatewayCall, count: int) -> list[Verb]:
    """The verbs of ``count`` attempts, a second apart, when none gets an answer."""
    verbs, now = [], NOW
    for _ in range(count):
        now = a_second_after(now)
        verb, _ = next_operation(payment, [call], gateway("stripe"), now)
        verbs.append(verb)
        if verb is Verb.QUERY:
            payment.queries, payment.queried_at = payment.queries + 1, now
        else:
            call.sends, call.last_sent_at = call.sends + 1, now
    return verbs


class TestAnOperationThatIsRepeatedInVain:
    @pytest.mark.parametrize(("make", "verb"), LATE)
    def test_is_queried_however_many_queries_came_before_it(self, make: Make, verb: Verb) -> None:
        call = unanswered(verb, sends=SENDS_BEFORE_A_QUERY)
        assert next_operation(make(), [call], gateway("stripe"), NOW) == (Verb.QUERY, None)

    @pytest.mark.parametrize(("make", "verb"), LATE)
    def test_is_sent_at_every_second_attempt_from_then_on(self, make: Make, verb: Verb) -> None:
        assert run_attempts(make(), unanswered(verb), 7) == [
            verb, verb, Verb.QUERY, verb, Verb.QUERY, verb, Verb.QUERY,
        ]  # fmt: skip

    def test_starts_with_a_few_sends_without_an_earlier_query(self) -> None:
        row = Transaction(status=Status.PROCESSING)
        assert run_attempts(row, unanswered(Verb.CREATE), 4) == [
            Verb.CREATE, Verb.CREATE, Verb.QUERY, Verb.CREATE,
        ]  # fmt: skip


class TestAPaymentWithoutOpenOperations:
    @pytest.mark.parametrize(
        ("wanted", "verb"),
        [(Verb.CAPTURE, Verb.CAPTURE), (Verb.QUERY, Verb.QUERY), ("", Verb.QUERY)],
    )
    def test_sends_the_verb_that_the_gateway_named_and_else_a_query(
        self, wanted: str, verb: Verb
    ) -> None:
        row = Transaction(status=Status.PROCESSING, psp_reference="order_1", next_verb=wanted)
        assert next_operation(row, [], gateway("paypal"), NOW) == (verb, None)


class TestASupersededCall:
    """Its answer was lost, and the hold was reported by other evidence."""

    @pytest.mark.parametrize(
        ("name", "verb"), [("stripe", Verb.CREATE), ("paypal", Verb.CAPTURE), ("momo", Verb.CREATE)]
    )
    def test_is_not_repeated_as_the_capture_that_was_requested_since(
        self, name: str, verb: Verb
    ) -> None:
        before = unanswered(verb, sent_at=NOW - timedelta(minutes=5))
        row = held()
        assert next_operation(row, [before], gateway(name), NOW) == (Verb.CAPTURE, None)
        capture = unanswered(Verb.CAPTURE)
        assert next_operation(row, [before, capture], gateway(name), NOW) == (Verb.CAPTURE, capture)

    def test_is_not_sent_again_without_a_request(self) -> None:
        before = unanswered(Verb.CAPTURE, sent_at=NOW - timedelta(minutes=5))
        row = Transaction(
            status=Status.AUTHORIZED, capture=CaptureMethod.MANUAL, psp_reference="O-1"
        )
        assert next_operation(row, [before], gateway("paypal"), NOW) == (Verb.QUERY, None)
