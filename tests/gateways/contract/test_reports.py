"""What every gateway declares about its reports, and disputes that it is asked about."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from gateways.base import Gateway
from gateways.capabilities import SettlementSource
from gateways.operation import UnsupportedOperation, Verb
from gateways.outcome import OutcomeKind
from gateways.settlement import ReportUnavailable
from gateways.webhook import Subject
from tests.gateways.contract.gateway_case import GatewayCase
from tests.gateways.contract.payment import Payment
from tests.gateways.local_server import refused_url
from tests.sandbox.sandbox_process import SandboxProcess

START: Final = datetime(2026, 11, 1, tzinfo=UTC)
END: Final = START + timedelta(days=1)


class TestReports:
    def test_come_from_where_the_gateway_declares(self, gateway: Gateway) -> None:
        if gateway.capabilities.settlement is SettlementSource.API:
            with pytest.raises(UnsupportedOperation):
                gateway.read_settlement_file(b"")
        else:
            with pytest.raises(UnsupportedOperation):
                gateway.settlement_records(START, END)

    def test_that_cannot_be_had_are_never_empty_ones(
        self, case: GatewayCase, sandbox: SandboxProcess
    ) -> None:
        alone = case.gateway(sandbox, refused_url())
        if alone.capabilities.settlement is SettlementSource.API:
            with pytest.raises(ReportUnavailable) as unavailable:
                list(alone.settlement_records(START, END))
            assert unavailable.value.can_retry
        else:
            with pytest.raises(ReportUnavailable) as unavailable:
                alone.read_settlement_file(b"")
            assert not unavailable.value.can_retry


class TestDisputes:
    @pytest.mark.parametrize(
        ("outcome", "kind"), [("won", OutcomeKind.DECLINED), ("lost", OutcomeKind.SUCCEEDED)]
    )
    def test_are_told_when_asked_for_as_the_book_has_them(
        self, payment: Payment, outcome: str, kind: OutcomeKind
    ) -> None:
        payment.pay()
        gateway = payment.gateway
        if not gateway.capabilities.disputes:
            with pytest.raises(UnsupportedOperation):
                gateway.disputes(payment.details)
            with pytest.raises(UnsupportedOperation):
                gateway.dispute("anything")
            return
        assert gateway.disputes(payment.details) == ()
        row = payment.dispute("open")
        (opened,) = gateway.disputes(payment.details)
        assert (opened.subject, opened.psp_reference) == (Subject.DISPUTE, row["psp_reference"])
        assert opened.outcome is not None
        assert opened.outcome.money == payment.case.total
        assert opened == gateway.dispute(opened.psp_reference)
        known = {payment.details.psp_reference, *payment.details.psp_data.values()}
        assert opened.payment_psp_reference in known
        payment.dispute(outcome)
        (ended,) = gateway.disputes(payment.details)
        assert ended.outcome is not None
        assert ended.outcome.kind is kind
        assert ended.event_id != opened.event_id

    def test_of_a_payment_that_took_nothing_are_none(
        self, payment: Payment, gateway: Gateway
    ) -> None:
        payment.rule(decision="abandon")
        payment.ask(Verb.CREATE)
        if gateway.capabilities.disputes:
            assert gateway.disputes(payment.details) == ()
