"""PayPal from the shop's side: tokens, orders, the page, captures, holds and refunds."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.paypal_shop import (
    CANCEL_URL,
    ORDERS,
    PAYMENTS,
    Caller,
    event,
    events,
    issue_of,
    money,
    new_key,
    order_body,
    page_of,
    press,
    returned,
)
from tests.sandbox.player import PAYPAL_KEYS, eventually

if TYPE_CHECKING:
    from tests.sandbox.player import Player, Shop

HOUR_S = 3600
DAY_S = 24 * HOUR_S


@pytest.fixture
def app(player: Player) -> Caller:
    return Caller(player)


@pytest.fixture
def own_app(own_player: Player) -> Caller:
    return Caller(own_player)


class TestToken:
    def test_lasts_nine_hours(self, own_app: Caller, reference: str) -> None:
        own_app.player.control("clock", advance_s=31_667 - 10)
        assert own_app.create(reference)["status"] == "PAYER_ACTION_REQUIRED"
        own_app.player.control("clock", advance_s=11)
        answer = own_app.call("GET", f"{ORDERS}/X")
        assert (answer.status_code, answer.json()["name"]) == (401, "AUTHENTICATION_FAILURE")

    @pytest.mark.parametrize("token", ["", "A21AA", "A21AAffffffffff.0", "A21AAé"])
    def test_cannot_be_made_up(self, app: Caller, token: str) -> None:
        app.token = token.encode("utf-8").decode("latin-1")
        assert app.call("GET", f"{ORDERS}/X").status_code == 401

    def test_is_for_the_app_alone(self, app: Caller) -> None:
        answer = app.ask_token("wrong")
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


class TestCreate:
    def test_asks_for_the_buyer(self, app: Caller, reference: str) -> None:
        order = app.create(reference)
        assert order["status"] == "PAYER_ACTION_REQUIRED"
        unit = order["purchase_units"][0]
        assert unit["payee"]["merchant_id"] == PAYPAL_KEYS["PAYPAL_MERCHANT_ID"]
        assert (unit["custom_id"], unit["amount"]) == (reference, money("19.99"))
        assert page_of(order).endswith(f"/checkoutnow?token={order['id']}")
        charge = app.player.charge(reference)
        assert (charge["status"], charge["psp_reference"]) == ("open", order["id"])

    def test_without_a_source_is_the_older_answer(self, app: Caller, reference: str) -> None:
        body = order_body(reference)
        del body["payment_source"]
        answer = app.post(ORDERS, body)
        assert (answer.status_code, answer.json()["status"]) == (201, "CREATED")
        assert "approve" in {link["rel"] for link in answer.json()["links"]}

    def test_shows_little_unless_asked_for_all(self, app: Caller, reference: str) -> None:
        answer = app.post(ORDERS, order_body(reference), key=new_key(), full=False)
        assert set(answer.json()) == {"id", "status", "payment_source", "links"}

    def test_needs_a_request_id_with_a_source(self, app: Caller, reference: str) -> None:
        answer = app.post(ORDERS, order_body(reference))
        assert issue_of(answer) == (400, "PAYPAL_REQUEST_ID_REQUIRED")

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"intent": "SALE"}, (400, "INVALID_PARAMETER_VALUE")),
            ({"amount": None}, (400, "MISSING_REQUIRED_PARAMETER")),
            ({"amount": money("abc")}, (400, "INVALID_PARAMETER_SYNTAX")),
            ({"amount": money("0.00")}, (422, "CANNOT_BE_ZERO_OR_NEGATIVE")),
            ({"amount": money("-1.00")}, (422, "CANNOT_BE_ZERO_OR_NEGATIVE")),
            ({"amount": money("1.999")}, (422, "DECIMAL_PRECISION")),
            ({"amount": money("1.5", "JPY")}, (422, "DECIMALS_NOT_SUPPORTED")),
            ({"amount": money("5000", "VND")}, (422, "INVALID_CURRENCY_CODE")),
            ({"amount": money("1" * 16)}, (422, "MAX_VALUE_EXCEEDED")),
            ({"custom_id": "x" * 128}, (400, "INVALID_STRING_LENGTH")),
            (
                {"amount": {**money("10.00"), "breakdown": {"item_total": money("9.00")}}},
                (422, "AMOUNT_MISMATCH"),
            ),
        ],
    )
    def test_refuses_what_paypal_refuses(
        self, app: Caller, reference: str, changes: dict[str, Any], expected: tuple[int, str]
    ) -> None:
        answer = app.post(ORDERS, order_body(reference, **changes), key=new_key())
        assert issue_of(answer) == expected
        assert app.player.book(reference=reference)["charges"] == []

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("paypal", (400, "INVALID_PARAMETER_SYNTAX")),
            ([{}], (400, "INVALID_PARAMETER_SYNTAX")),
            ({"paypal": True}, (400, "INVALID_PARAMETER_SYNTAX")),
            ({"paypal": {"experience_context": ["x"]}}, (400, "INVALID_PARAMETER_SYNTAX")),
            (
                {"paypal": {"experience_context": {"user_action": "PAY"}}},
                (400, "INVALID_PARAMETER_VALUE"),
            ),
            (
                {"paypal": {"experience_context": {"brand_name": 5}}},
                (400, "INVALID_STRING_LENGTH"),
            ),
            ({"card": {"number": "x"}}, (422, "PAYMENT_SOURCE_NOT_SUPPORTED")),
        ],
    )
    def test_refuses_a_source_of_another_shape(
        self, app: Caller, reference: str, source: Any, expected: tuple[int, str]
    ) -> None:
        body = {**order_body(reference), "payment_source": source}
        assert issue_of(app.post(ORDERS, body, key=new_key())) == expected

    @pytest.mark.parametrize(
        "body", ["{", '{"a":' * 20_000, '{"intent": NaN}', r'{"intent": "\ud800"}']
    )
    def test_refuses_what_is_no_json(self, app: Caller, body: str) -> None:
        headers = {"Authorization": f"Bearer {app.token}", "Content-Type": "application/json"}
        url = app.player.url + ORDERS
        answer = app.player.http.post(url, data=body, headers=headers, timeout=10)
        assert issue_of(answer) == (400, "MALFORMED_REQUEST_JSON")

    def test_refuses_an_invoice_that_was_paid(self, app: Caller, reference: str) -> None:
        app.captured(reference)
        answer = app.post(ORDERS, order_body(reference), key=new_key())
        assert issue_of(answer) == (422, "DUPLICATE_INVOICE_ID")

    def test_takes_json_only(self, app: Caller, reference: str) -> None:
        answer = app.post(ORDERS, order_body(reference), **{"Content-Type": "text/plain"})
        assert answer.status_code == 415

    def test_obeys_the_mock_header(self, app: Caller, reference: str) -> None:
        header = {"PayPal-Mock-Response": '{"mock_application_codes": "DUPLICATE_INVOICE_ID"}'}
        answer = app.post(ORDERS, order_body(reference), key=new_key(), **header)
        assert issue_of(answer) == (422, "DUPLICATE_INVOICE_ID")

    def test_can_be_changed_until_it_is_paid(self, app: Caller, reference: str) -> None:
        order = app.create(reference)
        path = "/purchase_units/@reference_id=='default'/amount"
        patch = [{"op": "replace", "path": path, "value": money("25.00")}]
        answer = app.call("PATCH", f"{ORDERS}/{order['id']}", patch)
        assert answer.status_code == 204
        changed = app.get(f"{ORDERS}/{order['id']}")
        assert changed["purchase_units"][0]["amount"] == money("25.00")
        assert app.player.charge(reference)["amount"] == 2500
        wrong = [{"op": "replace", "path": "/status", "value": "COMPLETED"}]
        assert issue_of(app.call("PATCH", f"{ORDERS}/{order['id']}", wrong))[0] == 422
        strange = [{"op": ["replace"], "path": path, "value": money("25.00")}]
        assert issue_of(app.call("PATCH", f"{ORDERS}/{order['id']}", strange)) == (
            400,
            "INVALID_PATCH_OPERATION",
        )


class TestRequestId:
    def test_gives_the_latest_state_of_what_it_made(self, app: Caller, reference: str) -> None:
        key, body = new_key(), order_body(reference)
        first = app.post(ORDERS, body, key=key).json()
        press(app.player, page_of(first), decision="pay", source="approve")
        again = app.post(ORDERS, body, key=key)
        assert (again.status_code, again.json()["id"]) == (200, first["id"])
        assert (first["status"], again.json()["status"]) == ("PAYER_ACTION_REQUIRED", "APPROVED")

    def test_captures_once(self, app: Caller, reference: str) -> None:
        order, key = app.approved(reference), new_key()
        path = f"{ORDERS}/{order['id']}/capture"
        answers = [app.post(path, key=key) for _ in range(2)]
        assert [each.status_code for each in answers] == [201, 200]
        assert answers[0].json() == answers[1].json()
        assert app.player.charge(reference)["captured"] == 1999

    def test_moves_money_once_when_many_ask_at_once(self, app: Caller, reference: str) -> None:
        capture, key = app.captured(reference), new_key()
        url = f"{app.player.url}{PAYMENTS}/captures/{capture['id']}/refund"
        headers = {
            "Authorization": f"Bearer {app.token}",
            "Content-Type": "application/json",
            "PayPal-Request-Id": key,
        }

        def refund(_: int) -> int:
            body = (
                f'{{"amount": {{"currency_code": "USD", "value": "1.00"}}, "custom_id": "{key}"}}'
            )
            with requests.Session() as http:
                return http.post(url, data=body, headers=headers, timeout=10).status_code

        with ThreadPoolExecutor(16) as threads:
            statuses = list(threads.map(refund, range(32)))
        assert set(statuses) <= {200, 201, 409}
        assert statuses.count(201) == 1
        assert app.player.charge(reference)["refunded"] == 100

    def test_cannot_be_used_with_another_body(self, app: Caller, reference: str) -> None:
        key = new_key()
        app.post(ORDERS, order_body(reference), key=key)
        answer = app.post(ORDERS, order_body(reference, "20.00"), key=key)
        assert issue_of(answer) == (422, "DUPLICATE_REQUEST_ID")

    def test_is_forgotten_after_six_hours_by_orders(self, own_app: Caller, reference: str) -> None:
        key, body = new_key(), order_body(reference)
        first = own_app.post(ORDERS, body, key=key).json()
        own_app.player.control("clock", advance_s=6 * HOUR_S + 1)
        assert own_app.post(ORDERS, body, key=key).json()["id"] != first["id"]

    def test_is_remembered_for_45_days_by_refunds(self, own_app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/captures/{own_app.captured(reference)['id']}/refund"
        key, body = new_key(), {"amount": money("1.00")}
        for days, refunded in ((0, 100), (44, 100), (2, 200)):
            own_app.player.control("clock", advance_s=days * DAY_S)
            own_app.renew()
            own_app.post(path, body, key=key)
            assert own_app.player.charge(reference)["refunded"] == refunded


class TestPage:
    def test_shows_what_is_paid_to_whom(self, app: Caller, reference: str) -> None:
        page = app.player.http.get(page_of(app.create(reference)), timeout=10)
        for words in ("Sandbox – no real money", "19.99 USD", "Suite shop", "Order 1"):
            assert words in page.text
        assert "<script" not in page.text

    def test_asks_the_buyer_to_log_in_before_the_review(self, app: Caller, reference: str) -> None:
        page = page_of(app.create(reference))
        first = app.player.http.get(page, timeout=10).text
        assert 'type="password"' in first
        assert "Pay 19.99 USD" not in first
        wrong = {"decision": "log_in", "email": "nobody", "password": "x"}
        assert "Check your e-mail and password" in press(app.player, page, **wrong).text
        step = press(app.player, page, **(wrong | {"email": "buyer@example.com"}))
        assert step.status_code == 303
        review = app.player.http.get(app.player.url + step.headers["Location"], timeout=10).text
        assert "Pay 19.99 USD" in review

    def test_brings_the_buyer_back_approved(self, app: Caller, shop: Shop, reference: str) -> None:
        order = app.create(reference)
        back = returned(press(app.player, page_of(order), decision="pay", source="approve"))
        now = app.get(f"{ORDERS}/{order['id']}")
        assert back == {"order": "1", "token": order["id"], "PayerID": now["payer"]["payer_id"]}
        assert now["status"] == "APPROVED"
        told = event(shop, reference, "CHECKOUT.ORDER.APPROVED").json()["resource"]
        assert (told["id"], told["status"]) == (order["id"], "APPROVED")
        # Nothing is taken before the shop captures.
        assert app.player.charge(reference)["captured"] == 0

    def test_lets_the_buyer_cancel_and_come_again(
        self, app: Caller, shop: Shop, reference: str
    ) -> None:
        order = app.create(reference)
        back = returned(press(app.player, page_of(order), decision="cancel"), CANCEL_URL)
        assert back == {"token": order["id"]}
        assert app.get(f"{ORDERS}/{order['id']}")["status"] == "PAYER_ACTION_REQUIRED"
        returned(press(app.player, page_of(order), decision="pay", source="approve"))

    def test_leaves_everything_open_when_the_buyer_walks_away(
        self, app: Caller, shop: Shop, reference: str
    ) -> None:
        order = app.create(reference)
        assert "walked away" in press(app.player, page_of(order), decision="abandon").text
        assert app.get(f"{ORDERS}/{order['id']}")["status"] == "PAYER_ACTION_REQUIRED"
        assert events(shop, reference) == []

    def test_offers_another_way_after_a_decline(self, app: Caller, reference: str) -> None:
        order = app.create(reference)
        capture = f"{ORDERS}/{order['id']}/capture"
        bad = {"decision": "pay", "source": "decline:INSTRUMENT_DECLINED"}
        returned(press(app.player, page_of(order), **bad))
        assert issue_of(app.post(capture, key=new_key())) == (422, "INSTRUMENT_DECLINED")
        page = app.player.http.get(page_of(order), timeout=10)
        assert "Choose another" in page.text
        assert issue_of(app.post(capture, key=new_key())) == (422, "ORDER_NOT_APPROVED")
        returned(press(app.player, page_of(order), decision="pay", source="approve"))
        assert app.post(capture, key=new_key()).status_code == 201

    def test_counts_the_attempts(self, app: Caller, reference: str) -> None:
        order = app.create(reference)
        issues = []
        for _ in range(10):
            press(app.player, page_of(order), decision="decline:INSTRUMENT_DECLINED")
            answer = app.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
            issues.append(issue_of(answer)[1])
        assert issues == [
            *["INSTRUMENT_DECLINED"] * 9,
            "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
        ]

    def test_is_known_by_no_other_token(self, app: Caller) -> None:
        assert app.player.http.get(f"{app.player.url}/checkoutnow", timeout=10).status_code == 404

    def test_ends_after_three_hours(self, own_app: Caller, reference: str) -> None:
        order = own_app.create(reference)
        own_app.player.control("clock", advance_s=3 * HOUR_S + 1)
        assert own_app.player.http.get(page_of(order), timeout=10).status_code == 410
        gone = own_app.call("GET", f"{ORDERS}/{order['id']}")
        assert issue_of(gone) == (404, "INVALID_RESOURCE_ID")
        assert own_app.player.charge(reference)["status"] == "expired"


class TestRules:
    @pytest.mark.parametrize(
        ("decision", "where"),
        [("approve", "return"), ("decline:x", "return"), ("cancel", "cancel")],
    )
    def test_decide_without_anybody(
        self, app: Caller, reference: str, decision: str, where: str
    ) -> None:
        app.player.behaviour(gateway="paypal", reference=reference, decision=decision)
        page = app.player.http.get(
            page_of(app.create(reference)), allow_redirects=False, timeout=10
        )
        returned(page, f"http://127.0.0.1:9/{where}")

    def test_decline_again_when_the_buyer_comes_again(self, app: Caller, reference: str) -> None:
        app.player.behaviour(gateway="paypal", reference=reference, decision="decline:x")
        order = app.create(reference)
        for _ in range(2):
            returned(app.player.http.get(page_of(order), allow_redirects=False, timeout=10))
            answer = app.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
            assert issue_of(answer) == (422, "INSTRUMENT_DECLINED")
        assert app.player.charge(reference)["captured"] == 0

    @pytest.mark.parametrize(
        ("value", "issue"), [("73.11", "INSTRUMENT_DECLINED"), ("173.12", "TRANSACTION_REFUSED")]
    )
    def test_are_beaten_by_a_magic_amount(
        self, app: Caller, reference: str, value: str, issue: str
    ) -> None:
        app.player.behaviour(gateway="paypal", decision="approve")
        order = app.create(reference, value)
        returned(app.player.http.get(page_of(order), allow_redirects=False, timeout=10))
        answer = app.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
        assert issue_of(answer) == (422, issue)


class TestCapture:
    def test_takes_the_money_and_the_fee(self, app: Caller, shop: Shop, reference: str) -> None:
        capture = app.captured(reference, "100.00")
        assert (capture["status"], capture["custom_id"]) == ("COMPLETED", reference)
        assert capture["seller_receivable_breakdown"] == {
            "gross_amount": money("100.00"),
            "paypal_fee": money("3.98"),
            "net_amount": money("96.02"),
        }
        told = event(shop, reference, "PAYMENT.CAPTURE.COMPLETED").json()["resource"]
        assert told == capture
        charge = app.player.charge(reference)
        assert (charge["status"], charge["captured"]) == ("captured", 10_000)

    def test_needs_an_approval(self, app: Caller, reference: str) -> None:
        path = f"{ORDERS}/{app.create(reference)['id']}/capture"
        assert issue_of(app.post(path, key=new_key())) == (422, "ORDER_NOT_APPROVED")

    def test_is_done_once(self, app: Caller, reference: str) -> None:
        order = app.approved(reference)
        path = f"{ORDERS}/{order['id']}/capture"
        app.post(path, key=new_key())
        assert issue_of(app.post(path, key=new_key())) == (422, "ORDER_ALREADY_CAPTURED")
        assert app.player.charge(reference)["captured"] == 1999

    def test_is_no_authorization(self, app: Caller, reference: str) -> None:
        path = f"{ORDERS}/{app.approved(reference)['id']}/authorize"
        assert issue_of(app.post(path, key=new_key())) == (422, "ACTION_DOES_NOT_MATCH_INTENT")

    def test_may_be_declined_although_the_order_is_complete(
        self, app: Caller, shop: Shop, reference: str
    ) -> None:
        order = app.create(reference)
        press(app.player, page_of(order), decision="decline:DECLINED")
        answer = app.post(f"{ORDERS}/{order['id']}/capture", key=new_key()).json()
        capture = answer["purchase_units"][0]["payments"]["captures"][0]
        assert (answer["status"], capture["status"]) == ("COMPLETED", "DECLINED")
        event(shop, reference, "PAYMENT.CAPTURE.DECLINED")
        assert app.player.charge(reference)["status"] == "declined"

    @pytest.mark.parametrize(
        ("decision", "status", "word"),
        [("approve", "COMPLETED", "COMPLETED"), ("decline:x", "DECLINED", "DENIED")],
    )
    def test_may_wait_for_a_review(
        self,
        app: Caller,
        shop: Shop,
        reference: str,
        decision: str,
        status: str,
        word: str,
    ) -> None:
        order = app.create(reference)
        press(app.player, page_of(order), decision="pending")
        answer = app.post(f"{ORDERS}/{order['id']}/capture", key=new_key()).json()
        capture = answer["purchase_units"][0]["payments"]["captures"][0]
        assert capture["status_details"] == {"reason": "PENDING_REVIEW"}
        assert "seller_receivable_breakdown" not in capture
        refund = app.post(f"{PAYMENTS}/captures/{capture['id']}/refund", key=new_key())
        assert issue_of(refund) == (422, "PENDING_CAPTURE")
        app.player.control("decide", gateway="paypal", reference=reference, decision=decision)
        event(shop, reference, f"PAYMENT.CAPTURE.{word}")
        assert app.get(f"{PAYMENTS}/captures/{capture['id']}")["status"] == status
        taken = 1999 if status == "COMPLETED" else 0
        assert app.player.charge(reference)["captured"] == taken

    def test_comes_too_late_when_the_approval_was_reversed(
        self, own_app: Caller, own_shop: Shop, reference: str
    ) -> None:
        order = own_app.approved(reference)
        own_app.player.control("clock", advance_s=3 * HOUR_S + 1)
        event(own_shop, reference, "CHECKOUT.PAYMENT-APPROVAL.REVERSED")
        answer = own_app.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
        assert issue_of(answer) == (422, "ORDER_EXPIRED")
        assert own_app.player.charge(reference)["captured"] == 0


class TestHold:
    def held(self, app: Caller, reference: str) -> Any:
        order = app.approved(reference, intent="AUTHORIZE")
        answer = app.post(f"{ORDERS}/{order['id']}/authorize", key=new_key()).json()
        hold = answer["purchase_units"][0]["payments"]["authorizations"][0]
        assert (answer["status"], hold["status"]) == ("COMPLETED", "CREATED")
        assert app.player.charge(reference)["status"] == "authorized"
        return hold

    def test_is_taken_in_parts(self, app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(app, reference)['id']}"
        for value, status in (("5.00", "PARTIALLY_CAPTURED"), ("14.99", "CAPTURED")):
            answer = app.post(f"{path}/capture", {"amount": money(value)}, key=new_key())
            assert answer.status_code == 201
            assert app.get(path)["status"] == status
        late = app.post(f"{path}/capture", {"amount": money("1.00")}, key=new_key())
        assert issue_of(late) == (422, "AUTHORIZATION_ALREADY_CAPTURED")
        assert app.player.charge(reference)["captured"] == 1999

    @pytest.mark.parametrize(
        ("amount", "issue"),
        [
            (money("20.00"), "MAX_CAPTURE_AMOUNT_EXCEEDED"),
            (money("5.00", "EUR"), "AUTH_CAPTURE_CURRENCY_MISMATCH"),
        ],
    )
    def test_gives_no_more_than_it_holds(
        self, app: Caller, reference: str, amount: dict[str, str], issue: str
    ) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(app, reference)['id']}/capture"
        assert issue_of(app.post(path, {"amount": amount}, key=new_key())) == (422, issue)
        assert app.player.charge(reference)["captured"] == 0

    def test_is_let_go(self, app: Caller, shop: Shop, reference: str) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(app, reference)['id']}"
        assert app.post(f"{path}/void", key=new_key(), full=False).status_code == 204
        assert issue_of(app.post(f"{path}/void", key=new_key())) == (422, "PREVIOUSLY_VOIDED")
        assert issue_of(app.post(f"{path}/capture", key=new_key())) == (
            422,
            "AUTHORIZATION_VOIDED",
        )
        event(shop, reference, "PAYMENT.AUTHORIZATION.VOIDED")
        assert app.player.charge(reference)["status"] == "voided"

    def test_cannot_be_let_go_once_it_is_taken(self, app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(app, reference)['id']}"
        app.post(f"{path}/capture", key=new_key())
        assert issue_of(app.post(f"{path}/void", key=new_key())) == (422, "PREVIOUSLY_CAPTURED")

    def test_is_renewed_once_from_the_fourth_day_on(self, own_app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(own_app, reference)['id']}/reauthorize"
        statuses = []
        for days in (0, 4, 4):
            own_app.player.control("clock", advance_s=days * DAY_S)
            own_app.renew()
            statuses.append(own_app.post(path, key=new_key()).status_code)
        assert statuses == [422, 201, 422]
        assert own_app.player.charge(reference)["status"] == "authorized"

    def test_is_renewed_under_another_id_that_is_captured_then(
        self, own_app: Caller, reference: str
    ) -> None:
        first = self.held(own_app, reference)
        own_app.player.control("clock", advance_s=4 * DAY_S)
        own_app.renew()
        path, key = f"{PAYMENTS}/authorizations/{first['id']}", new_key()
        too_much = own_app.post(f"{path}/reauthorize", {"amount": money("22.99")}, key=new_key())
        assert issue_of(too_much) == (422, "REAUTHORIZATION_NOT_SUPPORTED")
        renewed = own_app.post(f"{path}/reauthorize", {"amount": money("22.98")}, key=key).json()
        assert own_app.post(f"{path}/reauthorize", {"amount": money("22.98")}, key=key).json() == (
            renewed
        )
        assert renewed["id"] != first["id"]
        # The 29 days are those of the first hold.
        assert renewed["expiration_time"] == first["expiration_time"]
        assert issue_of(own_app.post(f"{path}/capture", key=new_key())) == (
            422,
            "AUTHORIZATION_VOIDED",
        )
        path = f"{PAYMENTS}/authorizations/{renewed['id']}"
        assert own_app.post(f"{path}/capture", key=new_key()).status_code == 201
        assert own_app.player.charge(reference)["captured"] == 2298

    @pytest.mark.parametrize("word", ["PAYER_CANNOT_PAY", "DECLINED"])
    def test_stands_after_a_capture_that_a_later_rule_declines(
        self, app: Caller, reference: str, word: str
    ) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(app, reference)['id']}"
        app.player.behaviour(gateway="paypal", reference=reference, decision=f"decline:{word}")
        no = app.post(f"{path}/capture", key=new_key()).json()
        assert no.get("status") == "DECLINED" or no["details"][0]["issue"] == word
        assert app.get(path)["status"] == "CREATED"
        assert app.player.charge(reference)["status"] == "authorized"
        app.player.behaviour(gateway="paypal", reference=reference, decision="approve")
        assert app.post(f"{path}/capture", key=new_key()).json()["status"] == "COMPLETED"
        assert app.player.charge(reference)["captured"] == 1999

    def test_ends_after_29_days(self, own_app: Caller, own_shop: Shop, reference: str) -> None:
        path = f"{PAYMENTS}/authorizations/{self.held(own_app, reference)['id']}/capture"
        own_app.player.control("clock", advance_s=29 * DAY_S + 1)
        own_app.renew()
        event(own_shop, reference, "PAYMENT.AUTHORIZATION.VOIDED")
        assert issue_of(own_app.post(path, key=new_key())) == (422, "AUTHORIZATION_EXPIRED")
        assert own_app.player.charge(reference)["status"] == "voided"


class TestRefund:
    def test_gives_a_part_and_then_the_rest(self, app: Caller, shop: Shop, reference: str) -> None:
        capture = f"{PAYMENTS}/captures/{app.captured(reference)['id']}"
        part = app.post(f"{capture}/refund", {"amount": money("5.00")}, key=new_key())
        assert (part.status_code, part.json()["status"]) == (201, "COMPLETED")
        assert app.get(capture)["status"] == "PARTIALLY_REFUNDED"
        rest = app.post(f"{capture}/refund", key=new_key()).json()
        assert rest["amount"] == money("14.99")
        assert rest["seller_payable_breakdown"]["total_refunded_amount"] == money("19.99")
        assert app.get(capture)["status"] == "REFUNDED"
        assert app.get(f"{PAYMENTS}/refunds/{rest['id']}") == rest
        event(shop, part.json()["id"], "PAYMENT.CAPTURE.REFUNDED")
        charge = app.player.charge(reference)
        assert (charge["status"], charge["refunded"]) == ("refunded", 1999)
        again = app.post(f"{capture}/refund", key=new_key())
        assert issue_of(again) == (422, "CAPTURE_FULLY_REFUNDED")

    @pytest.mark.parametrize(
        ("amount", "issue"),
        [
            (money("20.00"), "REFUND_AMOUNT_EXCEEDED"),
            (money("5.00", "EUR"), "REFUND_CAPTURE_CURRENCY_MISMATCH"),
            (money("0.00"), "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ],
    )
    def test_keeps_to_its_bounds(
        self, app: Caller, reference: str, amount: dict[str, str], issue: str
    ) -> None:
        path = f"{PAYMENTS}/captures/{app.captured(reference)['id']}/refund"
        assert issue_of(app.post(path, {"amount": amount}, key=new_key())) == (422, issue)
        assert app.player.charge(reference)["refunded"] == 0

    def test_has_an_invoice_id_of_its_own(self, app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/captures/{app.captured(reference)['id']}/refund"
        body = {"amount": money("1.00"), "invoice_id": reference}
        assert issue_of(app.post(path, body, key=new_key())) == (422, "DUPLICATE_INVOICE_ID")

    def test_ends_after_180_days(self, own_app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/captures/{own_app.captured(reference)['id']}/refund"
        own_app.player.control("clock", advance_s=181 * DAY_S)
        own_app.renew()
        assert issue_of(own_app.post(path, key=new_key())) == (422, "REFUND_TIME_LIMIT_EXCEEDED")

    def test_that_fails_later_gives_the_money_back_to_the_payment(
        self, own_app: Caller, own_shop: Shop, reference: str
    ) -> None:
        capture = f"{PAYMENTS}/captures/{own_app.captured(reference)['id']}"
        own_app.player.behaviour(
            gateway="paypal", reference=reference, decision="decline:REFUND_FAILED"
        )
        refund = own_app.post(f"{capture}/refund", key=new_key()).json()
        assert (refund["status"], own_app.player.charge(reference)["refunded"]) == (
            "PENDING",
            1999,
        )
        own_app.player.control("clock", advance_s=61)
        event(own_shop, refund["id"], "PAYMENT.REFUND.FAILED")
        assert own_app.get(capture)["status"] == "COMPLETED"
        assert own_app.player.charge(reference)["refunded"] == 0


class TestFaults:
    @pytest.mark.parametrize("fault", ["refuse", "timeout_before", "http_500", "garbage"])
    def test_before_do_nothing(self, app: Caller, reference: str, fault: str) -> None:
        app.player.behaviour(gateway="paypal", reference=reference, api={"fault": fault})
        body, key = order_body(reference), new_key()
        assert not heard(app, body, key)
        assert app.player.book(reference=reference)["charges"] == []
        app.player.behaviour(gateway="paypal", reference=reference)
        assert heard(app, body, key)

    @pytest.mark.parametrize(
        "fault", ["timeout_after", "reset_after", "cut_body", "http_500_after"]
    )
    def test_after_are_done_and_the_repeat_hears_it(
        self, app: Caller, reference: str, fault: str
    ) -> None:
        app.player.behaviour(gateway="paypal", reference=reference, api={"fault": fault})
        body, key = order_body(reference), new_key()
        assert not heard(app, body, key)
        made = app.player.charge(reference)["psp_reference"]
        again = eventually(lambda: heard(app, body, key), "an answer")
        assert again["id"] == made

    def test_after_never_keep_the_token_from_a_shop(self, app: Caller, reference: str) -> None:
        app.player.behaviour(gateway="paypal", api={"fault": "reset_after"})
        app.renew()
        assert not heard(app, order_body(reference), new_key())
        assert app.player.charge(reference)["status"] == "open"

    def test_before_take_the_whole_gateway_down(self, app: Caller) -> None:
        app.player.behaviour(gateway="paypal", api={"fault": "http_500"})
        assert app.ask_token(PAYPAL_KEYS["PAYPAL_SECRET"]).status_code == 500


def heard(app: Caller, body: dict[str, Any], key: str) -> Any:
    """The order, or None where no answer came or none that says so."""
    try:
        answer = app.post(ORDERS, body, key=key, timeout_s=0.5)
        return answer.json() if answer.status_code == 200 else None
    except requests.RequestException:
        return None


class TestRestart:
    def test_keeps_orders_tokens_and_request_ids(
        self, own_app: Caller, own_shop: Shop, reference: str
    ) -> None:
        own_app.player.behaviour(
            gateway="paypal", reference=reference, decision="approve", decide_after_ms=5000
        )
        key, body = new_key(), order_body(reference)
        order = own_app.post(ORDERS, body, key=key).json()
        own_app.player.end(signal.SIGKILL)
        own_app.player.start()
        assert own_app.post(ORDERS, body, key=key).json() == order
        own_app.player.control("clock", advance_s=6)
        event(own_shop, reference, "CHECKOUT.ORDER.APPROVED")
        answer = own_app.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
        assert answer.status_code == 201
        assert own_app.player.charge(reference)["captured"] == 1999
