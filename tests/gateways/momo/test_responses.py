"""What MoMo's answers mean, verb by verb."""

import hashlib
import hmac
from datetime import timedelta

import pytest

from gateways.momo.config import Config
from gateways.momo.gateway import MomoGateway
from gateways.momo.mapping import KINDS, NOTICE_KINDS, RESULTS, Meaning
from gateways.operation import CaptureMethod, PaymentDetails, Verb
from gateways.outcome import FailureCode, Outcome, OutcomeKind
from money.money import Money
from tests.gateways.local_server import LocalServer, Reply, refused_url
from tests.gateways.momo.wallet import OPTIONS, content
from tests.gateways.samples import CALL_REFERENCE, REFERENCE, details, operation, run

DONG = Money(100_000, "VND")
PAID = details(psp_reference="42", psp_data={"trans_id": "42"})


class Asking:
    """Ask ``verb`` and let MoMo answer ``content``."""

    def __init__(self, momo: MomoGateway, server: LocalServer) -> None:
        self._momo = momo
        self._server = server

    def __call__(
        self, verb: Verb, content: object, payment: PaymentDetails | None = None, **extra: object
    ) -> Outcome:
        status = extra.pop("status", 200)
        assert isinstance(status, int)
        self._server.reply_json(content, status=status)
        return run(self._momo, operation(verb, payment or PAID, **extra))


@pytest.fixture
def ask(momo: MomoGateway, server: LocalServer) -> Asking:
    return Asking(momo, server)


