"""Checkout Sessions: the hosted page from its creation to paid, expired or abandoned."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from sandbox import charges
from sandbox.stripe.cards import MAGIC_AMOUNTS, MAGIC_MODULUS, Card, card_for
from sandbox.stripe.currencies import check_amount, iso_minor
from sandbox.stripe.customers import check_customer, new_customer
from sandbox.stripe.errors import StripeError, bad_value, missing, refused
from sandbox.stripe.intents import ASYNC, read_kept
from sandbox.stripe.objects import new_id
from sandbox.stripe.params import merged, metadata, need, whole
from sandbox.stripe.store import NAME

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.stripe.intents import Intents
    from sandbox.stripe.steps import Steps
    from sandbox.stripe.store import Store

LIFE_S: Final = 24 * 3600
LIFE_S_MIN: Final = 30 * 60
# Clocks differ a little; Stripe's own limit is not to the second either.
LIFE_SLACK_S: Final = 60
LINES_MAX: Final = 100
URL_MAX: Final = 5000
REFERENCE_MAX: Final = 200
# Up to twelve places, which have to be zero: nobody pays a part of the smallest unit here.
UNIT_DECIMAL: Final = re.compile(r"[0-9]+([.]0{1,12})?", re.ASCII)
KEPT: Final = ("cancel_url", "client_reference_id", "customer_email", "customer", "locale",
               "submit_type", "customer_creation", "adaptive_pricing")  # fmt: skip


class Sessions:
    """Everything that changes a Checkout Session."""

    def __init__(self, store: Store, intents: Intents, steps: Steps) -> None:
        """Listens to the steps of the intents that its sessions made."""
        self._store = store
        self._intents = intents
        steps.changed = self._follow

    def create(self, params: Json) -> Json:
        """``POST /v1/checkout/sessions`` with ``mode=payment`` and a hosted page."""
        if need(params, "mode") != "payment":
            raise bad_value("mode", "Only mode=payment is emulated here.")
        if params.get("ui_mode", "hosted_page") != "hosted_page":
            raise bad_value("ui_mode", "Only ui_mode=hosted_page is emulated here.")
        lines, currency = read_lines(need(params, "line_items"))
        total = sum(line["amount_total"] for line in lines)
        check_amount(total, currency)
        check_url("success_url", need(params, "success_url"))
        check_reference(params.get("client_reference_id", ""))
        if params.get("customer"):
            check_customer(self._store, params["customer"])
        data = read_intent_data(params.get("payment_intent_data") or {})
        session_id = new_id("cs_test_") + secrets.token_hex(16)
        session: Json = {
            "id": session_id,
            "amount_subtotal": total,
            "amount_total": total,
            "created": self._store.now,
            "currency": currency,
            "expires_at": self._read_expiry(params),
            "metadata": merged({}, params.get("metadata")),
            "payment_status": "unpaid",
            "status": "open",
            "success_url": params["success_url"],
            "url": f"{self._store.context.settings.url}/c/pay/{session_id}",
            "_lines": lines,
            "_intent": data,
            "_reference": reference_of(params, data, session_id),
        }
        session.update({name: params[name] for name in KEPT if name in params})
        self._enter(session)
        self._plan(session)
        self._save(session)
        self._schedule(session)
        return session

    def update(self, session: Json, params: Json) -> Json:
        """``POST /v1/checkout/sessions/{id}``: metadata only."""
        session["metadata"] = merged(session["metadata"], params.get("metadata"))
        self._save(session)
        return session

    def expire(self, session: Json) -> Json:
        """``POST /v1/checkout/sessions/{id}/expire``: only from open.

        Ends its unpaid intent too.
        """
        if session["status"] != "open":
            raise refused(f"Only open Checkout Sessions can expire, not {session['status']} ones.")
        session.update(status="expired", url=None)
        self._save(session)
        if session.get("payment_intent"):
            intent = self._store.get("payment_intents", session["payment_intent"])
            if intent["status"] != "processing":
                self._intents.cancel(intent, {}, by_stripe="expired")
        self._store.context.charges.update(NAME, session["id"], status=charges.EXPIRED)
        self._store.emit("checkout.session.expired", "sessions", session, session["_reference"])
        return session

    def pay(self, session: Json, card: Card, token: str, decision: str = "ask") -> str:
        """The shopper pays on the page. Returns the error to show, or nothing.

        The first attempt makes the PaymentIntent; later attempts use the same one.
        """
        if session["status"] != "open":
            return ""
        intent = self._intent(session)
        intent.update(_card=token, payment_method=new_id("pm_"), _return_url=self.page(session))
        try:
            self._intents.attempt(intent, card, decision)
        except StripeError as error:
            return str(error)
        return ""

    def decide(self, session: Json, decision: str) -> bool:
        """Decide in the shopper's place. False when the session is over or nothing was decided."""
        if session.get("payment_intent"):
            intent = self._store.get("payment_intents", session["payment_intent"])
            if self._intents.decide(intent, decision):
                return True
        if session["status"] != "open" or (
            decision not in {"approve", "pending"} and ":" not in decision
        ):
            return False
        card = card_for("pm_card_visa")
        assert card is not None
        self.pay(session, card, "pm_card_visa", decision)
        return True

    def page(self, session: Json) -> str:
        """The address of the hosted page, which a closed session no longer shows."""
        return f"{self._store.context.settings.url}/c/pay/{session['id']}"

    def resume(self) -> None:
        """Schedule again the expiry and the decision of open sessions."""
        for session in self._store.table("sessions").values():
            if session["status"] == "open":
                self._schedule(session)

    def _plan(self, session: Json) -> None:
        """Note the decision that needs nobody, from a magic amount or the rule."""
        rule = self._store.context.rules.of(NAME, session["_reference"])
        magic = MAGIC_AMOUNTS.get(session["amount_total"] % MAGIC_MODULUS)
        session["_decision"] = magic or rule.decision
        if session["_decision"] == "ask":
            session["_decide_at"] = None
        else:
            session["_decide_at"] = self._store.context.clock.now() + rule.decide_after_ms / 1000

    def _schedule(self, session: Json) -> None:
        clock = self._store.context.clock
        clock.at(session["expires_at"], lambda: self._run_out(session))
        if session["_decide_at"] is not None and not session.get("payment_intent"):
            clock.at(session["_decide_at"], lambda: self._decide_now(session))

    def _decide_now(self, session: Json) -> None:
        if session["status"] == "open":
            self.decide(session, session["_decision"])

    def _run_out(self, session: Json) -> None:
        if session["status"] == "open":
            self.expire(session)

    def _intent(self, session: Json) -> Json:
        if session.get("payment_intent"):
            return self._store.get("payment_intents", session["payment_intent"])
        data = session["_intent"]
        kept = data["kept"]
        intent = self._intents.make(
            session["amount_total"],
            session["currency"],
            kept.get("capture_method", ASYNC),
            data["metadata"],
        )
        own = {"_reference": session["_reference"], "_row": session["id"]}
        intent.update(own | kept, _session=session["id"], customer=session.get("customer"))
        # A session's intent is no secret before the shopper tries to pay, and known from then on.
        session["payment_intent"] = intent["id"]
        self._store.put("payment_intents", intent)
        self._store.emit("payment_intent.created", "payment_intents", intent, intent["_reference"])
        self._save(session)
        self._store.context.charges.update(NAME, session["id"], psp_reference=intent["id"])
        return intent

    def _follow(self, intent: Json) -> None:
        """Move the session on when its intent has moved."""
        if not intent.get("_session"):
            return
        session = self._store.get("sessions", intent["_session"])
        status = intent["status"]
        if session["status"] == "open" and status in {
            "succeeded",
            "requires_capture",
            "processing",
        }:
            paid = status == "succeeded"
            email = self._email(session)
            session.update(
                status="complete",
                url=None,
                payment_status="paid" if paid else "unpaid",
                customer_details={"email": email, "name": None, "phone": None, "address": None,
                                  "tax_exempt": "none", "tax_ids": []},
            )  # fmt: skip
            self._emit("completed", session)
        elif session["status"] == "complete" and session["payment_status"] == "unpaid":
            self._finish(session, intent)

    def _finish(self, session: Json, intent: Json) -> None:
        """The money of a delayed or captured-later payment has come, or will not come."""
        if intent["status"] == "succeeded":
            session["payment_status"] = "paid"
            delayed = intent["capture_method"] != "manual"
            self._save(session)
            if delayed:
                self._emit("async_payment_succeeded", session)
        elif intent["status"] == "requires_payment_method":
            self._store.context.charges.update(NAME, session["id"], status=charges.DECLINED)
            self._emit("async_payment_failed", session)

    def _email(self, session: Json) -> str:
        """The shopper's address; a session that makes a customer of everybody does so now."""
        customer = self._store.table("customers").get(session.get("customer") or "", {})
        email = session.get("customer_email") or customer.get("email") or "shopper@example.com"
        if session.get("customer_creation") == "always" and not customer:
            session["customer"] = new_customer(self._store, {"email": email})["id"]
        return str(email)

    def _emit(self, word: str, session: Json) -> None:
        self._save(session)
        self._store.emit(f"checkout.session.{word}", "sessions", session, session["_reference"])

    def _enter(self, session: Json) -> None:
        self._store.context.charges.open(
            session["id"],
            charges.Payment(
                gateway=NAME,
                account=self._store.account,
                reference=session["_reference"],
                psp_reference=session["id"],
                amount=iso_minor(session["amount_total"], session["currency"]),
                currency=session["currency"],
            ),
        )

    def _read_expiry(self, params: Json) -> int:
        now = self._store.now
        expires_at = int(params.get("expires_at", now + LIFE_S))
        if not now + LIFE_S_MIN - LIFE_SLACK_S <= expires_at <= now + LIFE_S + LIFE_SLACK_S:
            message = "expires_at must be between 30 minutes and 24 hours from now."
            raise bad_value("expires_at", message)
        return expires_at

    def _save(self, session: Json) -> None:
        self._store.put("sessions", session)


