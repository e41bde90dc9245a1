"""PayPal as one gateway of the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Self

from sandbox.gateway import ControlError, Gateway, Guide
from sandbox.paypal import codes, money
from sandbox.paypal.api import Api, Parts
from sandbox.paypal.certificates import ROOT_FILE, Certificates
from sandbox.paypal.disputes import Disputes
from sandbox.paypal.orders import WAITING, Orders
from sandbox.paypal.pages import Pages
from sandbox.paypal.payments import Payments
from sandbox.paypal.refunds import Refunds
from sandbox.paypal.reporting import Reporting
from sandbox.paypal.store import EVENTS, NAME, Store
from sandbox.paypal.tokens import Tokens
from sandbox.paypal.webhooks import Signer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiohttp import web

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json
    from sandbox.webhooks import Attempt, Message

# PayPal tries 25 times more over three days; how it spaces them is not published.
RETRY_AFTER_S: Final = (60.0, 300.0, 900.0, 1800.0, 3600.0, *(12_600.0,) * 20)
NAMES: Final = ("PAYPAL_CLIENT_ID", "PAYPAL_SECRET", "PAYPAL_MERCHANT_ID", "PAYPAL_WEBHOOK_IDS")


class Paypal(Gateway):
    """One PayPal app with one account and one webhook, ``<SANDBOX_WEBHOOK_BASE>/paypal``."""

    name: ClassVar[str] = NAME
    retry_after_s: ClassVar[Sequence[float]] = RETRY_AFTER_S
    webhook_lag_s: ClassVar[float] = 0.03

    def __init__(
        self, store: Store, tokens: Tokens, certificates: Certificates, ids: Sequence[str]
    ) -> None:
        """``ids`` are the webhook's; ``tokens`` know the app's credentials."""
        super().__init__(store.context)
        self._store = store
        self._signer = Signer(store, certificates, ids)
        self._payments = Payments(store)
        self._refunds = Refunds(store)
        self._orders = Orders(store, self._payments)
        self._disputes = Disputes(store, self._refunds)
        self._pages = Pages(store, self._orders)
        self._api = Api(
            Parts(
                store=store,
                tokens=tokens,
                certificates=certificates,
                orders=self._orders,
                payments=self._payments,
                refunds=self._refunds,
                disputes=self._disputes,
                reporting=Reporting(store),
                signer=self._signer,
            )
        )

    @classmethod
    def from_env(cls, context: SandboxContext, env: Mapping[str, str]) -> Self | None:
        """Needs PAYPAL_CLIENT_ID, _SECRET, _MERCHANT_ID and _WEBHOOK_IDS (a comma list).

        PAYPAL_CERT_ROOTS is where the root goes that the shop trusts.
        """
        client_id, secret, merchant_id, ids = (env.get(name, "") for name in NAMES)
        if not (client_id and secret and merchant_id and ids):
            return None
        folder = context.settings.data_dir
        roots = Path(env.get("PAYPAL_CERT_ROOTS") or folder / ROOT_FILE)
        events = words(env.get("PAYPAL_WEBHOOK_EVENTS", "")) or EVENTS
        store = Store(context, merchant_id=merchant_id, events=events)
        tokens = Tokens(store, client_id=client_id, secret=secret)
        return cls(store, tokens, Certificates(folder, roots), words(ids))

    def routes(self) -> Iterable[web.RouteDef]:
        """The API and the page."""
        return [*self._api.routes(), *self._pages.routes()]

    def message(self, payload: Json, corrupt: str | None) -> Message:
        """The event, signed for this attempt."""
        return self._signer.message(self._store.table("events")[payload["event"]], corrupt)

    def acknowledged(self, attempt: Attempt) -> bool:
        """Any 2xx."""
        return attempt.status is not None and 200 <= attempt.status < 300

    def decide(self, reference: str, decision: str) -> None:
        """Decide an order that waits for its buyer, or a payment under review."""
        good = {"approve": True, "cancel": False}.get(decision, False)
        for order in self._store.table("orders").values():
            if order["_reference"] != reference:
                continue
            if order["status"] in WAITING and self._orders.decide(order, decision):
                return
            if self._end_review(order, decision, good=good):
                return
        raise ControlError(f"Nothing of {reference} waits, or {decision!r} decides nothing.")

    def dispute(self, psp_reference: str, outcome: str) -> Json:
        """Open or end a dispute about an order or a capture."""
        return self._disputes.control(psp_reference, outcome)

    def fee(self, amount: int, currency: str) -> int:
        """As the captures have it."""
        return money.fee_of(money.from_minor(amount, currency)).minor

    def guide(self) -> Guide:
        """The magic amounts and the decline codes."""
        magic = [
            (f"… {ending}", f"amounts whose smallest ISO units end in {ending}: {decision}")
            for ending, decision in codes.MAGIC_AMOUNTS.items()
        ]
        header = (
            "PayPal-Mock-Response",
            'the header {"mock_application_codes": "ISSUE"} is obeyed',
        )
        return Guide(
            title="PayPal",
            pays_at="An automatic decision approves the order; the shop's capture then meets it. "
            "Decline codes that begin with REFUND, and the like, let the payment pass and answer "
            "its refunds. A rule that comes after a hold answers the captures of that hold.",
            magic=[*magic, header],
            declines=codes.DECLINES,
        )

    def resume(self) -> None:
        """Journal expiries, decisions, holds and refunds again."""
        self._orders.resume()
        self._payments.resume()
        self._refunds.resume()

    def _end_review(self, order: Json, decision: str, *, good: bool) -> bool:
        if decision not in {"approve", "cancel"} and not decision.startswith("decline:"):
            return False
        for table, end in (
            ("captures", self._payments.decide),
            ("authorizations", self._payments.decide_hold),
        ):
            for each in order[f"_{table}"]:
                record = self._store.find(table, each)
                if record["status"] == codes.PENDING:
                    end(record, good=good)
                    return True
        return False


def words(text: str) -> tuple[str, ...]:
    """A comma list without blanks."""
    return tuple(word.strip() for word in text.split(",") if word.strip())