class TestCreate:
    def test_code_zero_is_a_link_and_no_payment(self, ask: Asking, server: LocalServer) -> None:
        url = f"{server.url}/v2/gateway/pay?t=abc"
        answer = content(0, payUrl=url, deeplink="momo://app?x=1", qrCodeUrl="000201")
        outcome = ask(Verb.CREATE, answer)
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert outcome.next_action is not None
        assert outcome.next_action.url == url
        assert (outcome.next_action.qr, outcome.next_action.app_url) == ("000201", "momo://app?x=1")
        assert (outcome.account, outcome.psp_reference) == ("MOMO", "")

    def test_accepts_an_answer_without_app_link_and_qr(
        self, ask: Asking, server: LocalServer
    ) -> None:
        outcome = ask(Verb.CREATE, content(0, payUrl=f"{server.url}/x"), status=201)
        assert outcome.next_action is not None
        assert (outcome.next_action.qr, outcome.next_action.app_url) == ("", "")

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "javascript:alert(1)",
            "http://payment.momo.vn/pay",
            "https://payment.momo.vn.evil.example/pay",
            "https://evil.example\\.momo.vn/pay",
            "https://evil.example/?momo.vn",
            "https://[",
        ],
    )
    def test_hands_out_no_page_that_is_not_momos(self, ask: Asking, url: str) -> None:
        outcome = ask(Verb.CREATE, content(0, payUrl=url))
        assert (outcome.kind, outcome.next_action) == (OutcomeKind.UNKNOWN, None)

    def test_takes_momos_own_hosts(self, ask: Asking) -> None:
        outcome = ask(Verb.CREATE, content(0, payUrl="https://test-payment.momo.vn/v2/pay?t=a"))
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED

    def test_drops_an_app_link_that_is_not_momos(self, ask: Asking, server: LocalServer) -> None:
        answer = content(0, payUrl=f"{server.url}/x", deeplink="javascript:alert(1)")
        action = ask(Verb.CREATE, answer).next_action
        assert action is not None
        assert action.app_url == ""

    @pytest.mark.parametrize(
        ("signed", "noted"), [("", 0), ("short", 0), ("long", 0), ("in another way", 1)]
    )
    def test_notes_a_signature_that_no_text_of_the_manual_explains(
        self,
        ask: Asking,
        server: LocalServer,
        caplog: pytest.LogCaptureFixture,
        signed: str,
        noted: int,
    ) -> None:
        link = content(0, payUrl=f"{server.url}/x")
        names = ["amount", "orderId", "partnerCode", "payUrl", "requestId", "responseTime"]
        forms = {"short": sorted([*names, "resultCode"])}
        forms["long"] = sorted([*forms["short"], "message"])
        if signed:
            pairs: list[tuple[str, object]] = [("accessKey", OPTIONS["access_key"])]
            pairs += [(name, link[name]) for name in forms.get(signed, names)]
            text = "&".join(f"{name}={value}" for name, value in pairs)
            key = OPTIONS["secret_key"].encode()
            link["signature"] = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        assert ask(Verb.CREATE, link).kind is OutcomeKind.ACTION_REQUIRED
        told = [(one.message, one.__dict__["reference"]) for one in caplog.records]
        assert told == [("momo_link_signed_in_no_known_way", REFERENCE)] * noted

    @pytest.mark.parametrize("name", ["orderId", "requestId", "amount"])
    def test_an_answer_to_something_else_is_unknown(
        self, ask: Asking, server: LocalServer, name: str
    ) -> None:
        answer = content(0, payUrl=f"{server.url}/x", **{name: 999})
        assert ask(Verb.CREATE, answer).kind is OutcomeKind.UNKNOWN

    def test_an_answer_in_the_words_of_version_1_is_unknown(
        self, ask: Asking, server: LocalServer
    ) -> None:
        answer = content(0, payUrl=f"{server.url}/x", errorCode=0, localMessage="Thành công")
        del answer["resultCode"]
        assert ask(Verb.CREATE, answer).kind is OutcomeKind.UNKNOWN

    @pytest.mark.parametrize("name", ["orderId", "amount"])
    def test_a_link_that_names_no_payment_is_unknown(
        self, ask: Asking, server: LocalServer, name: str
    ) -> None:
        answer = content(0, payUrl=f"{server.url}/x")
        del answer[name]
        assert ask(Verb.CREATE, answer).kind is OutcomeKind.UNKNOWN

    @pytest.mark.parametrize(("status", "code"), [(200, 40), (200, 41), (422, 7000), (200, 99)])
    def test_a_repeat_that_momo_knows_leads_to_a_query(
        self, ask: Asking, status: int, code: int
    ) -> None:
        # PENDING is answered: what follows is a query, never the same bytes again.
        assert ask(Verb.CREATE, content(code), status=status).kind is OutcomeKind.PENDING

    @pytest.mark.parametrize("code", [11, 12, 13])
    def test_refused_credentials_are_not_a_decline(self, ask: Asking, code: int) -> None:
        assert ask(Verb.CREATE, content(code)).kind is OutcomeKind.NOT_DONE

    @pytest.mark.parametrize("code", [10, 20, 21, 22, 42, 43, 45, 47, 98, 2019])
    def test_an_explicit_no_ends_the_attempt_at_once(self, ask: Asking, code: int) -> None:
        # The requestId is used up, so there is nothing to wait for.
        outcome = ask(Verb.CREATE, content(code), status=400 if code == 20 else 200)
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.gateway_code == str(code)

    def test_a_link_under_an_error_status_is_unknown(
        self, ask: Asking, server: LocalServer
    ) -> None:
        outcome = ask(Verb.CREATE, content(0, payUrl=f"{server.url}/x"), status=404)
        assert outcome.kind is OutcomeKind.UNKNOWN

    @pytest.mark.parametrize("status", [301, 302, 307])
    def test_a_no_under_a_redirect_is_unknown(self, ask: Asking, status: int) -> None:
        assert ask(Verb.CREATE, content(1006), status=status).kind is OutcomeKind.UNKNOWN


