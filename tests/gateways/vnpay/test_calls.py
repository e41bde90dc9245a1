"""querydr and refund over a real socket."""

import json

import pytest

from gateways.operation import Verb
from gateways.outcome import FailureCode, Outcome, OutcomeKind
from gateways.vnpay.gateway import VnpayGateway
from money.money import Money
from tests.gateways.local_server import LocalServer, Reply, refused_url
from tests.gateways.samples import CALL_REFERENCE, REFERENCE, details, operation, run
from tests.gateways.vnpay.psp_samples import (
    OLD_SECRET,
    TMN_CODE,
    hmac_sha512,
    query_answer,
    refund_answer,
)

PAID = details(psp_reference="14226112", psp_data={"transaction_no": "14226112"})
PART = Money(40_000, "VND")
# What querydr might say about a refund of everything, and of a part.
FULL_REFUND = {"TransactionType": "02", "TransactionStatus": "05"}
PART_REFUND = {"TransactionType": "03", "TransactionStatus": "05", "Amount": "4000000"}
FAULTS = [
    pytest.param(Reply(500, b'{"vnp_ResponseCode": "00"}'), id="500"),
    pytest.param(Reply(403, b"<html>Forbidden</html>"), id="403 HTML"),
    pytest.param(Reply(200, b"<html>"), id="garbage"),
    pytest.param(Reply(200, b"[]"), id="no object"),
    pytest.param(Reply(200, b"{}"), id="empty object"),
    pytest.param(Reply(302, b"", {"Location": "/"}), id="redirect"),
    pytest.param(Reply(429, b"{}", {"Retry-After": "9"}), id="429"),
    pytest.param(Reply(fault="reset"), id="reset"),
    pytest.param(Reply(fault="cut"), id="cut"),
]


def query(gateway: VnpayGateway, server: LocalServer, **changes: str) -> Outcome:
    server.reply_json(query_answer(**changes))
    return run(gateway, operation(Verb.QUERY))


def refund(gateway: VnpayGateway, server: LocalServer, **changes: str) -> Outcome:
    server.reply_json(refund_answer(**changes))
    return run(gateway, operation(Verb.REFUND, PAID, money=PART, actor="finance"))


class TestQueryRequest:
    def test_is_signed_in_the_published_order(
        self, gateway: VnpayGateway, server: LocalServer
    ) -> None:
        query(gateway, server)
        sent = json.loads(server.received[0].body)
        assert sent["vnp_TransactionDate"] == "20261122103000"
        assert sent["vnp_CreateDate"] == "20261122103500"
        assert sent.pop("vnp_SecureHash") == hmac_sha512(
            f"{CALL_REFERENCE}|2.1.0|querydr|{TMN_CODE}|{REFERENCE}|20261122103000|20261122103500"
            f"|10.1.2.3|Tra cuu giao dich {REFERENCE}"
        )

    def test_names_their_number_where_it_is_known(self, gateway: VnpayGateway) -> None:
        assert gateway.freeze(operation(Verb.QUERY, PAID))["vnp_TransactionNo"] == "14226112"
        assert "vnp_TransactionNo" not in gateway.freeze(operation(Verb.QUERY))


