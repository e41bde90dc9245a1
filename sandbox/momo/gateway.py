"""MoMo as one gateway of the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Final, Self

from sandbox.gateway import ControlError, Gateway, Guide
from sandbox.momo import codes
from sandbox.momo.api import Api
from sandbox.momo.pay_pages import PayPages
from sandbox.momo.payments import NAME, Payments
from sandbox.momo.settlement import daily_file
from sandbox.momo.signing import RESULT, Keys
from sandbox.webhooks import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiohttp import web

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json
    from sandbox.webhooks import Attempt

# MoMo publishes no schedule: these three are ours, and no shop should count on any.
RETRY_AFTER_S: Final = (30.0, 300.0, 900.0)
TAKEN: Final = 204
WRONG_BY: Final = 1_000
FEE_PER_MILLE: Final = 15


class Momo(Gateway):
    """One shop at MoMo. An IPN goes where ``ipnUrl`` says, as far as the sandbox may reach."""

    name: ClassVar[str] = NAME
    retry_after_s: ClassVar[Sequence[float]] = RETRY_AFTER_S

    def __init__(self, context: SandboxContext, keys: Keys, *, sign_answers: str) -> None:
        """``keys`` are what MoMo would have given the shop."""
        super().__init__(context)
        self._keys = keys
        self._payments = Payments(context, keys.partner_code)
        self._api = Api(context, self._payments, keys, sign_answers=sign_answers)
        self._pages = PayPages(context, self._payments, keys)

    @classmethod
    def from_env(cls, context: SandboxContext, env: Mapping[str, str]) -> Self | None:
        """Needs MOMO_PARTNER_CODE, MOMO_ACCESS_KEY and MOMO_SECRET_KEY."""
        names = ("MOMO_PARTNER_CODE", "MOMO_ACCESS_KEY", "MOMO_SECRET_KEY")
        partner_code, access_key, secret_key = (env.get(name, "") for name in names)
        if not (partner_code and access_key and secret_key):
            return None
        keys = Keys(partner_code=partner_code, access_key=access_key, secret_key=secret_key)
        return cls(context, keys, sign_answers=env.get("SANDBOX_MOMO_SIGN_ANSWERS", ""))

    def routes(self) -> Iterable[web.RouteDef]:
        """The API and the pages."""
        return [*self._api.routes(), *self._pages.routes()]

    def message(self, payload: Json, corrupt: str | None) -> Message:
        """The IPN: a signed JSON object, numbers as numbers.

        MoMo's IPN has no currency and no mode to corrupt.
        """
        fields = dict(payload["fields"])
        if corrupt == "amount":
            fields["amount"] += WRONG_BY
        elif corrupt == "account":
            fields["partnerCode"] = "MOMOOTHER"
        fields["signature"] = self._keys.sign(RESULT, fields)
        if corrupt == "signature":
            last = fields["signature"][-1]
            fields["signature"] = fields["signature"][:-1] + ("0" if last != "0" else "1")
        elif corrupt == "body":
            # Only values are signed, so a changed value is the smallest change that counts.
            fields["orderInfo"] += " "
        return Message(
            method="POST",
            url=self.context.settings.webhook_url(NAME, asked=payload.get("to", "")),
            headers={"Content-Type": "application/json; charset=UTF-8", "User-Agent": "MoMo-IPN/2"},
            body=json.dumps(fields, ensure_ascii=False).encode(),
        )

    def acknowledged(self, attempt: Attempt) -> bool:
        """HTTP 204 and nothing else."""
        return attempt.status == TAKEN

    def decide(self, reference: str, decision: str) -> None:
        """Decide a waiting payment, or one at the bank, in the shopper's place."""
        payment = self._payments.get(reference)
        if payment is None:
            raise ControlError(f"MoMo knows no payment {reference}.")
        if not self._payments.decide(payment, decision):
            raise ControlError(f"Payment {reference} is over, or {decision!r} decides nothing.")

    def dispute(self, psp_reference: str, outcome: str) -> Json:
        """MoMo has no dispute interface; its shops hear of disputes by mail."""
        raise ControlError(f"MoMo has no disputes to open ({psp_reference}, {outcome}).")

    def fee(self, amount: int, currency: str) -> int:
        """1.5 % in whole đồng, rounded down; the real rate is in each shop's contract."""
        return amount * FEE_PER_MILLE // 1000

    def settlement_file(self, day: str, lines: Sequence[Json]) -> str:
        """What MoMo settled that day."""
        return daily_file(day, lines)

    def guide(self) -> Guide:
        """The magic amounts and the decline codes."""
        payments = [
            (f"… {code} ₫", f"payments that end in {code}: {codes.message(code, 'en')}")
            for code in codes.MAGIC_PAYMENTS
        ]
        refunds = [
            (f"… {code} ₫", f"refunds that end in {code}: {codes.message(code, 'en')}")
            for code in codes.REFUND_ANSWERS
        ]
        return Guide(
            title="MoMo",
            pays_at="An automatic decision is taken after create; else the page or app link waits. "
            "Decline codes 1080, 1081, 1088 and 7002 let the payment pass and answer its refunds.",
            magic=[*payments, *refunds],
            declines=[
                *(str(code) for code in (*codes.DECLINES, *codes.REFUND_ANSWERS)),
                *codes.WORDS,
            ],
        )

    def resume(self) -> None:
        """Journal expiries, decisions and slow banks again."""
        self._payments.resume()