class TestQuery:
    def test_code_zero_is_paid_with_momos_amount_and_number(self, ask: Asking) -> None:
        outcome = ask(Verb.QUERY, content(0, transId=4225107942, amount=90_000, payType="qr"))
        assert outcome.kind is OutcomeKind.SUCCEEDED
        # Another amount than ours is reported as it is; comparing is done elsewhere.
        assert outcome.money == Money(90_000, "VND")
        assert outcome.psp_reference == "4225107942"
        assert outcome.psp_data == {"trans_id": "4225107942", "pay_type": "qr"}

    def test_9000_is_paid_or_held_by_the_mode(self, ask: Asking) -> None:
        held = ask(Verb.QUERY, content(9000, transId=1), details(capture=CaptureMethod.MANUAL))
        paid = ask(Verb.QUERY, content(9000, transId=1), details(capture=CaptureMethod.AUTOMATIC))
        assert (held.kind, held.money) == (OutcomeKind.AUTHORIZED, DONG)
        assert paid.kind is OutcomeKind.SUCCEEDED

    @pytest.mark.parametrize("code", [1000, 42, 8000])
    def test_waiting_and_not_found_are_unpaid(self, ask: Asking, code: int) -> None:
        assert ask(Verb.QUERY, content(code)).kind is OutcomeKind.UNPAID

    @pytest.mark.parametrize("code", [7000, 7002])
    def test_work_in_progress_is_pending(self, ask: Asking, code: int) -> None:
        assert ask(Verb.QUERY, content(code)).kind is OutcomeKind.PENDING

    @pytest.mark.parametrize(
        ("code", "failure"),
        [
            (1001, FailureCode.INSUFFICIENT_FUNDS),
            (1002, FailureCode.DECLINED),
            (1003, FailureCode.EXPIRED),
            (1004, FailureCode.LIMIT_EXCEEDED),
            (1005, FailureCode.EXPIRED),
            (1006, FailureCode.CANCELLED),
            (1007, FailureCode.ACCOUNT_BLOCKED),
            (1017, FailureCode.CANCELLED),
            (4100, FailureCode.AUTHENTICATION_FAILED),
        ],
    )
    def test_final_words_end_the_payment_with_their_reason(
        self, ask: Asking, code: int, failure: FailureCode
    ) -> None:
        outcome = ask(Verb.QUERY, content(code, transId=1679649685462))
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is failure
        # A refusal's transId is a clock, so it must not become the payment's number.
        assert (outcome.psp_reference, outcome.psp_data) == ("", {})

    def test_99_ends_it_only_when_it_is_about_the_payment(self, ask: Asking) -> None:
        assert ask(Verb.QUERY, content(99)).kind is OutcomeKind.UNKNOWN
        assert ask(Verb.QUERY, content(99, transId=7)).kind is OutcomeKind.DECLINED

    @pytest.mark.parametrize("code", [20, 21, 40, 41, 1080, 11007, 5, -1, "x", None, True])
    def test_other_words_are_unknown(self, ask: Asking, code: object) -> None:
        assert ask(Verb.QUERY, content(0, resultCode=code)).kind is OutcomeKind.UNKNOWN

    @pytest.mark.parametrize("amount", [None, "", "1e5", 100_000.5, "100000.00", -5, True, 10**30])
    def test_an_amount_that_is_no_dong_is_unknown(self, ask: Asking, amount: object) -> None:
        outcome = ask(Verb.QUERY, content(0, transId=1, amount=amount))
        assert (outcome.kind, outcome.money) == (OutcomeKind.UNKNOWN, None)

    def test_reads_a_numeric_text_as_amount(self, ask: Asking) -> None:
        assert ask(Verb.QUERY, content(0, transId=1, amount="100000")).money == DONG

    def test_another_orders_answer_is_unknown(self, ask: Asking) -> None:
        assert ask(Verb.QUERY, content(0, transId=1, orderId="x")).kind is OutcomeKind.UNKNOWN

    def test_does_not_mind_whose_request_id_comes_back(self, ask: Asking) -> None:
        outcome = ask(Verb.QUERY, content(0, transId=1, requestId="the-creates"))
        assert outcome.kind is OutcomeKind.SUCCEEDED

    def test_reports_the_partner_that_momo_names(self, ask: Asking) -> None:
        assert ask(Verb.QUERY, content(0, transId=1, partnerCode="OTHER")).account == "OTHER"

    def test_adds_up_what_was_given_back(self, ask: Asking) -> None:
        refunds = [
            {"orderId": "a", "amount": 10_000, "resultCode": 0},
            {"orderId": "b", "amount": 5_000, "resultCode": 1080},
            {"orderId": "c", "amount": 20_000, "resultCode": 0},
        ]
        outcome = ask(Verb.QUERY, content(0, transId=1, refundTrans=refunds))
        assert outcome.psp_data["refunded"] == "30000"


