"""What every gateway's report must say: exactly what its own journal shows, to the smallest unit.

The gateway counts its lines from the general book; the adapter reads the report that this PSP
would give (an API, or a file for each day). Neither knows the other.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import pytest

from gateways.base import Gateway
from gateways.capabilities import SettlementSource
from gateways.operation import UnsupportedOperation
from gateways.outcome import OutcomeKind
from gateways.settlement import RecordKind, RecordStatus, ReportUnavailable, SettlementRecord
from tests.gateways.contract.conftest import NewPayment
from tests.gateways.contract.gateway_case import GatewayCase
from tests.gateways.contract.payment import Payment
from tests.sandbox.sandbox_process import SandboxProcess, Shop

HANOI: Final = timezone(timedelta(hours=7))
DAY: Final = timedelta(days=1)
# Past the two days that are compared, and what a PSP's report lags behind.
LATER_S: Final = int((2 * DAY + timedelta(hours=4)).total_seconds())


@pytest.fixture
def sandbox(tmp_path: Path, shop: Shop) -> Iterator[SandboxProcess]:
    """A sandbox whose journal holds only what one test did, and whose clock the test may move."""
    webhooks = f"http://127.0.0.1:{shop.port}/webhooks"
    sandbox = SandboxProcess(tmp_path / "sandbox", webhooks).start()
    sandbox.behaviour(gateway="*", decision="approve", decide_after_ms=0)
    yield sandbox
    sandbox.end()
    sandbox.http.close()


@pytest.fixture
def first_day() -> datetime:
    """The beginning of today, as the gateways here count days. A test may run into tomorrow."""
    return datetime.now(HANOI).replace(hour=0, minute=0, second=0, microsecond=0)


def lines(gateway: Gateway, sandbox: SandboxProcess, first_day: datetime) -> list[dict[str, Any]]:
    """The gateway's own lines of two days."""
    found = []
    for day in (first_day, first_day + DAY):
        query = {"gateway": gateway.name, "date": day.date().isoformat()}
        answer = sandbox.http.get(f"{sandbox.url}/control/settlement", params=query, timeout=10)
        found += answer.json()["lines"]
    return found


def records(
    gateway: Gateway, sandbox: SandboxProcess, first_day: datetime
) -> list[SettlementRecord]:
    """What the adapter reads of the same two days."""
    if gateway.capabilities.settlement is SettlementSource.API:
        return list(gateway.settlement_records(first_day, first_day + 2 * DAY))
    return [
        record
        for day in (first_day, first_day + DAY)
        for record in gateway.read_settlement_file(daily_file(gateway, sandbox, day))
    ]


def daily_file(gateway: Gateway, sandbox: SandboxProcess, day: datetime) -> bytes:
    query = {"gateway": gateway.name, "date": day.date().isoformat(), "format": "csv"}
    answer = sandbox.http.get(f"{sandbox.url}/control/settlement", params=query, timeout=10)
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def booked(found: list[SettlementRecord]) -> Counter[tuple[str, int, int, int, str]]:
    return Counter(
        (one.kind.lower(), one.gross.minor, one.fee.minor, one.net.minor, one.net.currency)
        for one in found
        if one.status is RecordStatus.BOOKED
    )


class TestSettlement:
    def test_agrees_with_the_gateways_own_book(
        self,
        new_payment: NewPayment,
        case: GatewayCase,
        sandbox: SandboxProcess,
        first_day: datetime,
    ) -> None:
        kept, refunded, lost, won = (new_payment() for _ in range(4))
        paid = [each.pay() for each in (kept, refunded, lost, won)]
        assert {each.kind for each in paid} == {OutcomeKind.SUCCEEDED}
        asked = refunded.refund()
        assert refunded.send(asked).kind is OutcomeKind.SUCCEEDED
        gateway = kept.gateway
        if gateway.capabilities.disputes:
            for payment, outcome in ((lost, "lost"), (won, "open"), (won, "won")):
                payment.dispute(outcome)
        sandbox.control("clock", advance_s=LATER_S)

        found, own = records(gateway, sandbox, first_day), lines(gateway, sandbox, first_day)
        assert booked(found) == Counter(
            (one["type"], one["gross"], one["fee"], one["net"], one["currency"]) for one in own
        )
        assert {one.status for one in found} == {RecordStatus.BOOKED}
        assert len({one.record_id for one in found}) == len(found)
        payments = [one for one in found if one.kind is RecordKind.PAYMENT]
        assert {one.reference for one in payments} == {
            each.reference for each in (kept, refunded, lost, won)
        }
        assert sum(one.gross.minor for one in payments) == 4 * case.total.minor
        (refund,) = [one for one in found if one.kind is RecordKind.REFUND]
        assert (refund.reference, refund.gross.minor) == (asked.reference, -case.part.minor)
        journal = sandbox.journal(gateway=gateway.name)
        assert refund.psp_reference == journal["refunds"][0]["psp_reference"]
        assert sum(one["captured"] for one in journal["charges"]) == 4 * case.total.minor

    def test_names_the_payment_by_what_its_outcome_said(
        self, payment: Payment, sandbox: SandboxProcess, first_day: datetime
    ) -> None:
        payment.pay()
        sandbox.control("clock", advance_s=LATER_S)
        (record,) = records(payment.gateway, sandbox, first_day)
        known = {payment.details.psp_reference, *payment.details.psp_data.values()}
        assert {record.psp_reference, record.payment_psp_reference} <= known
        assert record.payment_reference == record.reference == payment.reference

    def test_keeps_no_secret_and_no_person(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess, first_day: datetime
    ) -> None:
        payment.pay()
        sandbox.control("clock", advance_s=LATER_S)
        (record,) = records(payment.gateway, sandbox, first_day)
        assert record.raw
        shown = repr(record)
        assert not [each for each in (*case.secrets, "linh", "@example") if each in shown]

    def test_is_empty_without_payments(
        self, gateway: Gateway, sandbox: SandboxProcess, first_day: datetime
    ) -> None:
        sandbox.control("clock", advance_s=LATER_S)
        assert records(gateway, sandbox, first_day) == []


class TestPayouts:
    def test_carry_records_that_add_up_to_them(
        self, new_payment: NewPayment, sandbox: SandboxProcess, first_day: datetime
    ) -> None:
        one, other = new_payment(), new_payment()
        one.pay()
        other.pay()
        other.send(other.refund())
        gateway = one.gateway
        if not gateway.capabilities.payouts:
            with pytest.raises(UnsupportedOperation):
                gateway.payouts(first_day, first_day + DAY)
            with pytest.raises(UnsupportedOperation):
                gateway.payout_records("anything")
            return
        sandbox.control("clock", advance_s=10)
        sandbox.control("clock", advance_s=4 * 86_400)
        today = datetime.now(UTC)
        (payout,) = gateway.payouts(today, today + 6 * DAY)
        with pytest.raises(ReportUnavailable) as early:
            gateway.payout_records(payout.psp_reference)
        assert early.value.can_retry
        sandbox.control("clock", advance_s=600)
        found = list(gateway.payout_records(payout.psp_reference))
        assert {record.payout for record in found} == {payout.psp_reference}
        (own,) = [record for record in found if record.kind is RecordKind.PAYOUT]
        assert own.net.minor == -payout.amount.minor < 0
        assert sum(record.net.minor for record in found) == 0
        assert {record.kind for record in found} == {
            RecordKind.PAYMENT,
            RecordKind.REFUND,
            RecordKind.PAYOUT,
        }
