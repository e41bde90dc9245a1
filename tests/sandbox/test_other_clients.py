"""What other people's clients for PayPal, VNPAY and MoMo do, and our own adapters do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
import requests

from tests.sandbox.momo_client import create_body, send
from tests.sandbox.paypal_client import (
    ORDERS,
    PAYMENTS,
    Caller,
    issue_of,
    money,
    new_key,
    order_body,
    rfc3339,
)
from tests.sandbox.sandbox_process import TMN_CODE
from tests.sandbox.vnpay_client import (
    digest,
    link_params,
    open_link,
    query,
    request_body,
)

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess

HOUR_S = 3600
# No JSON objects, or none that could be answered: half a surrogate pair is no text.
NO_OBJECTS = [
    pytest.param(body, id=name)
    for name, body in {
        "list": "[1]",
        "no member": "{}",
        "nonsense": "nonsense",
        "nothing": "",
        "too deep": '{"a":' * 20_000,
        "half a letter": r'{"orderInfo": "\ud800"}',
    }.items()
]


@pytest.fixture
def app(sandbox: SandboxProcess) -> Caller:
    return Caller(sandbox)


def item(price: str, quantity: str = "1", **more: Any) -> dict[str, Any]:
    return {"name": "Tea", "quantity": quantity, "unit_amount": money(price), **more}


def with_items(reference: str, parts: Any, *items: Any) -> dict[str, Any]:
    body = order_body(reference, "100.00")
    body["purchase_units"][0]["amount"]["breakdown"] = parts
    body["purchase_units"][0]["items"] = list(items)
    return body


class TestPaypalCalls:
    def test_need_no_type_for_a_body_that_is_not_there(self, app: Caller, reference: str) -> None:
        order = app.approved(reference, intent="AUTHORIZE")
        answer = app.post(f"{ORDERS}/{order['id']}/authorize", {}, key=new_key()).json()
        hold = answer["purchase_units"][0]["payments"]["authorizations"][0]["id"]
        # A session of requests would add a type; urllib3 below it adds none.
        void = requests.post(
            f"{app.sandbox.url}{PAYMENTS}/authorizations/{hold}/void",
            headers={"Authorization": f"Bearer {app.token}"},
            timeout=10,
        )
        assert (void.status_code, void.content) == (204, b"")

    def test_may_write_the_scheme_in_any_case(self, app: Caller) -> None:
        url = f"{app.sandbox.url}{ORDERS}/X"
        for scheme, status in (("bearer", 404), ("BEARER", 404), ("Basic", 401), ("", 401)):
            headers = {"Authorization": f"{scheme} {app.token}".strip()}
            assert requests.get(url, headers=headers, timeout=10).status_code == status

    @pytest.mark.parametrize(
        "path", ["/v2/checkout/nothing", "/v2/payments/sales/X", "/v1/customer/nobody"]
    )
    def test_to_nowhere_are_answered_in_json(self, app: Caller, path: str) -> None:
        answer = app.call("GET", path)
        assert (answer.status_code, answer.json()["name"]) == (404, "RESOURCE_NOT_FOUND")

    def test_may_change_the_intent_of_an_order(self, app: Caller, reference: str) -> None:
        order = app.create(reference)
        patch = [{"op": "replace", "path": "/intent", "value": "AUTHORIZE"}]
        assert app.call("PATCH", f"{ORDERS}/{order['id']}", patch).status_code == 204
        changed = app.get(f"{ORDERS}/{order['id']}")
        assert changed["intent"] == "AUTHORIZE"
        assert changed["links"][-1]["rel"] == "authorize"
        wrong = app.call("PATCH", f"{ORDERS}/{order['id']}", [{**patch[0], "value": "SALE"}])
        assert issue_of(wrong) == (400, "INVALID_PARAMETER_VALUE")


class TestPaypalSums:
    def test_take_items_that_add_up(self, app: Caller, reference: str) -> None:
        parts = {"item_total": money("90.00"), "tax_total": money("10.00"),
                 "discount": money("0.00")}  # fmt: skip
        body = with_items(reference, parts, item("45.00", "2", tax=money("5.00")))
        assert app.post(ORDERS, body, key=new_key()).status_code == 200

    @pytest.mark.parametrize(
        ("parts", "bought", "issue"),
        [
            ({"item_total": "90.00"}, item("45.00", "2"), (422, "AMOUNT_MISMATCH")),
            ({"item_total": "100.00"}, item("45.00", "2"), (422, "ITEM_TOTAL_MISMATCH")),
            ({"tax_total": "100.00"}, item("45.00", "2"), (422, "ITEM_TOTAL_REQUIRED")),
            (
                {"item_total": "100.00"},
                item("50.00", "2", tax=money("1.00")),
                (422, "TAX_TOTAL_REQUIRED"),
            ),
            (
                {"item_total": "90.00", "tax_total": "10.00"},
                item("45.00", "2", tax=money("1.00")),
                (422, "TAX_TOTAL_MISMATCH"),
            ),
            ({"item_total": "x"}, item("50.00", "2"), (400, "INVALID_PARAMETER_SYNTAX")),
            ({"item_total": "100.00"}, item("50.00", "x"), (400, "MISSING_REQUIRED_PARAMETER")),
        ],
    )
    def test_refuse_others(
        self, app: Caller, reference: str, parts: Any, bought: Any, issue: tuple[int, str]
    ) -> None:
        sums = {name: money(value) for name, value in parts.items()}
        answer = app.post(ORDERS, with_items(reference, sums, bought), key=new_key())
        assert issue_of(answer) == issue

    def test_are_no_server_error_when_they_are_nonsense(self, app: Caller, reference: str) -> None:
        nonsense: list[Any] = [[1], "x", {"item_total": "1"}, {"item_total": {}}]
        for parts in nonsense:
            answer = app.post(ORDERS, with_items(reference, parts, item("1.00")), key=new_key())
            assert answer.status_code in {400, 422}


class TestPaypalReports:
    def test_narrow_a_search(self, own_sandbox: SandboxProcess, reference: str) -> None:
        app = Caller(own_sandbox)
        capture = app.captured(reference, "50.00")["id"]
        app.post(f"{PAYMENTS}/captures/{capture}/refund", {"amount": money("1.00")}, key=new_key())
        own_sandbox.control("clock", advance_s=4 * HOUR_S)
        window = f"start_date={quote(rfc3339())}&end_date={quote(rfc3339(5 * HOUR_S))}"
        asked = {
            "transaction_type=T0006": 1, "transaction_type=T1107": 1, "transaction_status=D": 0,
            "transaction_currency=USD": 2, "transaction_currency=EUR": 0, "": 2,
        }  # fmt: skip
        for narrow, number in asked.items():
            found = app.get(f"/v1/reporting/transactions?{window}&{narrow}")
            assert found["total_items"] == number, narrow
        for narrow, currencies in (("USD", ["USD"]), ("EUR", []), ("ALL", ["USD"])):
            balances = app.get(f"/v1/reporting/balances?currency_code={narrow}")["balances"]
            assert [each["currency"] for each in balances] == currencies

    def test_refuse_a_page_that_cannot_be(self, app: Caller) -> None:
        answer = app.call("GET", "/v1/notifications/webhooks-events?page_size=all")
        assert issue_of(answer) == (400, "INVALID_PARAMETER_VALUE")


class TestVnpayLinks:
    def test_end_after_a_quarter_of_an_hour_unless_they_say(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        params = link_params(reference)
        del params["vnp_ExpireDate"]
        assert "PaymentMethod" in open_link(sandbox, params).headers["Location"]
        assert query(sandbox, params)["vnp_TransactionStatus"] == "01"
        sandbox.control("clock", advance_s=15 * 60 + 1)
        assert open_link(sandbox, params).headers["Location"].endswith("code=15")

    def test_may_hold_an_empty_parameter(self, sandbox: SandboxProcess, reference: str) -> None:
        # PHP and Python sign what is empty; Java and C# leave it out.
        params = link_params(reference, vnp_Bill_Mobile="")
        assert "PaymentMethod" in open_link(sandbox, params).headers["Location"]

    def test_survive_another_encoder_on_the_way(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        params = link_params(reference, vnp_OrderInfo="Don hang: a, b/c")
        signed = urlencode(sorted(params.items()))
        again = "&".join(f"{k}={quote(v, safe=':/,')}" for k, v in params.items())
        url = f"{sandbox.url}/paymentv2/vpcpay.html?{again}&vnp_SecureHash={digest(signed).upper()}"
        answer = sandbox.http.get(url, allow_redirects=False, timeout=10)
        assert "PaymentMethod" in answer.headers["Location"]
        changed = sandbox.http.get(url.replace("Don", "Dom"), allow_redirects=False, timeout=10)
        assert changed.headers["Location"].endswith("code=70")

    def test_are_refused_without_a_date(self, sandbox: SandboxProcess, reference: str) -> None:
        for date in ("", "soon", "20261399000000"):
            params = link_params(reference, vnp_CreateDate=date)
            del params["vnp_ExpireDate"]
            assert open_link(sandbox, params).headers["Location"].endswith("code=03")


class TestVnpayCalls:
    @pytest.mark.parametrize("body", NO_OBJECTS)
    def test_are_malformed_without_an_object(self, sandbox: SandboxProcess, body: str) -> None:
        url = f"{sandbox.url}/merchant_webapi/api/transaction"
        answer = sandbox.http.post(url, data=body, timeout=5)
        assert (answer.status_code, answer.json()["vnp_ResponseCode"]) == (200, "03")

    def test_may_send_numbers(self, sandbox: SandboxProcess, reference: str) -> None:
        params = link_params(reference)
        open_link(sandbox, params)
        sandbox.control("decide", gateway="vnpay", reference=reference, decision="approve")
        body: dict[str, Any] = dict(request_body("refund", params, vnp_TransactionNo=""))
        body["vnp_Amount"] = int(body["vnp_Amount"])
        del body["vnp_TransactionNo"]
        answer = sandbox.http.post(
            f"{sandbox.url}/merchant_webapi/api/transaction", json=body, timeout=10
        ).json()
        assert (answer["vnp_ResponseCode"], answer["vnp_TransactionStatus"]) == ("00", "05")

    def test_list_the_banks(self, sandbox: SandboxProcess) -> None:
        url = f"{sandbox.url}/qrpayauth/api/merchant/get_bank_list"
        banks = sandbox.http.post(url, data={"tmn_code": TMN_CODE}, timeout=5).json()
        assert banks[0]["bank_code"] == "NCB"
        assert {"bank_name", "bank_type", "display_order", "logo_link"} < set(banks[0])
        assert sandbox.http.post(url, data={"tmn_code": "OTHER001"}, timeout=5).json() == []


class TestMomoCalls:
    @pytest.mark.parametrize("body", NO_OBJECTS)
    def test_are_malformed_without_an_object(self, sandbox: SandboxProcess, body: str) -> None:
        answer = sandbox.http.post(
            f"{sandbox.url}/v2/gateway/api/create",
            data=body,
            headers={"Content-Type": "application/json; charset=UTF-8"},
            timeout=5,
        )
        assert (answer.status_code, answer.json()["resultCode"]) == (400, 20)

    @pytest.mark.parametrize("lang", [[], {}, 1, "fr"])
    def test_are_malformed_in_a_language_that_is_none(
        self, sandbox: SandboxProcess, reference: str, lang: Any
    ) -> None:
        answer = send(sandbox, "create", create_body(reference, lang=lang))
        assert (answer.status_code, answer.json()["resultCode"]) == (400, 20)