class TestHolds:
    def test_capture_takes_the_money_and_keeps_the_payments_number(self, ask: Asking) -> None:
        outcome = ask(Verb.CAPTURE, content(0, transId=99))
        assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, DONG)
        assert (outcome.psp_reference, outcome.psp_data) == ("42", {})

    def test_void_ends_the_payment_as_cancelled(self, ask: Asking) -> None:
        outcome = ask(Verb.VOID, content(0, transId=42))
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.CANCELLED

    def test_a_release_under_an_error_status_is_unknown(self, ask: Asking) -> None:
        assert ask(Verb.VOID, content(0, transId=42), status=403).kind is OutcomeKind.UNKNOWN

    @pytest.mark.parametrize(
        ("verb", "reason"),
        [(Verb.CAPTURE, FailureCode.EXPIRED), (Verb.VOID, FailureCode.CANCELLED)],
    )
    def test_a_hold_that_is_gone_ends_it(
        self, ask: Asking, verb: Verb, reason: FailureCode
    ) -> None:
        said = ask(verb, content(1003))
        assert said.kind is OutcomeKind.DECLINED
        assert said.failure is not None
        assert said.failure.code is reason

    @pytest.mark.parametrize("verb", [Verb.CAPTURE, Verb.VOID])
    @pytest.mark.parametrize("code", [10, 20, 22, 40, 41, 42, 43, 99, 1002, 7000])
    def test_any_other_no_leaves_the_hold_to_a_query(
        self, ask: Asking, verb: Verb, code: int
    ) -> None:
        assert ask(verb, content(code)).kind is OutcomeKind.PENDING


class TestRefund:
    def test_done_is_the_refunds_own_number_and_amount(self, ask: Asking) -> None:
        answer = content(0, orderId=CALL_REFERENCE, amount=40_000, transId=77)
        outcome = ask(Verb.REFUND, answer, money=Money(40_000, "VND"))
        assert outcome.kind is OutcomeKind.SUCCEEDED
        assert (outcome.money, outcome.psp_reference) == (Money(40_000, "VND"), "77")
        # The payment's number must survive its refunds.
        assert outcome.psp_data == {}

    def test_1080_is_a_no_now_and_names_the_wait(self, ask: Asking) -> None:
        outcome = ask(Verb.REFUND, content(1080, orderId=CALL_REFERENCE))
        assert (outcome.kind, outcome.retry_after_s) == (OutcomeKind.DECLINED, 3600)

    @pytest.mark.parametrize("code", [1081, 1088, 1001, 21])
    def test_explicit_refusals_end_the_refund(self, ask: Asking, code: int) -> None:
        outcome = ask(Verb.REFUND, content(code, orderId=CALL_REFERENCE))
        assert outcome.kind is OutcomeKind.DECLINED

    @pytest.mark.parametrize("code", [40, 41, 99, 7000, 7002])
    def test_doubt_is_asked_about_and_never_tried_again(self, ask: Asking, code: int) -> None:
        outcome = ask(Verb.REFUND, content(code, orderId=CALL_REFERENCE))
        assert outcome.kind is OutcomeKind.PENDING

    def test_the_purchases_order_id_in_the_answer_is_unknown(self, ask: Asking) -> None:
        assert ask(Verb.REFUND, content(0)).kind is OutcomeKind.UNKNOWN

    def test_query_finds_it_in_the_list(self, ask: Asking) -> None:
        listed = [
            {"orderId": "other", "amount": 1_000, "resultCode": 0, "transId": 1},
            {"orderId": "mine", "amount": 2_000, "resultCode": 0, "transId": 2},
        ]
        answer = content(0, orderId="mine", refundTrans=listed)
        outcome = ask(Verb.QUERY_REFUND, answer, refund_reference="mine")
        assert (outcome.kind, outcome.psp_reference) == (OutcomeKind.SUCCEEDED, "2")
        assert outcome.money == Money(2_000, "VND")

    def test_query_reads_an_answer_that_lists_none(self, ask: Asking) -> None:
        for code, kind in (
            (0, OutcomeKind.SUCCEEDED),
            (1081, OutcomeKind.DECLINED),
            (7002, OutcomeKind.PENDING),
            (42, OutcomeKind.UNPAID),
        ):
            answer = content(code, orderId="mine", transId=2, amount=2_000)
            assert ask(Verb.QUERY_REFUND, answer, refund_reference="mine").kind is kind

    def test_query_over_a_list_without_it_proves_nothing(self, ask: Asking) -> None:
        answer = content(0, orderId="mine", refundTrans=[], transId=42)
        outcome = ask(Verb.QUERY_REFUND, answer, refund_reference="mine")
        assert outcome.kind is OutcomeKind.UNKNOWN


