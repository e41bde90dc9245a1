"""The life of a payment at VNPAY: opened by a signed link, decided once, told by IPN, refunded."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from sandbox import charges
from sandbox.clock import iso
from sandbox.vnpay import codes
from sandbox.vnpay.payment_methods import ATM, DOMESTIC, QR, bank_and_card

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json

NAME = "vnpay"
VIET_NAM = timezone(timedelta(hours=7))
STAMP = "%Y%m%d%H%M%S"
FIRST_NUMBER = 14_000_000
FIRST_REFUND_NUMBER = 15_000_000


class Payments:
    """All payments by vnp_TxnRef, and the rules that change them."""

    def __init__(self, context: SandboxContext, tmn_code: str) -> None:
        """``tmn_code`` is the one merchant of this sandbox."""
        self._context = context
        self._tmn_code = tmn_code
        self._table = context.journal.table("vnpay.payments")

    def get(self, txn_ref: str) -> Json | None:
        """The payment of a reference."""
        return self._table.get(txn_ref)

    def by_token(self, token: str) -> Json | None:
        """The payment whose page has this token."""
        link = self._context.journal.table("vnpay.tokens").get(token)
        return self._table.get(link["txn_ref"]) if link else None

    def open(self, params: Mapping[str, str]) -> Json:
        """Enter the payment of a verified link; books its expiry and any decision that needs
        nobody.
        """
        rule = self._context.rules.of(NAME, params["vnp_TxnRef"])
        payment: Json = {
            "txn_ref": params["vnp_TxnRef"],
            "params": dict(params),
            "token": secrets.token_hex(16),
            "number": str(FIRST_NUMBER + len(self._table)),
            "amount": int(params["vnp_Amount"]),
            "expires_at": moment(params["vnp_ExpireDate"]),
            "response": None,
            "method": params.get("vnp_BankCode", DOMESTIC),
            "pay_date": "",
            "refunded": 0,
            "decision": None,
            "decide_at": None,
        }
        decision = magic_decision(payment["amount"] // 100) or rule.decision
        if codes.response_for(decision) is not None:
            payment["decision"] = decision
            payment["decide_at"] = self._context.clock.now() + rule.decide_after_ms / 1000
        self._save(payment)
        self._context.journal.put("vnpay.tokens", payment["token"], {"txn_ref": payment["txn_ref"]})
        self._context.charges.open(
            payment["txn_ref"],
            charges.Payment(
                gateway=NAME,
                account=self._tmn_code,
                reference=payment["txn_ref"],
                psp_reference=payment["number"],
                amount=payment["amount"] // 100,
                currency="VND",
            ),
        )
        self.book_jobs(payment)
        return payment

    def resume(self) -> None:
        """Schedule again what open payments were waiting for."""
        for payment in self._table.values():
            if payment["response"] is None:
                self.book_jobs(payment)

    def book_jobs(self, payment: Json) -> None:
        """Journal the expiry of a payment, and its decision if that needs nobody."""
        clock = self._context.clock
        clock.at(payment["expires_at"], lambda: self._expire(payment))
        if payment["decide_at"] is not None:
            clock.at(payment["decide_at"], lambda: self.decide(payment, payment["decision"]))

    def expired(self, payment: Json) -> bool:
        """Whether the link of an undecided payment has run out."""
        return bool(
            payment["response"] is None and self._context.clock.now() >= payment["expires_at"]
        )

    def decide(self, payment: Json, decision: str, method: str | None = None) -> bool:
        """End an open payment as decided and post its IPN.

        False if it was over, or nothing was decided.
        """
        response = codes.response_for(decision)
        if response is None or payment["response"] is not None or self.expired(payment):
            return False
        payment["response"] = response
        payment["decision"] = decision
        payment["method"] = method or self._unchosen(payment, response)
        payment["pay_date"] = stamp(self._context.clock.now())
        self._save(payment)
        self._enter(payment)
        self._context.webhooks.post(
            gateway=NAME,
            reference=payment["txn_ref"],
            event_id=f"{payment['txn_ref']}.{payment['number']}.{response}",
            payload={"type": "ipn", "params": self.result(payment)},
        )
        return True

    def _unchosen(self, payment: Json, response: str) -> str:
        """What stands for the way to pay where the shopper chose none before it was decided."""
        left_at_once = response == codes.CANCELLED and "vnp_BankCode" not in payment["params"]
        way: str = QR if left_at_once else payment["method"]
        return way

    def pend(self, payment: Json) -> None:
        """The shopper has paid, and the bank has not answered yet."""
        self._context.charges.update(NAME, payment["txn_ref"], status=charges.PENDING)

    def result(self, payment: Json) -> dict[str, str]:
        """The parameters of the IPN and of the return, without the signature."""
        bank, card = bank_and_card(payment["method"])
        taken = payment["response"] in codes.STATUSES
        return {
            "vnp_TmnCode": self._tmn_code,
            "vnp_Amount": str(payment["amount"]),
            "vnp_BankCode": bank,
            # The bank's side of it begins when the shopper chooses a bank.
            "vnp_BankTranNo": f"VNP{payment['number']}" if taken or card == ATM else "",
            "vnp_CardType": card,
            "vnp_PayDate": payment["pay_date"],
            "vnp_OrderInfo": payment["params"]["vnp_OrderInfo"],
            # A payment that took no money has no number on its IPN.
            "vnp_TransactionNo": payment["number"] if taken else "0",
            "vnp_ResponseCode": payment["response"],
            "vnp_TransactionStatus": status_of(payment),
            "vnp_TxnRef": payment["txn_ref"],
        }

    def refund(self, payment: Json, amount: int, request_id: str) -> str:
        """Give back an amount (wire scale) and return the refund's number; the rules were checked
        before.
        """
        number = str(FIRST_REFUND_NUMBER + len(self._context.journal.table("refunds")))
        payment["refunded"] += amount
        self._save(payment)
        self._context.charges.refund(
            request_id,
            gateway=NAME,
            charge=payment["txn_ref"],
            psp_reference=number,
            amount=amount // 100,
            status="succeeded",
        )
        return number

    def _enter(self, payment: Json) -> None:
        response, key = payment["response"], payment["txn_ref"]
        if response in codes.STATUSES:
            status = charges.CAPTURED if response == codes.SUCCESS else charges.REVIEW
            now = iso(self._context.clock.now())
            self._context.charges.update(
                NAME, key, status=status, captured=payment["amount"] // 100, captured_at=now
            )
        elif payment["decision"] == codes.REVERSED:
            self._context.charges.update(NAME, key, status=charges.REVIEW)
        else:
            status = charges.CANCELLED if response == codes.CANCELLED else charges.DECLINED
            self._context.charges.update(NAME, key, status=status)

    def _expire(self, payment: Json) -> None:
        if payment["response"] is None:
            self._context.charges.update(NAME, payment["txn_ref"], status=charges.EXPIRED)

    def _save(self, payment: Json) -> None:
        self._context.journal.put("vnpay.payments", payment["txn_ref"], payment)


def status_of(payment: Json) -> str:
    """vnp_TransactionStatus: 01 until somebody has decided."""
    if payment["response"] is None:
        return codes.STATUS_OPEN
    if payment["decision"] == codes.REVERSED:
        return codes.STATUS_REVERSED
    return codes.STATUSES.get(payment["response"], codes.STATUS_ERROR)


def magic_decision(dong: int) -> str | None:
    """The decision that an amount brings with it."""
    code = codes.magic_response(dong)
    if code is None:
        return None
    return "cancel" if code == codes.CANCELLED else f"decline:{code}"


def stamp(when: float) -> str:
    """A moment as VNPAY writes it: fourteen digits in Viet Nam's time."""
    return datetime.fromtimestamp(when, VIET_NAM).strftime(STAMP)


def moment(text: str) -> float:
    """Seconds since 1970 of fourteen digits in Viet Nam's time. Raises ValueError."""
    return datetime.strptime(text, STAMP).replace(tzinfo=VIET_NAM).timestamp()
