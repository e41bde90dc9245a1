"""What PayPal answers here, held against the response schemas that PayPal has published.

``paypal_response_schemas.json`` is the part of its OpenAPI files that these answers use.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft4Validator

from tests.sandbox.paypal_client import ORDERS, PAYMENTS, Caller, event, money, new_key

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop

SCHEMAS = json.loads((Path(__file__).parent / "paypal_response_schemas.json").read_text())
HOLD, CAPTURE, REFUND = "authorization-2", "capture-2", "refund"
# Left out of the schemas: who paid is nobody's business here.
PEOPLE = {"payer", "payment_source"}


@pytest.fixture
def app(sandbox: SandboxProcess) -> Caller:
    return Caller(sandbox)


def held(app: Caller, reference: str) -> Any:
    """The order after its authorization."""
    order = app.approved(reference, intent="AUTHORIZE")
    return app.post(f"{ORDERS}/{order['id']}/authorize", key=new_key()).json()


def path_of_hold(order: Any) -> str:
    hold = order["purchase_units"][0]["payments"]["authorizations"][0]
    return f"{PAYMENTS}/authorizations/{hold['id']}"


def problems(kind: str, answer: Any) -> list[str]:
    """What in ``answer`` does not fit; fields that the schemas do not know are problems too."""
    part = SCHEMAS["orders" if kind == "order" else "payments"]
    root = {**part, "allOf": [{"$ref": f"#/components/schemas/{kind}"}]}
    kept = {name: value for name, value in answer.items() if name not in PEOPLE}
    errors = [error.message for error in Draft4Validator(root).iter_errors(kept)]
    known = json.dumps(SCHEMAS)
    return errors + [name for name in sorted(names(kept)) if f'"{name}":' not in known]


def names(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for item in value.values() for name in names(item)}
    return {name for item in value for name in names(item)} if isinstance(value, list) else set()


class TestAnswers:
    def test_of_an_order_fit_at_every_step(self, app: Caller, reference: str) -> None:
        order = app.approved(reference)
        path = f"{ORDERS}/{order['id']}"
        assert problems("order", order) == []
        assert problems("order", app.get(path)) == []
        assert problems("order", app.post(f"{path}/capture", key=new_key()).json()) == []
        assert problems("order", app.get(path)) == []

    def test_of_an_authorization_fit(self, app: Caller, reference: str) -> None:
        order = held(app, reference)
        assert problems("order", order) == []
        assert problems(HOLD, app.get(path_of_hold(order))) == []

    @pytest.mark.parametrize("value", ["5.00", "19.99"])
    def test_of_a_capture_fit(self, app: Caller, reference: str, value: str) -> None:
        order = held(app, reference)
        path = path_of_hold(order)
        body = {"amount": money(value), "final_capture": True}
        capture = app.post(f"{path}/capture", body, key=new_key()).json()
        assert problems(CAPTURE, capture) == []
        assert problems(CAPTURE, app.get(f"{PAYMENTS}/captures/{capture['id']}")) == []
        assert problems(HOLD, app.get(path)) == []
        assert problems("order", app.get(f"{ORDERS}/{order['id']}")) == []

    def test_of_a_void_fit(self, app: Caller, reference: str) -> None:
        path = path_of_hold(held(app, reference))
        answer = app.post(f"{path}/void", key=new_key()).json()
        assert answer["status"] == "VOIDED"
        assert problems(HOLD, answer) == []
        assert problems(HOLD, app.get(path)) == []

    @pytest.mark.parametrize("decision", ["approve", "decline:REFUND_PENDING"])
    def test_of_a_refund_fit(self, app: Caller, reference: str, decision: str) -> None:
        capture = app.captured(reference)
        app.sandbox.behaviour(gateway="paypal", reference=reference, decision=decision)
        path = f"{PAYMENTS}/captures/{capture['id']}"
        ours = {"custom_id": "r1", "invoice_id": new_key(), "note_to_payer": "Order 1"}
        body = {"amount": money("5.00"), **ours}
        refund = app.post(f"{path}/refund", body, key=new_key()).json()
        assert problems(REFUND, refund) == []
        assert problems(REFUND, app.get(f"{PAYMENTS}/refunds/{refund['id']}")) == []
        assert problems(CAPTURE, app.get(path)) == []

    def test_would_not_fit_with_a_mistake(self, app: Caller, reference: str) -> None:
        capture = app.captured(reference)
        assert problems(CAPTURE, capture | {"status": "DONE"}) != []
        assert problems(CAPTURE, capture | {"amount": {"value": "5.00"}}) != []
        assert problems(CAPTURE, capture | {"final_captrue": True}) == ["final_captrue"]


class TestEvents:
    def test_carry_what_the_answers_carry(self, app: Caller, shop: Shop, reference: str) -> None:
        path = path_of_hold(held(app, reference))
        capture = app.post(f"{path}/capture", key=new_key()).json()
        back = {"custom_id": reference}
        app.post(f"{PAYMENTS}/captures/{capture['id']}/refund", back, key=new_key())
        for kind, name in (
            (HOLD, "PAYMENT.AUTHORIZATION.CREATED"),
            (CAPTURE, "PAYMENT.CAPTURE.COMPLETED"),
            (REFUND, "PAYMENT.CAPTURE.REFUNDED"),
        ):
            assert problems(kind, event(shop, reference, name).json()["resource"]) == []