class TestTrouble:
    @pytest.mark.parametrize("verb", [Verb.CREATE, Verb.QUERY, Verb.CAPTURE, Verb.REFUND])
    @pytest.mark.parametrize(
        "reply",
        [
            Reply(500, b"{}"),
            Reply(503, b'{"resultCode": 1002}'),
            Reply(200, b"<html>"),
            Reply(200, b"[]"),
            Reply(200, b""),
            Reply(200, b"{}"),
            Reply(404, b"not here"),
            Reply(422, b"{}"),
            Reply(200, b"{}", fault="reset"),
            Reply(200, b"{}", fault="cut"),
        ],
    )
    def test_is_unknown(
        self, momo: MomoGateway, server: LocalServer, verb: Verb, reply: Reply
    ) -> None:
        server.reply(reply)
        outcome = run(momo, operation(verb, PAID))
        assert outcome.kind is OutcomeKind.UNKNOWN
        assert outcome.exchange is not None

    def test_a_refused_connection_is_certainly_not_done(self) -> None:
        momo = MomoGateway(Config.from_settings({**OPTIONS, "api_base": refused_url()}))
        assert run(momo, operation(Verb.CREATE)).kind is OutcomeKind.NOT_DONE

    @pytest.mark.parametrize("status", [401, 403, 429])
    @pytest.mark.parametrize("verb", [Verb.CREATE, Verb.REFUND])
    def test_a_door_that_momo_closes_is_certainly_not_done(
        self, momo: MomoGateway, server: LocalServer, status: int, verb: Verb
    ) -> None:
        server.reply_json({"resultCode": 11}, status=status, Retry_After="7")
        outcome = run(momo, operation(verb, PAID))
        assert outcome.kind is OutcomeKind.NOT_DONE
        assert outcome.retry_after_s == 7

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
    @pytest.mark.parametrize("body", [b"<html>Forbidden</html>", b'{"error": "Forbidden"}'])
    def test_a_door_that_somebody_on_the_way_closes_is_unknown(
        self, momo: MomoGateway, server: LocalServer, status: int, body: bytes
    ) -> None:
        # A filter may throw away the answer to a link that was made.
        server.reply(Reply(status, body, headers={"Retry-After": "7"}))
        outcome = run(momo, operation(Verb.CREATE))
        assert outcome.kind is OutcomeKind.UNKNOWN
        assert outcome.retry_after_s == 7

    def test_momo_is_given_the_half_minute_that_it_asks_for(self, momo: MomoGateway) -> None:
        assert momo.read_timeout_s >= 30
        assert momo._http._timeout.read_timeout == momo.read_timeout_s
        assert momo.key_lifetime == timedelta(days=30)


class TestTables:
    def test_only_final_codes_end_a_payment(self) -> None:
        for code, result in RESULTS.items():
            for table in (KINDS[Verb.QUERY], NOTICE_KINDS):
                if table.get(result.meaning) is OutcomeKind.DECLINED:
                    assert result.final, code

    def test_every_code_of_the_list_is_there(self) -> None:
        final = "0 98 99 1001 1002 1003 1004 1005 1006 1007 1017 1026 1080 1081 1088 2019 4001"
        open_ = "10 11 12 13 20 21 22 40 41 42 43 45 47 1000 7000 7002 8000 8200 9000"
        assert {code for code, r in RESULTS.items() if r.final} == {*final.split(), "4002", "4100"}
        assert {code for code, r in RESULTS.items() if not r.final} == set(open_.split())

    def test_a_refund_never_succeeds_by_a_word_about_a_payment(self) -> None:
        for verb in (Verb.REFUND, Verb.QUERY_REFUND):
            good = [m for m, kind in KINDS[verb].items() if kind is OutcomeKind.SUCCEEDED]
            assert good == [Meaning.DONE]