class TestQueryAnswer:
    def test_says_what_was_paid(self, gateway: VnpayGateway, server: LocalServer) -> None:
        said = query(gateway, server)
        assert said.kind is OutcomeKind.SUCCEEDED
        assert said.money == Money(100_000, "VND")
        assert (said.reference, said.psp_reference) == (REFERENCE, "14226112")
        assert said.account == TMN_CODE
        assert said.exchange is not None
        assert said.exchange.response["vnp_SecureHash"] == "[redacted]"

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            ("01", OutcomeKind.UNPAID),
            ("02", OutcomeKind.DECLINED),
            ("04", OutcomeKind.UNKNOWN),
            ("05", OutcomeKind.UNKNOWN),
            ("07", OutcomeKind.PENDING),
            ("09", OutcomeKind.UNKNOWN),
            ("77", OutcomeKind.UNKNOWN),
            ("", OutcomeKind.UNKNOWN),
        ],
    )
    def test_is_about_the_status_not_the_code(
        self, gateway: VnpayGateway, server: LocalServer, status: str, kind: OutcomeKind
    ) -> None:
        assert query(gateway, server, TransactionStatus=status).kind is kind

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("91", OutcomeKind.UNPAID),
            ("94", OutcomeKind.NOT_DONE),
            ("97", OutcomeKind.NOT_DONE),
            ("02", OutcomeKind.NOT_DONE),
            ("03", OutcomeKind.UNKNOWN),
            ("98", OutcomeKind.UNKNOWN),
            ("99", OutcomeKind.UNKNOWN),
        ],
    )
    def test_that_did_not_work_says_little(
        self, gateway: VnpayGateway, server: LocalServer, code: str, kind: OutcomeKind
    ) -> None:
        assert query(gateway, server, ResponseCode=code).kind is kind

    def test_asks_for_five_minutes_after_a_question_too_soon(
        self, gateway: VnpayGateway, server: LocalServer
    ) -> None:
        assert query(gateway, server, ResponseCode="94").retry_after_s == 300

    def test_may_say_not_found_without_a_hash(
        self, gateway: VnpayGateway, server: LocalServer
    ) -> None:
        server.reply_json({"vnp_ResponseCode": "91", "vnp_Message": "Not found"})
        assert run(gateway, operation(Verb.QUERY)).kind is OutcomeKind.UNPAID

    @pytest.mark.parametrize("code", ["00", "91"])
    def test_with_a_wrong_hash_says_nothing(
        self, gateway: VnpayGateway, server: LocalServer, code: str
    ) -> None:
        assert query(gateway, server, secret="X", ResponseCode=code).kind is OutcomeKind.UNKNOWN

    def test_with_another_http_status_pays_nothing(
        self, gateway: VnpayGateway, server: LocalServer
    ) -> None:
        server.reply_json(query_answer(), 500)
        assert run(gateway, operation(Verb.QUERY)).kind is OutcomeKind.UNKNOWN

    def test_without_a_hash_pays_nothing(self, gateway: VnpayGateway, server: LocalServer) -> None:
        server.reply_json({**query_answer(), "vnp_SecureHash": ""})
        assert run(gateway, operation(Verb.QUERY)).kind is OutcomeKind.UNKNOWN

    def test_may_be_signed_with_the_secret_before(
        self, gateway: VnpayGateway, server: LocalServer
    ) -> None:
        assert query(gateway, server, secret=OLD_SECRET).kind is OutcomeKind.SUCCEEDED

    @pytest.mark.parametrize(
        "changes",
        [
            {"TxnRef": "another"},
            {"TransactionType": "02"},
            {"TransactionType": ""},
            {"Amount": "10000001"},
            {"Amount": ""},
        ],
        ids=str,
    )
    def test_about_something_else_pays_nothing(
        self, gateway: VnpayGateway, server: LocalServer, changes: dict[str, str]
    ) -> None:
        assert query(gateway, server, **changes).kind is OutcomeKind.UNKNOWN


class TestFaults:
    @pytest.mark.parametrize("verb", [Verb.QUERY, Verb.REFUND])
    @pytest.mark.parametrize("reply", FAULTS)
    def test_leave_the_outcome_unknown(
        self, gateway: VnpayGateway, server: LocalServer, verb: Verb, reply: Reply
    ) -> None:
        server.reply(reply)
        outcome = run(gateway, operation(verb, PAID, money=PART))
        assert outcome.kind is OutcomeKind.UNKNOWN
        assert outcome.exchange is not None

    @pytest.mark.parametrize("verb", [Verb.QUERY, Verb.REFUND])
    def test_before_the_connection_prove_that_nothing_was_done(self, verb: Verb) -> None:
        options = {
            "tmn_code": TMN_CODE,
            "hash_secret": "S",
            "pay_url": refused_url(),
            "api_url": refused_url(),
        }
        asked = operation(verb, PAID, money=PART)
        assert run(VnpayGateway.from_settings(options), asked).kind is OutcomeKind.NOT_DONE


