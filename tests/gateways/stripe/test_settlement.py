"""Balance transactions: what Stripe says that it did to our balance."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from stripe.params import (
    BalanceTransactionListParams,
    DisputeListParams,
    PayoutListParams,
    PayoutRetrieveParams,
)

from gateways.settlement import (
    Movement,
    RecordKind,
    RecordStatus,
    ReportUnavailable,
    SettlementRecord,
)
from gateways.stripe import client, reports, settlement
from gateways.stripe.gateway import StripeGateway
from tests.gateways.local_server import LocalServer, Reply, refused_url
from tests.gateways.mutations import FEW, mutated
from tests.gateways.samples import CALL_REFERENCE, REFERENCE, details
from tests.gateways.stripe import psp_samples
from tests.gateways.stripe.psp_samples import (
    CREATED,
    Object,
    moved,
    moved_back,
    one,
    page,
    paid_out,
    payout,
    transaction,
)
from tests.gateways.stripe.typed_params import problems

START: Final = psp_samples.DAY
END: Final = START + timedelta(days=1)
PAID: Final = details(psp_reference="pi_1", psp_data={"payment_intent": "pi_1"})


def records(gateway: StripeGateway) -> list[SettlementRecord]:
    return list(gateway.settlement_records(START, END))


def queries(server: LocalServer) -> list[Mapping[str, list[str]]]:
    return [parse_qs(urlsplit(request.path).query) for request in server.received]


def read(**changes: Any) -> SettlementRecord:
    return settlement.read_transaction(transaction(**changes))


class TestARecord:
    def test_of_a_payment_says_how_our_balance_moved(self) -> None:
        record = read()
        assert (record.kind, record.word) == (RecordKind.PAYMENT, "charge")
        assert (record.gross, record.fee, record.net) == (
            Movement(1999, "USD"),
            Movement(88, "USD"),
            Movement(1911, "USD"),
        )
        assert (record.record_id, record.psp_reference) == ("txn_1", "ch_1")
        assert (record.reference, record.payment_reference) == (REFERENCE, REFERENCE)
        assert record.payment_psp_reference == "pi_1"
        assert record.booked_at == START + timedelta(seconds=1)
        assert record.available_on == date(2026, 11, 23)
        assert (record.original, record.exchange_rate, record.payout) == (None, "", "")
        assert record.status is RecordStatus.BOOKED

    def test_of_a_refund_names_the_refund_and_its_payment(self) -> None:
        record = settlement.read_transaction(moved_back())
        assert (record.kind, record.net) == (RecordKind.REFUND, Movement(-500, "USD"))
        assert (record.reference, record.payment_reference) == (CALL_REFERENCE, REFERENCE)
        assert (record.psp_reference, record.payment_psp_reference) == ("re_1", "pi_1")

    @pytest.mark.parametrize(
        ("category", "kind"),
        [
            ("dispute", RecordKind.DISPUTE),
            ("dispute_reversal", RecordKind.DISPUTE_REVERSAL),
            ("other_adjustment", RecordKind.ADJUSTMENT),
        ],
    )
    def test_of_a_dispute_is_an_adjustment_with_a_fee(
        self, category: str, kind: RecordKind
    ) -> None:
        record = read(
            type="adjustment",
            reporting_category=category,
            amount=-1999,
            fee=1500,
            net=-3499,
            source=psp_samples.dispute(amount=1999, currency="usd"),
        )
        assert (record.kind, record.net) == (kind, Movement(-3499, "USD"))
        assert (record.psp_reference, record.payment_psp_reference) == ("du_1", "pi_1")

    def test_of_a_payout_names_it(self) -> None:
        record = settlement.read_transaction(paid_out())
        assert (record.kind, record.psp_reference) == (RecordKind.PAYOUT, "po_1")
        assert (record.payout, record.net) == ("po_1", Movement(-1411, "USD"))

    def test_of_a_fee_has_nothing_behind_it(self) -> None:
        record = settlement.read_transaction(moved(-200, "stripe_fee", None))
        assert (record.kind, record.psp_reference) == (RecordKind.FEE, "")

    def test_of_a_word_that_we_do_not_know_is_kept(self) -> None:
        record = read(type="teleportation", status="beamed")
        assert (record.kind, record.word) == (RecordKind.UNKNOWN, "teleportation")
        assert record.status is RecordStatus.UNKNOWN

    def test_keeps_what_was_paid_where_stripe_converted(self) -> None:
        source = psp_samples.charge(amount=500_000, amount_captured=450_000, currency="vnd")
        record = read(source=source, exchange_rate=3.9e-05)
        assert record.gross == Movement(1999, "USD")
        assert record.original == Movement(450_000, "VND")
        assert record.exchange_rate == "0.000039"
        back = settlement.read_transaction(moved(-500, "refund", psp_samples.refund(amount=12_000)))
        assert back.original == Movement(-12_000, "VND")

    def test_reads_stripes_own_exponents(self) -> None:
        whole = read(currency="isk", amount=50_000, fee=1_400, net=48_600)
        assert (whole.gross, whole.fee) == (Movement(500, "ISK"), Movement(14, "ISK"))
        assert read(currency="mga", amount=5, fee=1, net=4).net == Movement(400, "MGA")

    def test_keeps_no_person(self) -> None:
        record = read()
        assert record.raw["source"] == "ch_1"
        assert "linh" not in repr(record).lower()

    @pytest.mark.parametrize(
        "changes",
        [
            {"id": ""},
            {"amount": "1999"},
            {"fee": None},
            {"net": 1912},
            {"net": True},
            {"currency": "iqd"},
            {"currency": None},
            {"currency": "isk", "amount": 2000, "fee": 50, "net": 1950},
            {"created": None},
            {"created": 10**18},
            {"available_on": "soon"},
            {"exchange_rate": "0.5"},
            {"source": psp_samples.charge(amount=5, currency="iqd")},
        ],
    )
    def test_that_cannot_be_read_is_never_left_out(
        self, gateway: StripeGateway, server: LocalServer, changes: Object
    ) -> None:
        server.reply(page(transaction(), transaction(**changes)))
        with pytest.raises(ReportUnavailable) as unavailable:
            records(gateway)
        assert not unavailable.value.can_retry

    @FEW
    @given(item=mutated(transaction()))
    def test_is_read_or_refused_whatever_comes(self, item: Object) -> None:
        with suppress(ReportUnavailable):
            record = settlement.read_transaction(item)
            assert record.gross - record.fee == record.net


class TestARange:
    def test_comes_from_every_page(self, gateway: StripeGateway, server: LocalServer) -> None:
        server.reply(page(transaction(), moved_back(), has_more=True), page(paid_out()))
        assert [record.kind for record in records(gateway)] == ["PAYMENT", "REFUND", "PAYOUT"]
        first, second = queries(server)
        assert server.received[0].path.startswith("/v1/balance_transactions?")
        assert first["created[gte]"] == [str(CREATED - 1)]
        assert first["created[lt]"] == [str(CREATED - 1 + 86_400)]
        assert (first["limit"], first["expand[0]"]) == (["100"], ["data.source"])
        assert "starting_after" not in first
        assert second["starting_after"] == ["txn_refund"]

    def test_sends_what_the_sdk_knows(self, gateway: StripeGateway, server: LocalServer) -> None:
        sent: list[tuple[str, Object]] = []
        server.reply(one({**payout(), "data": [], "has_more": False, "amount": 0}))
        call = gateway._client.call

        def noted(name: str, key: str, params: Object, idempotency_key: str) -> Any:
            sent.append((name, params))
            return call(name, key, params, idempotency_key)

        gateway._client.call = noted  # type: ignore[method-assign]
        records(gateway)
        list(gateway.payouts(START, END))
        list(gateway.payout_records("po_1"))
        gateway.disputes(PAID)
        hints = {
            "balance_transactions.list": BalanceTransactionListParams,
            "payouts.list": PayoutListParams,
            "payouts.retrieve": PayoutRetrieveParams,
            "disputes.list": DisputeListParams,
        }
        assert {name for name, _ in sent} == set(hints) <= client.READS
        assert [list(problems(params, hints[name])) for name, params in sent] == [[]] * len(sent)
        assert all("idempotency-key" not in request.headers for request in server.received)

    @pytest.mark.parametrize(
        ("reply", "can_retry"),
        [
            (Reply(500), True),
            (Reply(429), True),
            (Reply(409), True),
            (Reply(fault="reset"), True),
            (Reply(200, b"<html>"), True),
            (Reply(401), False),
            (Reply(403), False),
            (Reply(400, b'{"error": {"code": "parameter_invalid_integer"}}'), False),
            (Reply(200, b"{}"), False),
            (page(5), False),
            (page(transaction(), has_more=None), False),
            (page(has_more=True), False),
        ],
    )
    def test_that_cannot_be_had_raises(
        self, gateway: StripeGateway, server: LocalServer, reply: Reply, can_retry: bool
    ) -> None:
        server.reply(reply)
        with pytest.raises(ReportUnavailable) as unavailable:
            records(gateway)
        assert unavailable.value.can_retry is can_retry

    def test_ends_at_a_limit(
        self, gateway: StripeGateway, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reports, "_PAGES_MAX", 3)
        server.reply(page(transaction(), has_more=True))
        with pytest.raises(ReportUnavailable, match="more pages"):
            records(gateway)
        assert len(server.received) == 3

    def test_can_be_asked_for_again_when_stripe_is_away(self) -> None:
        options = {"secret_key": "sk_test_abc123", "webhook_secrets": "whsec_new"}
        gateway = StripeGateway.from_settings({**options, "api_base": refused_url()})
        with pytest.raises(ReportUnavailable) as unavailable:
            records(gateway)
        assert unavailable.value.can_retry
