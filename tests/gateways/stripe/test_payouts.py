"""Payouts with what each carries, and disputes that Stripe is asked about."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest

from gateways.outcome import OutcomeKind
from gateways.settlement import Movement, PayoutStatus, ReportUnavailable
from gateways.stripe import mapping
from gateways.stripe.gateway import StripeGateway
from gateways.webhook import Subject
from money.money import Money
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.samples import details
from tests.gateways.stripe import psp_samples
from tests.gateways.stripe.psp_samples import (
    CREATED,
    Object,
    moved_back,
    one,
    page,
    paid_out,
    payout,
    transaction,
)

START: Final = psp_samples.DAY
END: Final = START + timedelta(days=1)
PAID: Final = details(psp_reference="pi_1", psp_data={"payment_intent": "pi_1"})


def queries(server: LocalServer) -> list[Mapping[str, list[str]]]:
    return [parse_qs(urlsplit(request.path).query) for request in server.received]


class TestAPayout:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("pending", PayoutStatus.PENDING),
            ("in_transit", PayoutStatus.PENDING),
            ("paid", PayoutStatus.PAID),
            ("failed", PayoutStatus.FAILED),
            ("canceled", PayoutStatus.FAILED),
            ("lost_at_sea", PayoutStatus.UNKNOWN),
        ],
    )
    def test_is_listed(
        self, gateway: StripeGateway, server: LocalServer, word: str, status: PayoutStatus
    ) -> None:
        server.reply(page(payout(status=word)))
        (found,) = gateway.payouts(START, END)
        assert (found.psp_reference, found.status) == ("po_1", status)
        assert (found.amount, found.arrives_on) == (Movement(1411, "USD"), date(2026, 11, 24))
        assert queries(server)[0]["created[gte]"] == [str(CREATED - 1)]

    def test_carries_records_that_add_up_to_it(
        self, gateway: StripeGateway, server: LocalServer
    ) -> None:
        server.reply(
            one(payout()), page(transaction(), has_more=True), page(moved_back(), paid_out())
        )
        found = list(gateway.payout_records("po_1"))
        assert [record.kind for record in found] == ["PAYMENT", "REFUND", "PAYOUT"]
        assert {record.payout for record in found} == {"po_1"}
        assert queries(server)[1]["payout"] == ["po_1"]

    @pytest.mark.parametrize(
        "items",
        [
            (transaction(), paid_out()),
            (transaction(), moved_back(), moved_back() | {"id": "txn_9"}, paid_out()),
            (paid_out(),),
            (),
        ],
    )
    def test_is_refused_when_its_records_do_not_add_up(
        self, gateway: StripeGateway, server: LocalServer, items: tuple[Object, ...]
    ) -> None:
        server.reply(one(payout()), page(*items))
        with pytest.raises(ReportUnavailable, match="add up") as unavailable:
            gateway.payout_records("po_1")
        assert not unavailable.value.can_retry

    def test_is_refused_when_it_carries_two_currencies(
        self, gateway: StripeGateway, server: LocalServer
    ) -> None:
        server.reply(
            one(payout()), page(transaction(), moved_back() | {"currency": "eur"}, paid_out())
        )
        with pytest.raises(ReportUnavailable):
            gateway.payout_records("po_1")

    @pytest.mark.parametrize(
        ("status", "can_retry"), [("in_progress", True), ("not_applicable", False), ("", False)]
    )
    def test_waits_until_stripe_knows_what_it_carries(
        self, gateway: StripeGateway, server: LocalServer, status: str, can_retry: bool
    ) -> None:
        server.reply(one(payout(reconciliation_status=status)))
        with pytest.raises(ReportUnavailable) as unavailable:
            gateway.payout_records("po_1")
        assert unavailable.value.can_retry is can_retry
        assert len(server.received) == 1

    def test_can_be_asked_for_again_when_it_was_not_ready(
        self, gateway: StripeGateway, server: LocalServer
    ) -> None:
        error = {"error": {"type": "invalid_request_error", "code": mapping.PAYOUT_NOT_READY}}
        server.reply(one(payout()), Reply(400, json.dumps(error).encode()))
        with pytest.raises(ReportUnavailable, match="not_ready") as unavailable:
            gateway.payout_records("po_1")
        assert unavailable.value.can_retry

    def test_of_another_id_is_refused(self, gateway: StripeGateway, server: LocalServer) -> None:
        server.reply(one(payout(id="po_2")))
        with pytest.raises(ReportUnavailable, match="another object"):
            gateway.payout_records("po_1")


class TestADispute:
    @pytest.mark.parametrize(
        ("status", "nets", "kind"),
        [
            ("needs_response", [], OutcomeKind.PENDING),
            ("needs_response", [-3499], OutcomeKind.SUCCEEDED),
            ("under_review", [-3499], OutcomeKind.SUCCEEDED),
            ("appeal_under_review", [-3499, 1999], OutcomeKind.SUCCEEDED),
            ("under_review", [-1999, 1999], OutcomeKind.PENDING),
            ("warning_needs_response", [], OutcomeKind.PENDING),
            ("warning_under_review", [], OutcomeKind.PENDING),
            ("warning_closed", [], OutcomeKind.DECLINED),
            ("won", [-3499, 1999], OutcomeKind.DECLINED),
            ("lost", [-3499], OutcomeKind.SUCCEEDED),
            ("prevented", [], OutcomeKind.DECLINED),
            ("vanished", [], OutcomeKind.UNKNOWN),
        ],
    )
    def test_is_told_as_a_webhook_would_tell_it(
        self,
        gateway: StripeGateway,
        server: LocalServer,
        status: str,
        nets: list[int],
        kind: OutcomeKind,
    ) -> None:
        moves = [{"id": f"txn_{net}", "net": net} for net in nets]
        server.reply(page(psp_samples.dispute(status, balance_transactions=moves)))
        (notice,) = gateway.disputes(PAID)
        assert (notice.subject, notice.psp_reference) == (Subject.DISPUTE, "du_1")
        assert (notice.payment_psp_reference, notice.reference) == ("pi_1", "")
        assert notice.event_id == f"du_1:{status}:{kind}"
        assert notice.outcome is not None
        assert (notice.outcome.kind, notice.outcome.money) == (kind, Money(100_000, "VND"))
        assert queries(server)[0]["payment_intent"] == ["pi_1"]

    def test_is_read_by_its_id(self, gateway: StripeGateway, server: LocalServer) -> None:
        server.reply(one(psp_samples.dispute("lost")))
        assert gateway.dispute("du_1").psp_reference == "du_1"
        assert server.received[0].path == "/v1/disputes/du_1"
        with pytest.raises(ReportUnavailable, match="another object"):
            gateway.dispute("du_2")

    def test_about_another_payment_is_refused(
        self, gateway: StripeGateway, server: LocalServer
    ) -> None:
        server.reply(page(psp_samples.dispute("lost", payment_intent="pi_2")))
        with pytest.raises(ReportUnavailable, match="another payment"):
            gateway.disputes(PAID)

    def test_without_its_movements_is_refused(
        self, gateway: StripeGateway, server: LocalServer
    ) -> None:
        server.reply(page(psp_samples.dispute(balance_transactions=None)))
        with pytest.raises(ReportUnavailable, match="balance transactions"):
            gateway.disputes(PAID)

    def test_is_not_asked_for_where_nothing_was_confirmed(
        self, gateway: StripeGateway, server: LocalServer
    ) -> None:
        assert gateway.disputes(details(psp_reference="cs_test_1")) == ()
        assert server.received == []