class TestRefund:
    def test_is_signed_in_the_published_order(
        self, gateway: VnpayGateway, server: LocalServer
    ) -> None:
        refund(gateway, server)
        sent = json.loads(server.received[0].body)
        assert sent.pop("vnp_SecureHash") == hmac_sha512(
            f"{CALL_REFERENCE}|2.1.0|refund|{TMN_CODE}|03|{REFERENCE}|4000000|14226112"
            f"|20261122103000|finance|20261122103500|10.1.2.3|Hoan tien giao dich {REFERENCE}"
        )

    def test_is_full_only_for_the_whole_payment(self, gateway: VnpayGateway) -> None:
        whole = operation(Verb.REFUND, PAID, money=PAID.money)
        part = operation(Verb.REFUND, PAID, money=PART)
        assert gateway.freeze(whole)["vnp_TransactionType"] == "02"
        assert gateway.freeze(part)["vnp_TransactionType"] == "03"

    def test_sends_the_zero_it_signs_where_their_number_is_unknown(
        self, gateway: VnpayGateway
    ) -> None:
        request = gateway.freeze(operation(Verb.REFUND, money=PART))
        assert request["vnp_TransactionNo"] == "0"

    def test_is_done_when_it_is_accepted(self, gateway: VnpayGateway, server: LocalServer) -> None:
        said = refund(gateway, server)
        assert (said.kind, said.money) == (OutcomeKind.SUCCEEDED, PART)
        assert (said.reference, said.psp_reference) == (CALL_REFERENCE, "14226999")

    @pytest.mark.parametrize("code", ["02", "03", "04", "13", "91", "93", "95"])
    def test_that_is_refused_is_declined(
        self, gateway: VnpayGateway, server: LocalServer, code: str
    ) -> None:
        said = refund(gateway, server, ResponseCode=code, TransactionStatus="")
        assert said.kind is OutcomeKind.DECLINED
        assert said.failure is not None
        assert (said.failure.code, said.failure.gateway_code) == (FailureCode.INVALID_REQUEST, code)

    @pytest.mark.parametrize(
        ("changes", "kind"),
        [
            ({"ResponseCode": "94"}, OutcomeKind.PENDING),
            ({"ResponseCode": "97"}, OutcomeKind.NOT_DONE),
            ({"ResponseCode": "98"}, OutcomeKind.UNKNOWN),
            ({"ResponseCode": "99"}, OutcomeKind.UNKNOWN),
            ({"ResponseCode": "42"}, OutcomeKind.UNKNOWN),
            ({"TransactionStatus": "09"}, OutcomeKind.DECLINED),
            ({"TransactionStatus": "88"}, OutcomeKind.UNKNOWN),
            ({"TxnRef": "another"}, OutcomeKind.UNKNOWN),
            ({"Amount": "4000001"}, OutcomeKind.UNKNOWN),
            ({"secret": "X"}, OutcomeKind.UNKNOWN),
            ({"secret": "X", "ResponseCode": "95"}, OutcomeKind.UNKNOWN),
        ],
        ids=str,
    )
    def test_says_no_more_than_it_knows(
        self,
        gateway: VnpayGateway,
        server: LocalServer,
        changes: dict[str, str],
        kind: OutcomeKind,
    ) -> None:
        assert refund(gateway, server, **changes).kind is kind


class TestQueryRefund:
    def ask(
        self, gateway: VnpayGateway, server: LocalServer, number: str = "", **changes: str
    ) -> Outcome:
        server.reply_json(query_answer(**changes))
        money = PART if changes.get("Amount") == "4000000" else PAID.money
        found = {"refund_reference": "refund1", "refund_psp_reference": number}
        return run(gateway, operation(Verb.QUERY_REFUND, PAID, money=money, **found))

    def test_finds_what_gave_everything_back(
        self, gateway: VnpayGateway, server: LocalServer
    ) -> None:
        said = self.ask(gateway, server, **FULL_REFUND)
        assert (said.kind, said.reference) == (OutcomeKind.SUCCEEDED, "refund1")

    def test_finds_a_part_by_its_number_alone(
        self, gateway: VnpayGateway, server: LocalServer
    ) -> None:
        """Another part of the same amount may have been given back before."""
        part = {**PART_REFUND, "TransactionNo": "14226999"}
        asked = [self.ask(gateway, server, number, **part) for number in ("14226999", "", "7")]
        kinds = [OutcomeKind.SUCCEEDED, OutcomeKind.UNKNOWN, OutcomeKind.UNKNOWN]
        assert [said.kind for said in asked] == kinds

    def test_takes_no_earlier_refusal_for_its_own(
        self, gateway: VnpayGateway, server: LocalServer
    ) -> None:
        refused = {**FULL_REFUND, "TransactionStatus": "09", "TransactionNo": "14226999"}
        assert self.ask(gateway, server, **refused).kind is OutcomeKind.UNKNOWN
        assert self.ask(gateway, server, "14226999", **refused).kind is OutcomeKind.DECLINED

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"TransactionType": "02", "Amount": "4000001"},
            {"Amount": "4000000"},
            {"ResponseCode": "99"},
        ],
        ids=str,
    )
    def test_takes_no_payment_for_a_refund(
        self, gateway: VnpayGateway, server: LocalServer, changes: dict[str, str]
    ) -> None:
        assert self.ask(gateway, server, **changes).kind is OutcomeKind.UNKNOWN
