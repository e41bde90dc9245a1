"""Settlement records: windows, pages, and rows whose id is not unique."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.outcome import OutcomeKind
from gateways.paypal import settlement
from gateways.paypal.gateway import PaypalGateway
from gateways.settlement import (
    Movement,
    RecordKind,
    RecordStatus,
    ReportUnavailable,
    SettlementRecord,
)
from gateways.webhook import Subject
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.mutations import ANY_JSON, FEW, mutated
from tests.gateways.paypal.account import USD, amount, details

START: Final = datetime(2026, 10, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)
SECOND: Final = timedelta(seconds=1)


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


GENUINE: Final = {
    "total_pages": 1,
    "total_items": 1,
    "last_refreshed_datetime": "2026-10-02T00:00:00Z",
}


def page(*rows: object, pages: int = 1, **more: object) -> Reply:
    content = {"transaction_details": rows, "total_pages": pages, "page": 1, **more}
    return Reply(200, json.dumps(content).encode())


def records(paypal: PaypalGateway, server: LocalServer, *rows: object) -> list[SettlementRecord]:
    server.reply(page(*rows))
    return list(paypal.settlement_records(START, START + DAY))


def number(value: int) -> dict[str, Any]:
    return row(transaction_id=f"CAP{value}")


class TestSettlementRecords:
    def test_come_from_every_page_and_window(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply(page(number(1), number(2), pages=2), page(number(3), pages=2), page(number(4)))
        found = list(paypal.settlement_records(START, START + timedelta(days=40)))
        assert [one.psp_reference for one in found] == ["CAP1", "CAP2", "CAP3", "CAP4"]
        queries = [parse_qs(urlsplit(request.path).query) for request in server.received]
        assert [query["page"] for query in queries] == [["1"], ["2"], ["1"]]
        assert queries[0]["start_date"] == ["2026-10-01T00:00:00+00:00"]
        assert queries[0]["end_date"] == ["2026-10-30T23:59:59+00:00"]
        assert queries[2]["start_date"] == ["2026-10-31T00:00:00+00:00"]
        assert queries[2]["end_date"] == ["2026-11-09T23:59:59+00:00"]
        assert {query["fields"][0] for query in queries} == {"transaction_info"}

    @pytest.mark.parametrize("days", [1, 31, 32, 100])
    def test_windows_are_never_longer_than_paypal_allows_nor_empty(self, days: int) -> None:
        end = START + timedelta(days=days, seconds=1)
        pieces = list(settlement.windows(START, end))
        assert all(SECOND <= until - since < timedelta(days=31) for since, until in pieces)
        assert pieces[0][0] == START
        assert pieces[-1][1] == end - SECOND
        assert [since for since, _ in pieces[1:]] == [until + SECOND for _, until in pieces[:-1]]

    def test_are_asked_for_in_halves_where_there_are_too_many(self) -> None:
        asked: list[tuple[datetime, datetime]] = []

        def get(path: str) -> dict[str, Any]:
            query = parse_qs(urlsplit(path).query)
            since, until = (
                datetime.fromisoformat(query[name][0]) for name in ("start_date", "end_date")
            )
            if until - since > timedelta(minutes=7):
                raise settlement.TooManyRows("too many")
            asked.append((since, until))
            number = {"transaction_id": str(len(asked))}
            return {"transaction_details": [row(**number)], "total_pages": 1}

        found = list(settlement.read_all(get, START, START + timedelta(hours=1)))
        assert [record.psp_reference for record in found] == [str(n + 1) for n in range(16)]
        # Every second once: each piece begins with the second after the one before.
        assert (asked[0][0], asked[-1][1]) == (START, START + timedelta(hours=1) - SECOND)
        ends = [(until + SECOND, since) for (_, until), (since, _) in pairwise(asked)]
        assert all(end == begin for end, begin in ends)

    def test_are_none_where_a_moment_holds_too_many(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        refusal = {"name": "RESULTSET_TOO_LARGE", "message": "x", "debug_id": "1"}
        server.reply_json(refusal, status=400)
        with pytest.raises(ReportUnavailable, match="more rows"):
            list(paypal.settlement_records(START, START + 10 * SECOND))
        # Ten seconds, five, two: then there is nothing left to split.
        assert len(server.received) == 3

    def test_are_given_once_when_a_page_moves_under_us(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        settled = row(transaction_status="P"), row()
        server.reply(page(settled[0], number(2), pages=2), page(number(2), settled[1], pages=2))
        found = list(paypal.settlement_records(START, START + DAY))
        assert [(one.psp_reference, one.status) for one in found] == [
            ("CAP1", RecordStatus.PENDING),
            ("CAP2", RecordStatus.BOOKED),
            ("CAP1", RecordStatus.BOOKED),
        ]
        assert found[0].record_id == found[2].record_id

    def test_with_one_id_are_told_apart(self, paypal: PaypalGateway, server: LocalServer) -> None:
        reversal = row(transaction_event_code="T1106", transaction_amount=amount("-19.99"))
        paid, reversed_ = records(paypal, server, row(), reversal)
        assert paid.psp_reference == reversed_.psp_reference
        assert paid.record_id != reversed_.record_id

    def test_say_how_our_balance_moved(self, paypal: PaypalGateway, server: LocalServer) -> None:
        refund = row(
            transaction_id="R1",
            transaction_event_code="T1107",
            transaction_amount=amount("-5.00"),
            fee_amount=amount("0.20"),
            custom_field="refund1",
            paypal_reference_id="CAP1",
        )
        paid, refunded = records(paypal, server, row(), refund)
        assert (paid.kind, paid.gross, paid.fee, paid.net) == (
            RecordKind.PAYMENT,
            Movement(1999, "USD"),
            Movement(119, "USD"),
            Movement(1880, "USD"),
        )
        assert (paid.reference, paid.payment_reference, paid.payment_psp_reference) == (
            "ref1",
            "ref1",
            "CAP1",
        )
        assert paid.booked_at == START + SECOND
        assert (refunded.kind, refunded.gross, refunded.fee, refunded.net) == (
            RecordKind.REFUND,
            Movement(-500, "USD"),
            Movement(-20, "USD"),
            Movement(-480, "USD"),
        )
        assert (refunded.reference, refunded.payment_reference) == ("refund1", "")
        assert (refunded.psp_reference, refunded.payment_psp_reference) == ("R1", "CAP1")

    @pytest.mark.parametrize(
        ("gross", "fee", "kept"),
        [
            ("19.99", "-1.19", 119),
            ("19.99", "1.19", 119),
            ("-19.99", "1.19", -119),
            ("-19.99", "-1.19", 119),
            ("0.00", "-1.19", 119),
        ],
    )
    def test_take_a_fee_with_either_sign(
        self, paypal: PaypalGateway, server: LocalServer, gross: str, fee: str, kept: int
    ) -> None:
        (record,) = records(
            paypal, server, row(transaction_amount=amount(gross), fee_amount=amount(fee))
        )
        assert record.fee == Movement(kept, "USD")

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("T0000", RecordKind.PAYMENT),
            ("T0016", RecordKind.PAYMENT),
            ("T0106", RecordKind.FEE),
            ("T0114", RecordKind.FEE),
            ("T0400", RecordKind.PAYOUT),
            ("T0403", RecordKind.PAYOUT),
            ("T1101", RecordKind.PAYOUT_REVERSAL),
            ("T1106", RecordKind.DISPUTE),
            ("T1108", RecordKind.FEE),
            ("T1110", RecordKind.RESERVE),
            ("T1111", RecordKind.RESERVE),
            ("T1200", RecordKind.ADJUSTMENT),
            ("T1201", RecordKind.DISPUTE),
            ("T1202", RecordKind.DISPUTE_REVERSAL),
            ("T1207", RecordKind.DISPUTE),
            ("T1501", RecordKind.RESERVE),
            ("T2103", RecordKind.RESERVE),
            ("T0200", RecordKind.UNKNOWN),
            ("T9999", RecordKind.UNKNOWN),
        ],
    )
    def test_have_a_kind_for_every_code(
        self, paypal: PaypalGateway, server: LocalServer, code: str, kind: RecordKind
    ) -> None:
        (record,) = records(paypal, server, row(transaction_event_code=code))
        assert (record.kind, record.word) == (kind, code)

    @pytest.mark.parametrize(
        ("status", "ours"),
        [("S", "BOOKED"), ("V", "BOOKED"), ("P", "PENDING"), ("D", "DENIED"), ("Q", "UNKNOWN")],
    )
    def test_say_whether_they_have_moved(
        self, paypal: PaypalGateway, server: LocalServer, status: str, ours: str
    ) -> None:
        (record,) = records(paypal, server, row(transaction_status=status))
        assert record.status == ours

    def test_keep_nothing_that_people_wrote(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        personal = {
            "paypal_account_id": "X8Q",
            "transaction_note": "hi",
            "transaction_subject": "s",
        }
        (record,) = records(paypal, server, row(**personal))
        assert record.raw == row()["transaction_info"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"transaction_id": ""},
            {"transaction_event_code": None},
            {"transaction_amount": amount("x")},
            {"transaction_amount": amount("1.999")},
            {"transaction_amount": amount("1.00", "XXX")},
            {"fee_amount": amount("x")},
            {"fee_amount": amount("1.00", "EUR")},
            {"transaction_initiation_date": "2026-10-01T00:00:01"},
            {"transaction_initiation_date": "soon"},
        ],
    )
    def test_are_none_when_one_cannot_be_read(
        self, paypal: PaypalGateway, server: LocalServer, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(ReportUnavailable, match="cannot be read") as unavailable:
            records(paypal, server, row(), row(**changes))
        assert not unavailable.value.can_retry

    @pytest.mark.parametrize("strange", [5, None, {}, {"transaction_info": []}])
    def test_are_none_when_a_row_is_none(
        self, paypal: PaypalGateway, server: LocalServer, strange: object
    ) -> None:
        with pytest.raises(ReportUnavailable):
            records(paypal, server, row(), strange)

    def test_wait_until_paypals_data_reach_so_far(
        self, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        server.reply(page(row(), last_refreshed_datetime="2026-10-01T23:59:58Z"))
        with pytest.raises(ReportUnavailable, match="reaches only") as unavailable:
            list(paypal.settlement_records(START, START + DAY))
        assert unavailable.value.can_retry
        server.reply(page(row(), last_refreshed_datetime="2026-10-01T23:59:59Z"))
        assert len(list(paypal.settlement_records(START, START + DAY))) == 1

    def test_are_as_many_as_paypal_counts(self, paypal: PaypalGateway, server: LocalServer) -> None:
        server.reply(page(row(), total_items=2))
        with pytest.raises(ReportUnavailable, match="1 of 2") as unavailable:
            list(paypal.settlement_records(START, START + DAY))
        assert unavailable.value.can_retry

    @pytest.mark.parametrize(
        ("reply", "can_retry"),
        [
            (Reply(500), True),
            (Reply(429), True),
            (Reply(fault="reset"), True),
            (Reply(200, b"<html>"), True),
            (Reply(403), False),
            (Reply(200, b"{}"), False),
        ],
    )
    def test_that_cannot_be_had_raise(
        self, paypal: PaypalGateway, server: LocalServer, reply: Reply, can_retry: bool
    ) -> None:
        server.reply(reply)
        with pytest.raises(ReportUnavailable) as unavailable:
            list(paypal.settlement_records(START, START + DAY))
        assert unavailable.value.can_retry is can_retry

    def test_end_at_a_limit_when_paypal_counts_wrong(
        self, paypal: PaypalGateway, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settlement, "PAGES_MAX", 3)
        server.reply(page(row(), pages=10**6))
        with pytest.raises(ReportUnavailable, match="pages"):
            list(paypal.settlement_records(START, START + DAY))

    @FEW
    @given(around=mutated(GENUINE), rows=st.lists(st.one_of(ANY_JSON, mutated(row()))))
    def test_are_read_or_refused_whatever_comes(self, around: Any, rows: list[Any]) -> None:
        with suppress(ReportUnavailable):
            found = settlement.read_page({"transaction_details": rows, **around}).records
            assert len(found) == len(rows)
            assert all(one.gross - one.fee == one.net for one in found)


class TestDisputes:
    def test_are_read_by_their_id(self, paypal: PaypalGateway, server: LocalServer) -> None:
        server.reply_json(dispute())
        notice = paypal.dispute("PP-D-1")
        assert server.received[0].path == "/v1/customer/disputes/PP-D-1"
        assert (notice.event_id, notice.subject) == ("PP-D-1:OPEN:", Subject.DISPUTE)
        assert (notice.reference, notice.payment_psp_reference) == ("ref1", "CAP1")
        assert notice.outcome is not None
        assert (notice.outcome.kind, notice.outcome.money) == (OutcomeKind.PENDING, USD)

    def test_are_listed_by_the_capture(self, paypal: PaypalGateway, server: LocalServer) -> None:
        listed = {"items": [{"dispute_id": "PP-D-1"}], "links": []}
        server.reply(*(Reply(200, json.dumps(each).encode()) for each in (listed, dispute())))
        (notice,) = paypal.disputes(details(psp_data={"capture_id": "CAP1"}))
        assert notice.psp_reference == "PP-D-1"
        query = parse_qs(urlsplit(server.received[0].path).query)
        assert query == {"disputed_transaction_id": ["CAP1"], "page_size": ["50"]}

    @pytest.mark.parametrize(
        "listed",
        [
            {"items": [5]},
            {"items": [{"dispute_id": "../orders"}]},
            {"items": {}},
            {"items": [], "links": [{"rel": "next", "href": "https://x"}]},
        ],
    )
    def test_are_none_when_the_list_cannot_be_read(
        self, paypal: PaypalGateway, server: LocalServer, listed: dict[str, Any]
    ) -> None:
        server.reply_json(listed)
        with pytest.raises(ReportUnavailable):
            paypal.disputes(details(psp_data={"capture_id": "CAP1"}))
        assert len(server.received) == 1

    def test_of_another_id_are_refused(self, paypal: PaypalGateway, server: LocalServer) -> None:
        server.reply_json(dispute())
        with pytest.raises(ReportUnavailable, match="another dispute"):
            paypal.dispute("PP-D-2")


def dispute() -> dict[str, Any]:
    about = {"seller_transaction_id": "CAP1", "custom": "ref1"}
    return {
        "dispute_id": "PP-D-1",
        "status": "OPEN",
        "dispute_amount": amount(),
        "disputed_transactions": [about],
    }