def reference_of(params: Json, data: Json, session_id: str) -> str:
    """The shop's reference: the intent's metadata, else the session's, else the session's id."""
    return data["metadata"].get("reference") or params.get("client_reference_id") or session_id


def read_intent_data(data: Json) -> Json:
    """What a session hands on to its PaymentIntent. Raises StripeError."""
    known = {"metadata", "capture_method", "description", "receipt_email", "setup_future_usage",
             "statement_descriptor", "statement_descriptor_suffix", "shipping", "on_behalf_of",
             "transfer_data", "transfer_group", "application_fee_amount"}  # fmt: skip
    for name in data:
        if name not in known:
            raise StripeError(
                400,
                f"Received unknown parameter: payment_intent_data[{name}]",
                code="parameter_unknown",
                param=f"payment_intent_data[{name}]",
            )
    return {
        "metadata": merged({}, metadata("payment_intent_data[metadata]", data.get("metadata", {}))),
        "kept": read_kept(data, "payment_intent_data[{}]"),
    }


def read_lines(items: list[Any]) -> tuple[list[Json], str]:
    """The line items and their common currency. Raises StripeError."""
    if not 0 < len(items) <= LINES_MAX:
        raise bad_value("line_items", f"line_items must have 1 to {LINES_MAX} items.")
    lines = [read_line(f"line_items[{number}]", item) for number, item in enumerate(items)]
    currencies = {line["currency"] for line in lines}
    if len(currencies) != 1:
        raise bad_value("line_items", "All line items must have the same currency.")
    return lines, currencies.pop()


