"""The life of a payment at MoMo: a link, one decision, an IPN; confirmed, released or refunded."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Final

from sandbox import charges
from sandbox.clock import iso
from sandbox.momo import codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json

NAME: Final = "momo"
LINK_LIFE_S: Final = 15 * 60
# MoMo names no time for how long it holds money; a hold nobody confirmed ends after a month here.
HOLD_LIFE_S: Final = 30 * 24 * 3600
# How long a bank thinks when the shopper chose a slow one on the page.
BANK_THINKS_S: Final = 60
FIRST_NUMBER: Final = 4_000_000_000
FIRST_REFUND_NUMBER: Final = 4_500_000_000

# payType of the ways a shopper can choose on the pages.
PAY_TYPES: Final[Mapping[str, str]] = {
    "web": "webApp",
    "app": "app",
    "qr": "qr",
    "card": "credit",
    "atm": "napas",
}
METHOD_OF: Final[Mapping[str, str]] = {"payWithATM": "atm", "payWithCC": "card"}
OPEN: Final = (codes.WAITING, codes.PENDING)
STATUS_OF: Final[Mapping[int, str]] = {
    codes.SUCCESS: charges.CAPTURED,
    codes.AUTHORIZED: charges.AUTHORIZED,
    codes.PENDING: charges.PENDING,
    codes.REFUSED: charges.CANCELLED,
    codes.LINK_EXPIRED: charges.EXPIRED,
    codes.RELEASED: charges.VOIDED,
}


class Payments:
    """All payments by orderId, and the rules that change them."""

    def __init__(self, context: SandboxContext, partner_code: str) -> None:
        """``partner_code`` is the one shop of this sandbox."""
        self._context = context
        self._partner_code = partner_code
        self._table = context.journal.table("momo.payments")
        self._numbers = {each["trans_id"]: each for each in self._table.values() if each["number"]}

    def get(self, order_id: str) -> Json | None:
        """The payment of an orderId."""
        return self._table.get(order_id)

    def by_token(self, token: str) -> Json | None:
        """The payment whose page has this token."""
        link = self._context.journal.table("momo.tokens").get(token)
        return self._table.get(link["order_id"]) if link else None

    def by_number(self, trans_id: int) -> Json | None:
        """The payment that took or holds money under MoMo's own number."""
        return self._numbers.get(trans_id)

    def open(self, request: Json) -> Json:
        """Enter the payment of a checked create; books its expiry and any decision that needs
        nobody.
        """
        order_id, amount = request["orderId"], int(request["amount"])
        rule = self._context.rules.of(NAME, order_id)
        decision = codes.magic_decision(amount) or rule.decision
        auto_capture = request.get("autoCapture", True)
        decides = codes.code_for(decision, auto_capture=auto_capture) is not None
        now = self._context.clock.now()
        payment: Json = {
            "order_id": order_id,
            "request": request,
            "amount": amount,
            "auto_capture": auto_capture,
            "lang": request.get("lang", "vi"),
            "token": secrets.token_hex(32),
            "created_at": now,
            "expires_at": now + LINK_LIFE_S,
            "code": codes.WAITING,
            "trans_id": 0,
            "number": False,
            "pay_type": "",
            "updated_at": now,
            "bank": None,
            "refunds": [],
            "decision": decision,
            "decide_at": now + rule.decide_after_ms / 1000 if decides else None,
        }
        self._save(payment)
        self._context.journal.put("momo.tokens", payment["token"], {"order_id": order_id})
        self._context.charges.open(order_id, self._row(payment))
        self._schedule(payment)
        return payment

    def resume(self) -> None:
        """Schedule again what unfinished payments and refunds were waiting for."""
        for payment in self._table.values():
            if payment["code"] in OPEN or payment["code"] == codes.AUTHORIZED:
                self._schedule(payment)
            for refund in payment["refunds"]:
                if refund["code"] == codes.PENDING:
                    self._book_refund(payment, refund)

    def decide(self, payment: Json, decision: str, method: str | None = None) -> bool:
        """Take a decision about an open payment, and post its IPN if that ends it.

        False if it was over, or nothing was decided.
        """
        code = codes.code_for(decision, auto_capture=payment["auto_capture"])
        if code is None or payment["code"] not in OPEN or code == payment["code"]:
            return False
        self._move(payment, code, method)
        if code != codes.PENDING:
            self._tell(payment)
        return True

    def leave_to_bank(self, payment: Json, decision: str, method: str) -> bool:
        """The bank takes a minute before it decides. False if the payment was over."""
        if not self.decide(payment, "pending", method):
            return False
        payment["bank"] = {"decision": decision, "at": self._context.clock.now() + BANK_THINKS_S}
        self._save(payment)
        self._schedule(payment)
        return True

    def confirm(self, payment: Json, *, capture: bool) -> None:
        """Take the held money, or let it go; the rules were checked before."""
        self._move(payment, codes.SUCCESS if capture else codes.RELEASED, None)

    def refund(self, payment: Json, order_id: str, amount: int, code: int) -> Json:
        """Enter a refund that ended with ``code``; the rules were checked before."""
        refund: Json = {
            "order_id": order_id,
            "amount": amount,
            "code": code,
            "trans_id": FIRST_REFUND_NUMBER + len(self._context.journal.table("momo.refunds")),
            "created_at": self._context.clock.now(),
        }
        payment["refunds"].append(refund)
        self._save(payment)
        self._context.journal.put("momo.refunds", order_id, {"of": payment["order_id"]})
        status = {codes.SUCCESS: "succeeded", codes.PENDING: "pending"}.get(code, charges.FAILED)
        self._context.charges.refund(
            order_id,
            gateway=NAME,
            charge=payment["order_id"],
            psp_reference=str(refund["trans_id"]),
            amount=amount,
            status=status,
        )
        if code == codes.PENDING:
            self._book_refund(payment, refund)
        return refund

    def refunded(self, payment: Json) -> int:
        """What was, or is being, given back, in đồng."""
        moved = (codes.SUCCESS, codes.PENDING)
        return sum(each["amount"] for each in payment["refunds"] if each["code"] in moved)

    def result(self, payment: Json) -> Json:
        """The fields of the IPN and of the browser's return, without the signature."""
        request = payment["request"]
        return {
            "partnerCode": self._partner_code,
            "orderId": payment["order_id"],
            "requestId": request["requestId"],
            "amount": payment["amount"],
            "orderInfo": request["orderInfo"],
            "orderType": "momo_wallet",
            "transId": payment["trans_id"],
            "resultCode": payment["code"],
            "message": codes.message(payment["code"], payment["lang"]),
            "payType": payment["pay_type"],
            "responseTime": milliseconds(payment["updated_at"]),
            "extraData": request["extraData"],
        }

    def _move(self, payment: Json, code: int, method: str | None) -> None:
        now = self._context.clock.now()
        took = code in {codes.SUCCESS, codes.AUTHORIZED}
        if took and not payment["number"]:
            payment.update(number=True, trans_id=FIRST_NUMBER + len(self._numbers))
            self._numbers[payment["trans_id"]] = payment
        elif not payment["number"]:
            # On a refusal there is no number; MoMo fills the field with its clock.
            payment["trans_id"] = 0 if code == codes.PENDING else milliseconds(now)
        if method is not None or not payment["pay_type"]:
            chosen = method or METHOD_OF.get(payment["request"]["requestType"], "qr")
            payment["pay_type"] = PAY_TYPES[chosen]
        if code in {codes.REFUSED, codes.LINK_EXPIRED}:
            payment["pay_type"] = ""
        payment.update(code=code, updated_at=now)
        self._save(payment)
        self._enter(payment)
        if code == codes.AUTHORIZED:
            self._schedule(payment)

    def _enter(self, payment: Json) -> None:
        changes: dict[str, str | int] = {
            "status": STATUS_OF.get(payment["code"], charges.DECLINED),
            "psp_reference": str(payment["trans_id"]) if payment["number"] else "",
        }
        if payment["code"] == codes.SUCCESS:
            captured_at = iso(self._context.clock.now())
            changes |= {"captured": payment["amount"], "captured_at": captured_at}
        self._context.charges.update(NAME, payment["order_id"], **changes)

    def _tell(self, payment: Json) -> None:
        self._context.webhooks.post(
            gateway=NAME,
            reference=payment["order_id"],
            event_id=f"{payment['order_id']}.{payment['trans_id']}.{payment['code']}",
            payload={
                "type": "ipn",
                "to": payment["request"]["ipnUrl"],
                "fields": self.result(payment),
            },
        )

    def _schedule(self, payment: Json) -> None:
        clock = self._context.clock
        if payment["code"] == codes.AUTHORIZED:
            clock.at(payment["updated_at"] + HOLD_LIFE_S, lambda: self._release(payment))
        elif payment["bank"] is not None:
            bank = payment["bank"]
            clock.at(bank["at"], lambda: self.decide(payment, bank["decision"]))
        elif payment["code"] == codes.WAITING:
            clock.at(payment["expires_at"], lambda: self._expire(payment))
            if payment["decide_at"] is not None:
                clock.at(payment["decide_at"], lambda: self._decide_now(payment))

    def _decide_now(self, payment: Json) -> None:
        # A decision that a person took meanwhile stands.
        if payment["code"] == codes.WAITING:
            self.decide(payment, payment["decision"])

    def _expire(self, payment: Json) -> None:
        if payment["code"] == codes.WAITING:
            self._move(payment, codes.LINK_EXPIRED, None)

    def _release(self, payment: Json) -> None:
        if payment["code"] == codes.AUTHORIZED:
            self._move(payment, codes.RELEASED, None)

    def _book_refund(self, payment: Json, refund: Json) -> None:
        due = refund["created_at"] + BANK_THINKS_S
        self._context.clock.at(due, lambda: self._finish_refund(payment, refund))

    def _finish_refund(self, payment: Json, refund: Json) -> None:
        if refund["code"] == codes.PENDING:
            refund["code"] = codes.SUCCESS
            self._save(payment)
            self._context.charges.refund_status(
                NAME, refund["order_id"], charge=payment["order_id"], status="succeeded"
            )

    def _row(self, payment: Json) -> charges.Payment:
        return charges.Payment(
            gateway=NAME,
            account=self._partner_code,
            reference=payment["order_id"],
            psp_reference="",
            amount=payment["amount"],
            currency="VND",
        )

    def _save(self, payment: Json) -> None:
        self._context.journal.put("momo.payments", payment["order_id"], payment)


def milliseconds(when: float) -> int:
    """A moment as MoMo writes it."""
    return int(when * 1000)


def link_text(partner_code: str, order_id: str) -> str:
    """The ``t`` of a pay link."""
    return base64.urlsafe_b64encode(f"{partner_code}|{order_id}".encode()).decode()
