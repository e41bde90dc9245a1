"""VNPAY as one gateway of the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Self

from aiohttp import web

from sandbox.gateway import ControlError, Gateway, Guide
from sandbox.vnpay import codes
from sandbox.vnpay.merchant_api import MerchantApi
from sandbox.vnpay.pay_pages import ERROR_PAGE, PAGE, PayPages
from sandbox.vnpay.payments import NAME, Payments
from sandbox.vnpay.settlement import daily_file
from sandbox.vnpay.signing import signed_query
from sandbox.webhooks import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json
    from sandbox.webhooks import Attempt

RETRY_S = 300.0
CALLS_MAX = 10
OK = 200
TAKEN = ("00", "02")
# Added to the amount of a corrupted IPN, in VNPAY's scale: 1,000 đồng.
WRONG_BY = 100_000
FEE_PER_MILLE = 11


class Vnpay(Gateway):
    """One merchant website at VNPAY. Its IPN address is ``<SANDBOX_WEBHOOK_BASE>/vnpay``."""

    name: ClassVar[str] = NAME
    retry_after_s: ClassVar[Sequence[float]] = (RETRY_S,) * (CALLS_MAX - 1)

    def __init__(self, context: SandboxContext, *, tmn_code: str, secret: str) -> None:
        """``tmn_code`` and ``secret`` are what VNPAY would have given the shop."""
        super().__init__(context)
        self._tmn_code = tmn_code
        self._secret = secret
        self._payments = Payments(context, tmn_code)
        self._pages = PayPages(context, self._payments, tmn_code=tmn_code, secret=secret)
        self._api = MerchantApi(context, self._payments, tmn_code=tmn_code, secret=secret)

    @classmethod
    def from_env(cls, context: SandboxContext, env: Mapping[str, str]) -> Self | None:
        """Needs VNPAY_TMN_CODE and VNPAY_HASH_SECRET."""
        tmn_code, secret = env.get("VNPAY_TMN_CODE"), env.get("VNPAY_HASH_SECRET")
        return cls(context, tmn_code=tmn_code, secret=secret) if tmn_code and secret else None

    def routes(self) -> Iterable[web.RouteDef]:
        """The pay page's three addresses, the transaction API and the bank list."""
        return [
            web.get("/paymentv2/vpcpay.html", self._pages.enter),
            web.get(PAGE, self._pages.show),
            web.post(PAGE, self._pages.decide),
            web.get(ERROR_PAGE, self._pages.show_error),
            web.post("/merchant_webapi/api/transaction", self._api.handle),
            web.post("/qrpayauth/api/merchant/get_bank_list", self._api.banks),
        ]

    def message(self, payload: Json, corrupt: str | None) -> Message:
        """The IPN: a GET whose query is signed.

        VNPAY's IPN has no currency and no mode to corrupt.
        """
        params = dict(payload["params"])
        if corrupt == "amount":
            params["vnp_Amount"] = str(int(params["vnp_Amount"]) + WRONG_BY)
        elif corrupt == "account":
            params["vnp_TmnCode"] = "OTHER001"
        query = signed_query(params, self._secret)
        if corrupt == "signature":
            query = query[:-1] + ("0" if query[-1] != "0" else "1")
        elif corrupt == "body":
            query = query.replace("vnp_TransactionNo=", "vnp_TransactionNo=9", 1)
        return Message(
            method="GET",
            url=f"{self.context.settings.webhook_url(NAME)}?{query}",
            headers={"User-Agent": "VNPAY-IPN/2.1.0"},
        )

    def acknowledged(self, attempt: Attempt) -> bool:
        """HTTP 200 with RspCode 00 or 02 ends the calls."""
        if attempt.status != OK:
            return False
        try:
            answer = json.loads(attempt.body)
        except ValueError:
            return False
        return isinstance(answer, dict) and answer.get("RspCode") in TAKEN

    def decide(self, reference: str, decision: str) -> None:
        """Decide an open payment in the shopper's place."""
        payment = self._payments.get(reference)
        if payment is None:
            raise ControlError(f"VNPAY knows no payment {reference}; its link was never opened.")
        if not self._payments.decide(payment, decision):
            raise ControlError(f"Payment {reference} is over, or {decision!r} decides nothing.")

    def dispute(self, psp_reference: str, outcome: str) -> Json:
        """VNPAY has no dispute interface; its shops hear of disputes by mail."""
        raise ControlError(f"VNPAY has no disputes to open ({psp_reference}, {outcome}).")

    def fee(self, amount: int, currency: str) -> int:
        """1.1 % in whole đồng, rounded down; the real rate is in each shop's contract."""
        return amount * FEE_PER_MILLE // 1000

    def settlement_file(self, day: str, lines: Sequence[Json]) -> str:
        """What VNPAY settled that day."""
        references = {line["reference"] for line in lines}
        rows = {name: self.context.charges.get(NAME, name) or {} for name in references}
        return daily_file(day, lines, {name: row["captured"] for name, row in rows.items()})

    def guide(self) -> Guide:
        """The magic amounts and the decline codes."""
        magic = [
            (f"… 9{code} ₫", f"amounts that end in 9{code}: {codes.RESPONSES[code]}")
            for code in codes.MAGIC_CODES
        ]
        own = [code for code in codes.RESPONSES if code != codes.SUCCESS]
        reversal = codes.REVERSED.removeprefix("decline:")
        declines = [*own, *codes.WORDS, reversal, *codes.REFUND_ANSWERS]
        return Guide(
            title="VNPAY",
            pays_at="The shopper opens the signed link; an automatic decision is taken then. "
            "Decline words that begin with refund_ let the payment pass and answer its refunds.",
            magic=magic,
            declines=declines,
        )

    def resume(self) -> None:
        """Journal expiries and decisions of open payments again."""
        self._payments.resume()
