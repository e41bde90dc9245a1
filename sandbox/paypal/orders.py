"""Orders v2: created by the shop, approved by the buyer, captured or authorized by the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox import charges
from sandbox.paypal import codes, invoices, money
from sandbox.paypal.errors import PaypalError, invalid, not_found, refused
from sandbox.paypal.order_requests import (
    UNIT_TEXTS,
    read_context,
    read_intent,
    read_order,
    read_source,
    read_unit,
)
from sandbox.paypal.store import HOUR_S, NAME, new_account, new_id, shown

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.paypal.payments import Payments
    from sandbox.paypal.store import Store

# The guides give the buyer three hours to approve, and the shop three more to capture.
LIFE_S: Final = 3 * HOUR_S
ATTEMPTS_MAX: Final = 10
WAITING: Final = ("CREATED", "PAYER_ACTION_REQUIRED")
PAYMENTS: Final = ("captures", "authorizations", "refunds")
BUYER: Final = {
    "name": {"given_name": "Linh", "surname": "Buyer"},
    "email_address": "linh.buyer@example.com",
    "address": {"country_code": "US"},
}


class Orders:
    """All orders, and what changes them."""

    def __init__(self, store: Store, payments: Payments) -> None:
        """Records are the table ``orders``."""
        self._store = store
        self._payments = payments

    def resume(self) -> None:
        """Schedule again what orders were waiting for."""
        for order in self._store.table("orders").values():
            self._schedule(order)

    def create(self, body: Json) -> Json:
        """Enter an order. Raises PaypalError."""
        intent, unit = read_order(body)
        invoices.require_new(self._store, unit.get("invoice_id"))
        order = self._new(body, intent, unit, with_source=bool(read_source(body)))
        rule = self._store.context.rules.of(NAME, order["_reference"])
        amount = money.stored(unit["amount"])
        order["_decision"] = codes.magic_decision(amount.minor) or rule.decision
        if order["_decision"] not in {"ask", "abandon"}:
            order["_decide_at"] = self._store.now + rule.decide_after_ms / 1000
        self._store.put("orders", order)
        self._store.context.charges.open(
            order["id"],
            charges.Payment(
                gateway=NAME,
                account=self._store.merchant_id,
                reference=order["_reference"],
                psp_reference=order["id"],
                amount=amount.minor,
                currency=amount.currency,
            ),
        )
        self._schedule(order)
        return order

    def get(self, order_id: str) -> Json:
        """An order that PayPal still shows. Raises PaypalError."""
        order = self._store.find("orders", order_id)
        if order["_expired"]:
            raise not_found()
        return order

    def shown(self, order: Json) -> Json:
        """An order with the payments in it."""
        answer: Json = shown(order)
        payments = {
            name: [shown(self._store.find(name, each)) for each in order[f"_{name}"]]
            for name in PAYMENTS
            if order[f"_{name}"]
        }
        if payments:
            answer["purchase_units"][0]["payments"] = payments
        return answer

    def patch(self, order: Json, changes: object) -> None:
        """Replace parts of an order that is not over. Raises PaypalError."""
        if order["status"] not in (*WAITING, "APPROVED"):
            raise refused("ORDER_ALREADY_COMPLETED")
        if not isinstance(changes, list):
            raise invalid("INVALID_PARAMETER_SYNTAX")
        unit, intent = dict(order["purchase_units"][0]), order["intent"]
        for change in changes:
            if isinstance(change, dict) and change.get("path") == "/intent":
                intent = read_intent(change.get("value"))
            else:
                self._change(unit, change)
        read_unit(unit)
        order["intent"] = intent
        self._link(order)
        order["purchase_units"] = [unit]
        self._store.put("orders", order)
        amount = money.stored(unit["amount"])
        self._store.context.charges.update(
            NAME, order["id"], amount=amount.minor, currency=amount.currency
        )

    def approve(self, order: Json, decision: str) -> bool:
        """The buyer agrees; ``decision`` says what the capture will meet.

        False if the order does not wait for that, or the decision is none.
        """
        outcome = codes.outcome_of(decision)
        if outcome is None or order["status"] not in WAITING or order["_expired"]:
            return False
        payer_id = order["_payer_id"] or new_account()
        order.update(
            status="APPROVED",
            payer=BUYER | {"payer_id": payer_id},
            _payer_id=payer_id,
            _outcome=outcome,
            _approved_at=self._store.now,
        )
        order["payment_source"] = {
            "paypal": {"account_id": payer_id, "account_status": "VERIFIED"} | BUYER
        }
        self._link(order)
        self._store.put("orders", order)
        self._store.emit(
            "CHECKOUT.ORDER.APPROVED", "checkout-order", self.shown(order), order["_reference"]
        )
        self._schedule(order)
        return True

    def decide(self, order: Json, decision: str) -> bool:
        """Take a decision in the buyer's place; a cancellation changes nothing at PayPal but the
        way back.
        """
        if decision == "cancel" and order["status"] in WAITING and not order["_expired"]:
            order["_decision"] = "cancel"
            self._store.put("orders", order)
            return True
        return self.approve(order, decision)

    def complete(self, order: Json, *, capture: bool) -> Json:
        """Capture or authorize an approved order. Raises PaypalError."""
        if capture != (order["intent"] == "CAPTURE"):
            raise refused("ACTION_DOES_NOT_MATCH_INTENT")
        if order["status"] == "COMPLETED":
            raise refused("ORDER_ALREADY_CAPTURED" if capture else "ORDER_ALREADY_AUTHORIZED")
        if order["status"] == "VOIDED":
            raise refused("ORDER_EXPIRED")
        if order["status"] != "APPROVED":
            raise refused("ORDER_NOT_APPROVED")
        outcome = order["_outcome"]
        if outcome in (*codes.RETRYABLE, *codes.FINAL_ISSUES):
            raise self._declined(order, outcome)
        if capture:
            self._payments.capture_order(order, outcome)
        else:
            self._payments.authorize(order, outcome)
        # Until it is over an order of PayPal's says nothing of when it changed.
        order.update(status="COMPLETED", update_time=self._store.stamp())
        self._link(order)
        self._store.put("orders", order)
        if outcome == codes.COMPLETED:
            self._store.emit(
                "CHECKOUT.ORDER.COMPLETED", "checkout-order", self.shown(order), order["_reference"]
            )
        return order

    def _new(self, body: Json, intent: str, unit: Json, *, with_source: bool) -> Json:
        order_id = new_id()
        order: Json = {
            "id": order_id,
            "intent": intent,
            "status": "PAYER_ACTION_REQUIRED" if with_source else "CREATED",
            "purchase_units": [
                {"reference_id": "default"}
                | unit
                | {"payee": {"merchant_id": self._store.merchant_id}}
            ],
            "create_time": self._store.stamp(),
            "_reference": unit.get("custom_id") or unit.get("invoice_id") or order_id,
            "_context": read_context(body),
            "_with_source": with_source,
            "_expires_at": self._store.now + LIFE_S,
            "_expired": False,
            "_decide_at": None,
            "_attempts": 0,
            "_payer_id": "",
            "_outcome": "",
            "_captures": [],
            "_authorizations": [],
            "_refunds": [],
        }
        if with_source:
            order["payment_source"] = {"paypal": {}}
        self._link(order)
        return order

    def _link(self, order: Json) -> None:
        """What can be done with an order in its state."""
        path = f"/v2/checkout/orders/{order['id']}"
        links = [self._store.link(path, "self")]
        if order["status"] in (*WAITING, "APPROVED"):
            rel = "payer-action" if order["_with_source"] else "approve"
            verb = order["intent"].lower()
            links += [
                self._store.link(f"/checkoutnow?token={order['id']}", rel),
                self._store.link(path, "update", "PATCH"),
                self._store.link(f"{path}/{verb}", verb, "POST"),
            ]
        order["links"] = links

    def _change(self, unit: Json, change: object) -> None:
        """One operation of a JSON patch on the one purchase unit."""
        if not isinstance(change, dict) or change.get("op") not in ("add", "replace", "remove"):
            raise invalid("INVALID_PATCH_OPERATION")
        prefix = f"/purchase_units/@reference_id=='{unit['reference_id']}'"
        path = str(change.get("path", ""))
        name = path.removeprefix(prefix).removeprefix("/")
        if not path.startswith(prefix) or name not in {*UNIT_TEXTS, "amount"} - {"reference_id"}:
            raise refused("NOT_PATCHABLE")
        if change["op"] == "remove":
            unit.pop(name, None)
        else:
            unit[name] = change.get("value")

    def _declined(self, order: Json, issue: str) -> PaypalError:
        """The capture is refused; some refusals let the buyer choose once more."""
        order["_attempts"] += 1
        if issue in codes.RETRYABLE:
            again = order["_attempts"] < ATTEMPTS_MAX
            if again:
                order.update(
                    status="PAYER_ACTION_REQUIRED" if order["_with_source"] else "CREATED",
                    _expires_at=self._store.now + LIFE_S,
                )
                self._schedule(order)
            else:
                issue = "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED"
                order["_outcome"] = "TRANSACTION_REFUSED"
        self._store.put("orders", order)
        if order["status"] == "APPROVED":
            self._store.context.charges.update(NAME, order["id"], status=charges.DECLINED)
        return refused(issue)

    def _schedule(self, order: Json) -> None:
        clock = self._store.context.clock
        if order["_expired"] or order["status"] in {"COMPLETED", "VOIDED"}:
            return
        if order["status"] == "APPROVED":
            clock.at(order["_approved_at"] + LIFE_S, lambda: self._reverse(order))
            return
        clock.at(order["_expires_at"], lambda: self._expire(order))
        if order["_decide_at"] is not None and not order["_attempts"]:
            clock.at(order["_decide_at"], lambda: self._decide_now(order))

    def _decide_now(self, order: Json) -> None:
        # After a declined capture the buyer has to come back; nobody approves in their absence.
        if not order["_attempts"]:
            self.approve(order, order["_decision"])

    def _expire(self, order: Json) -> None:
        if order["status"] in WAITING and self._store.now >= order["_expires_at"]:
            order["_expired"] = True
            self._store.put("orders", order)
            self._store.context.charges.update(NAME, order["id"], status=charges.EXPIRED)

    def _reverse(self, order: Json) -> None:
        """An approval that nobody captured is taken back."""
        if order["status"] != "APPROVED" or self._store.now < order["_approved_at"] + LIFE_S:
            return
        order.update(status="VOIDED", update_time=self._store.stamp())
        self._link(order)
        self._store.put("orders", order)
        self._store.context.charges.update(NAME, order["id"], status=charges.EXPIRED)
        unit = order["purchase_units"][0]
        names = ("reference_id", "custom_id", "invoice_id")
        self._store.emit(
            "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
            "checkout-order",
            {
                "order_id": order["id"],
                "purchase_units": [{name: unit[name] for name in names if name in unit}],
                "payment_source": order["payment_source"],
                "create_time": order["create_time"],
            },
            order["_reference"],
        )
