"""Settlement records: windows, pages, and rows whose id is not unique."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from orders.money import Money
from payments.gateways.base import OutcomeKind
from payments.gateways.paypal import reporting
from payments.gateways.paypal.gateway import PaypalError, PaypalGateway
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.paypal.account import amount

START = datetime(2026, 10, 1, tzinfo=UTC)


def row(**changes: Any) -> dict[str, Any]:
    info = {
        "transaction_id": "CAP1",
        "transaction_event_code": "T0006",
        "transaction_status": "S",
        "transaction_amount": amount("19.99"),
        "fee_amount": amount("-1.19"),
        "custom_field": "ref1",
        "transaction_initiation_date": "2026-10-01T00:00:01+0000",
        **changes,
    }
    return {"transaction_info": info}


def page(*rows: object, pages: int = 1) -> Reply:
    content = {"transaction_details": rows, "total_pages": pages, "page": 1}
    return Reply(200, json.dumps(content).encode())


class TestSettlementRecords:
    def test_come_from_every_page_and_window(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply(page(row(), row(), pages=2), page(row(), pages=2), page(row()))
        found = list(paypal.settlement_records(START, START + timedelta(days=40)))
        assert len(found) == 4
        queries = [parse_qs(urlsplit(request.path).query) for request in server.received]
        assert [query["page"] for query in queries] == [["1"], ["2"], ["1"]]
        assert queries[0]["end_date"] == queries[2]["start_date"]
        assert queries[0]["start_date"] == ["2026-10-01T00:00:00+00:00"]

    def test_windows_are_never_longer_than_paypal_allows(self) -> None:
        pieces = list(reporting.windows(START, START + timedelta(days=100)))
        assert all(until - since < timedelta(days=31) for since, until in pieces)
        assert pieces[0][0] == START
        assert pieces[-1][1] == START + timedelta(days=100)

    def test_split_sign_and_sum(self) -> None:
        content: dict[str, Any] = {
            "transaction_details": [
                row(),
                row(
                    transaction_id="R1",
                    transaction_event_code="T1107",
                    transaction_amount=amount("-5.00"),
                    fee_amount=amount("0.20"),
                    paypal_reference_id="CAP1",
                ),
            ]
        }
        paid, refunded = reporting.read_page(content).records
        assert (paid.kind, paid.amount, paid.is_debit) == ("payment", Money(1999, "USD"), False)
        assert (paid.fee, paid.reference) == (Money(119, "USD"), "ref1")
        assert (refunded.kind, refunded.amount) == ("refund", Money(500, "USD"))
        assert (refunded.is_debit, refunded.related) == (True, "CAP1")
        assert refunded.fee == Money(20, "USD")

    def test_with_words_we_do_not_know_stay_without_a_meaning(self) -> None:
        strange = row(transaction_event_code="T9999", transaction_status="Q", fee_amount="x")
        (record,) = reporting.read_page({"transaction_details": [strange, 5]}).records
        assert (record.kind, record.status, record.fee) == ("", "", None)

    @pytest.mark.parametrize("reply", [Reply(500), Reply(403), Reply(200, b"[]")])
    def test_that_cannot_be_had_raise(
        self, paypal: PaypalGateway, server: LocalServer, reply: Reply
    ) -> None:
        server.reply(reply)
        with pytest.raises(PaypalError):
            list(paypal.settlement_records(START, START + timedelta(days=1)))

    def test_end_at_a_limit_when_paypal_counts_wrong(
        self, paypal: PaypalGateway, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reporting, "PAGES_MAX", 3)
        server.reply(page(row(), pages=10**6))
        with pytest.raises(PaypalError, match="pages"):
            list(paypal.settlement_records(START, START + timedelta(days=1)))


class TestDispute:
    def test_is_read_by_its_id(self, paypal: PaypalGateway, server: LocalServer) -> None:
        server.reply_json({"dispute_id": "PP-D-1", "status": "OPEN", "dispute_amount": amount()})
        outcome = paypal.dispute("PP-D-1")
        assert server.received[0].path == "/v1/customer/disputes/PP-D-1"
        assert (outcome.kind, outcome.money) == (OutcomeKind.PENDING, Money(1999, "USD"))
