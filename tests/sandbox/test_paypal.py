"""PayPal from the shop's side: tokens, orders and the page."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.paypal_client import (
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
from tests.sandbox.sandbox_process import PAYPAL_KEYS

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop

HOUR_S = 3600
DAY_S = 24 * HOUR_S


@pytest.fixture
def app(sandbox: SandboxProcess) -> Caller:
    return Caller(sandbox)


@pytest.fixture
def own_app(own_sandbox: SandboxProcess) -> Caller:
    return Caller(own_sandbox)


class TestToken:
    def test_lasts_nine_hours(self, own_app: Caller, reference: str) -> None:
        own_app.sandbox.control("clock", advance_s=31_667 - 10)
        assert own_app.create(reference)["status"] == "PAYER_ACTION_REQUIRED"
        own_app.sandbox.control("clock", advance_s=11)
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
        charge = app.sandbox.charge(reference)
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
        assert app.sandbox.journal(reference=reference)["charges"] == []

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
        url = app.sandbox.url + ORDERS
        answer = app.sandbox.http.post(url, data=body, headers=headers, timeout=10)
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
        assert app.sandbox.charge(reference)["amount"] == 2500
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
        press(app.sandbox, page_of(first), decision="pay", source="approve")
        again = app.post(ORDERS, body, key=key)
        assert (again.status_code, again.json()["id"]) == (200, first["id"])
        assert (first["status"], again.json()["status"]) == ("PAYER_ACTION_REQUIRED", "APPROVED")

    def test_captures_once(self, app: Caller, reference: str) -> None:
        order, key = app.approved(reference), new_key()
        path = f"{ORDERS}/{order['id']}/capture"
        answers = [app.post(path, key=key) for _ in range(2)]
        assert [each.status_code for each in answers] == [201, 200]
        assert answers[0].json() == answers[1].json()
        assert app.sandbox.charge(reference)["captured"] == 1999

    def test_moves_money_once_when_many_ask_at_once(self, app: Caller, reference: str) -> None:
        capture, key = app.captured(reference), new_key()
        url = f"{app.sandbox.url}{PAYMENTS}/captures/{capture['id']}/refund"
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
        assert app.sandbox.charge(reference)["refunded"] == 100

    def test_cannot_be_used_with_another_body(self, app: Caller, reference: str) -> None:
        key = new_key()
        app.post(ORDERS, order_body(reference), key=key)
        answer = app.post(ORDERS, order_body(reference, "20.00"), key=key)
        assert issue_of(answer) == (422, "DUPLICATE_REQUEST_ID")

    def test_is_forgotten_after_six_hours_by_orders(self, own_app: Caller, reference: str) -> None:
        key, body = new_key(), order_body(reference)
        first = own_app.post(ORDERS, body, key=key).json()
        own_app.sandbox.control("clock", advance_s=6 * HOUR_S + 1)
        assert own_app.post(ORDERS, body, key=key).json()["id"] != first["id"]

    def test_is_remembered_for_45_days_by_refunds(self, own_app: Caller, reference: str) -> None:
        path = f"{PAYMENTS}/captures/{own_app.captured(reference)['id']}/refund"
        key, body = new_key(), {"amount": money("1.00")}
        for days, refunded in ((0, 100), (44, 100), (2, 200)):
            own_app.sandbox.control("clock", advance_s=days * DAY_S)
            own_app.renew()
            own_app.post(path, body, key=key)
            assert own_app.sandbox.charge(reference)["refunded"] == refunded


class TestPage:
    def test_shows_what_is_paid_to_whom(self, app: Caller, reference: str) -> None:
        page = app.sandbox.http.get(page_of(app.create(reference)), timeout=10)
        for words in ("Sandbox – no real money", "19.99 USD", "Suite shop", "Order 1"):
            assert words in page.text
        assert "<script" not in page.text

    def test_asks_the_buyer_to_log_in_before_the_review(self, app: Caller, reference: str) -> None:
        page = page_of(app.create(reference))
        first = app.sandbox.http.get(page, timeout=10).text
        assert 'type="password"' in first
        assert "Pay 19.99 USD" not in first
        wrong = {"decision": "log_in", "email": "nobody", "password": "x"}
        assert "Check your e-mail and password" in press(app.sandbox, page, **wrong).text
        step = press(app.sandbox, page, **(wrong | {"email": "buyer@example.com"}))
        assert step.status_code == 303
        review = app.sandbox.http.get(app.sandbox.url + step.headers["Location"], timeout=10).text
        assert "Pay 19.99 USD" in review

    def test_brings_the_buyer_back_approved(self, app: Caller, shop: Shop, reference: str) -> None:
        order = app.create(reference)
        back = returned(press(app.sandbox, page_of(order), decision="pay", source="approve"))
        now = app.get(f"{ORDERS}/{order['id']}")
        assert back == {"order": "1", "token": order["id"], "PayerID": now["payer"]["payer_id"]}
        assert now["status"] == "APPROVED"
        told = event(shop, reference, "CHECKOUT.ORDER.APPROVED").json()["resource"]
        assert (told["id"], told["status"]) == (order["id"], "APPROVED")
        # Nothing is taken before the shop captures.
        assert app.sandbox.charge(reference)["captured"] == 0

    def test_lets_the_buyer_cancel_and_come_again(
        self, app: Caller, shop: Shop, reference: str
    ) -> None:
        order = app.create(reference)
        back = returned(press(app.sandbox, page_of(order), decision="cancel"), CANCEL_URL)
        assert back == {"token": order["id"]}
        assert app.get(f"{ORDERS}/{order['id']}")["status"] == "PAYER_ACTION_REQUIRED"
        returned(press(app.sandbox, page_of(order), decision="pay", source="approve"))

    def test_leaves_everything_open_when_the_buyer_walks_away(
        self, app: Caller, shop: Shop, reference: str
    ) -> None:
        order = app.create(reference)
        assert "walked away" in press(app.sandbox, page_of(order), decision="abandon").text
        assert app.get(f"{ORDERS}/{order['id']}")["status"] == "PAYER_ACTION_REQUIRED"
        assert events(shop, reference) == []

    def test_offers_another_way_after_a_decline(self, app: Caller, reference: str) -> None:
        order = app.create(reference)
        capture = f"{ORDERS}/{order['id']}/capture"
        bad = {"decision": "pay", "source": "decline:INSTRUMENT_DECLINED"}
        returned(press(app.sandbox, page_of(order), **bad))
        assert issue_of(app.post(capture, key=new_key())) == (422, "INSTRUMENT_DECLINED")
        page = app.sandbox.http.get(page_of(order), timeout=10)
        assert "Choose another" in page.text
        assert issue_of(app.post(capture, key=new_key())) == (422, "ORDER_NOT_APPROVED")
        returned(press(app.sandbox, page_of(order), decision="pay", source="approve"))
        assert app.post(capture, key=new_key()).status_code == 201

    def test_counts_the_attempts(self, app: Caller, reference: str) -> None:
        order = app.create(reference)
        issues = []
        for _ in range(10):
            press(app.sandbox, page_of(order), decision="decline:INSTRUMENT_DECLINED")
            answer = app.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
            issues.append(issue_of(answer)[1])
        assert issues == [
            *["INSTRUMENT_DECLINED"] * 9,
            "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
        ]

    def test_is_known_by_no_other_token(self, app: Caller) -> None:
        assert app.sandbox.http.get(f"{app.sandbox.url}/checkoutnow", timeout=10).status_code == 404

    def test_ends_after_three_hours(self, own_app: Caller, reference: str) -> None:
        order = own_app.create(reference)
        own_app.sandbox.control("clock", advance_s=3 * HOUR_S + 1)
        assert own_app.sandbox.http.get(page_of(order), timeout=10).status_code == 410
        gone = own_app.call("GET", f"{ORDERS}/{order['id']}")
        assert issue_of(gone) == (404, "INVALID_RESOURCE_ID")
        assert own_app.sandbox.charge(reference)["status"] == "expired"


class TestRules:
    @pytest.mark.parametrize(
        ("decision", "where"),
        [("approve", "return"), ("decline:x", "return"), ("cancel", "cancel")],
    )
    def test_decide_without_anybody(
        self, app: Caller, reference: str, decision: str, where: str
    ) -> None:
        app.sandbox.behaviour(gateway="paypal", reference=reference, decision=decision)
        page = app.sandbox.http.get(
            page_of(app.create(reference)), allow_redirects=False, timeout=10
        )
        returned(page, f"http://127.0.0.1:9/{where}")

    def test_decline_again_when_the_buyer_comes_again(self, app: Caller, reference: str) -> None:
        app.sandbox.behaviour(gateway="paypal", reference=reference, decision="decline:x")
        order = app.create(reference)
        for _ in range(2):
            returned(app.sandbox.http.get(page_of(order), allow_redirects=False, timeout=10))
            answer = app.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
            assert issue_of(answer) == (422, "INSTRUMENT_DECLINED")
        assert app.sandbox.charge(reference)["captured"] == 0

    @pytest.mark.parametrize(
        ("value", "issue"), [("73.11", "INSTRUMENT_DECLINED"), ("173.12", "TRANSACTION_REFUSED")]
    )
    def test_are_beaten_by_a_magic_amount(
        self, app: Caller, reference: str, value: str, issue: str
    ) -> None:
        app.sandbox.behaviour(gateway="paypal", decision="approve")
        order = app.create(reference, value)
        returned(app.sandbox.http.get(page_of(order), allow_redirects=False, timeout=10))
        answer = app.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
        assert issue_of(answer) == (422, issue)