def read_line(name: str, item: Json) -> Json:
    """One line item with an inline price. Raises StripeError."""
    price = read_map(name, item, "price_data")
    product = read_map(f"{name}[price_data]", price, "product_data")
    if not isinstance(price.get("currency"), str):
        raise missing(f"{name}[price_data][currency]")
    title = product.get("name")
    if not isinstance(title, str) or not title:
        raise missing(f"{name}[price_data][product_data][name]")
    unit = read_unit_amount(f"{name}[price_data]", price)
    quantity = whole(f"{name}[quantity]", item.get("quantity", "1"))
    if unit < 0 or quantity < 1:
        raise bad_value(name, "Invalid non-negative integer", "parameter_invalid_integer")
    return {
        "id": new_id("li_"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": unit * quantity,
        "amount_tax": 0,
        "amount_total": unit * quantity,
        "currency": price["currency"].lower(),
        "description": title,
        "adjustable_quantity": None,
        "metadata": {},
        "price": {"object": "price", "unit_amount": unit, "currency": price["currency"].lower()},
        "quantity": quantity,
    }


def read_unit_amount(name: str, price: Json) -> int:
    """The price of one piece, from either of its two members. Raises StripeError."""
    exact = price.get("unit_amount_decimal")
    if exact is None:
        if "unit_amount" not in price:
            raise missing(f"{name}[unit_amount]")
        return whole(f"{name}[unit_amount]", price["unit_amount"])
    if "unit_amount" in price:
        message = "You may only specify one of unit_amount and unit_amount_decimal."
        raise bad_value(f"{name}[unit_amount]", message)
    if not isinstance(exact, str) or not UNIT_DECIMAL.fullmatch(exact):
        message = "Only whole smallest units are emulated here."
        raise bad_value(f"{name}[unit_amount_decimal]", message, "parameter_invalid_integer")
    return int(exact.partition(".")[0])


def read_map(name: str, outer: object, key: str) -> Json:
    """A nested map that must be there. Raises StripeError."""
    inner = outer.get(key) if isinstance(outer, dict) else None
    if not isinstance(inner, dict):
        raise missing(f"{name}[{key}]")
    return inner


def check_reference(reference: str) -> None:
    """Raise StripeError for a client_reference_id that is too long."""
    if len(reference) > REFERENCE_MAX:
        message = f"Invalid string: must be at most {REFERENCE_MAX} characters."
        raise bad_value("client_reference_id", message)


def check_url(name: str, url: str) -> None:
    """Raise StripeError unless a shopper can be sent there."""
    if not url.startswith(("http://", "https://")) or len(url) > URL_MAX:
        raise bad_value(name, "Not a valid URL", "url_invalid")
