"""Stripe as one gateway of the sandbox."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from sandbox.gateway import ControlError, Gateway, Guide
from sandbox.stripe.api import Api
from sandbox.stripe.balance import Balance, fee_of
from sandbox.stripe.cards import CARDS, MAGIC_AMOUNTS, MESSAGES
from sandbox.stripe.currencies import iso_minor, stripe_amount
from sandbox.stripe.customers import Customers
from sandbox.stripe.disputes import Disputes, dispute_fee
from sandbox.stripe.endpoints import Endpoints, Parts
from sandbox.stripe.hooks import Hooks
from sandbox.stripe.intents import Intents
from sandbox.stripe.lists import event_object
from sandbox.stripe.pages import Pages
from sandbox.stripe.refunds import Refunds
from sandbox.stripe.reports import Reports
from sandbox.stripe.sessions import Sessions
from sandbox.stripe.steps import Steps
from sandbox.stripe.store import EVENTS, NAME, Store
from sandbox.webhooks import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiohttp import web

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json
    from sandbox.webhooks import Attempt

# In test mode Stripe tries three times more over a few hours.
RETRY_AFTER_S: Final = (600.0, 3600.0, 7200.0)
SIGNED_WITH_DEFAULT: Final = "whsec_sandbox"
WRONG_BY: Final = 100
AMOUNTS: Final = (
    "amount", "amount_received", "amount_capturable", "amount_captured", "amount_total",
    "amount_subtotal",
)  # fmt: skip


class Stripe(Gateway):
    """One Stripe account with one webhook endpoint, ``<SANDBOX_WEBHOOK_BASE>/stripe``."""

    name: ClassVar[str] = NAME
    retry_after_s: ClassVar[Sequence[float]] = RETRY_AFTER_S
    webhook_lag_s: ClassVar[float] = 0.03

    def __init__(
        self, context: SandboxContext, *, secret_key: str, secrets: Sequence[str], store: Store
    ) -> None:
        """``secrets`` are the endpoint's; more than one while a secret is being rolled."""
        super().__init__(context)
        self._secrets = secrets
        self._store = store
        self._balance = Balance(store)
        steps = Steps(store, self._balance)
        self._intents = Intents(store, steps)
        customers, hooks = Customers(store), Hooks(store)
        self._sessions = Sessions(store, self._intents, steps)
        self._refunds = Refunds(store, self._balance)
        self._disputes = Disputes(store, self._balance)
        self._reports = Reports(store)
        steps.charged = self._dispute_by_card
        parts = Parts(
            intents=self._intents,
            sessions=self._sessions,
            refunds=self._refunds,
            disputes=self._disputes,
            balance=self._balance,
            reports=self._reports,
            customers=customers,
            hooks=hooks,
        )
        endpoints = Endpoints(store, parts)
        self._api = Api(store, endpoints, self._reports, secret_key=secret_key)
        self._pages = Pages(store, self._intents, self._sessions)

    @classmethod
    def from_env(cls, context: SandboxContext, env: Mapping[str, str]) -> Self | None:
        """Needs STRIPE_SECRET_KEY; the rest has defaults."""
        secret_key = env.get("STRIPE_SECRET_KEY")
        if not secret_key:
            return None
        store = Store(
            context,
            account=env.get("STRIPE_ACCOUNT") or "acct_sandbox",
            events=words(env.get("STRIPE_WEBHOOK_EVENTS")) or EVENTS,
        )
        secrets = words(env.get("STRIPE_WEBHOOK_SECRETS")) or (SIGNED_WITH_DEFAULT,)
        return cls(context, secret_key=secret_key, secrets=secrets, store=store)

    def routes(self) -> Iterable[web.RouteDef]:
        """The API under ``/v1/`` and the pages."""
        return [*self._pages.routes(), *self._api.routes()]

    def message(self, payload: Json, corrupt: str | None) -> Message:
        """The event, signed for this attempt with every secret of the endpoint."""
        event = event_object(self._store, self._store.table("events")[payload["event"]])
        body = json.dumps(spoiled(event, corrupt)).encode()
        stamp = self._store.now
        url, secrets = self._receiver(payload.get("endpoint", ""))
        secrets = ("whsec_another",) if corrupt == "signature" else secrets
        signatures = ",".join(f"v1={sign(body, stamp, secret)}" for secret in secrets)
        if corrupt == "body":
            body = body.replace(b'"livemode": false', b'"livemode":  false', 1)
        return Message(
            method="POST",
            url=url,
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": f"t={stamp},{signatures}",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            },
            body=body,
        )

    def _receiver(self, endpoint_id: str) -> tuple[str, Sequence[str]]:
        """Where an event goes, and the secrets that sign it."""
        if not endpoint_id:
            return self.context.settings.webhook_url(NAME), self._secrets
        # A deleted endpoint has no address any more.
        endpoint = self._store.table("webhook_endpoints").get(endpoint_id, {})
        return endpoint.get("url", ""), (endpoint.get("_secret", ""),)

    def acknowledged(self, attempt: Attempt) -> bool:
        """Any 2xx."""
        return attempt.status is not None and 200 <= attempt.status < 300

    def decide(self, reference: str, decision: str) -> None:
        """Decide the open session or waiting intent of a reference."""
        done = any(
            self._sessions.decide(session, decision) for session in self._of(reference, "sessions")
        ) or any(
            self._intents.decide(intent, decision)
            for intent in self._of(reference, "payment_intents")
        )
        if not done:
            raise ControlError(f"Nothing of {reference} waits, or {decision!r} decides nothing.")

    def dispute(self, psp_reference: str, outcome: str) -> Json:
        """Open or end a dispute about a ``pi_…`` or ``ch_…``."""
        return self._disputes.control(psp_reference, outcome)

    def fee(self, amount: int, currency: str) -> int:
        """As the balance transactions have it."""
        return iso_minor(fee_of(stripe_amount(amount, currency), currency), currency)

    def dispute_fee(self, currency: str) -> int:
        """As the balance transactions have it."""
        return dispute_fee(currency)

    def guide(self) -> Guide:
        """The test tokens and the magic amounts of the hosted page."""
        tokens = [
            (f"pm_{name}, ctoken_{name}", f"•••• {card.last4}: {card.label}")
            for name, card in CARDS.items()
        ]
        amounts = [
            (
                f"… {ending}",
                f"hosted page, amounts whose smallest units end in {ending}: {decision}",
            )
            for ending, decision in MAGIC_AMOUNTS.items()
        ]
        declines = ["generic_decline", *(code for code in MESSAGES if code != "card_declined")]
        return Guide(
            title="Stripe",
            pays_at="A token decides in the API call; a Checkout Session waits on its hosted page.",
            magic=[*tokens, *amounts],
            declines=declines,
        )

    def resume(self) -> None:
        """Schedule again what every part was waiting for."""
        parts = (self._intents, self._sessions, self._refunds, self._balance, self._reports)
        for part in parts:
            part.resume()

    def _of(self, reference: str, table: str) -> list[Json]:
        return [r for r in self._store.table(table).values() if r["_reference"] == reference]

    def _dispute_by_card(self, _: Json, charge: Json, outcome: str) -> None:
        if outcome:
            self._disputes.open(charge, inquiry=outcome == "inquiry")


def words(text: str | None) -> tuple[str, ...]:
    """A comma list without blanks."""
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def sign(body: bytes, stamp: int, secret: str) -> str:
    """The ``v1`` signature: HMAC-SHA256 over time and body, keyed with the whole secret text."""
    message = str(stamp).encode() + b"." + body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def spoiled(event: Json, corrupt: str | None) -> Json:
    """The event with the lie that a rule asks for; it is signed well all the same."""
    item: dict[str, Any] = event["data"]["object"]
    if corrupt == "amount":
        item.update({name: item[name] + WRONG_BY for name in AMOUNTS if item.get(name)})
    elif corrupt == "currency":
        item["currency"] = "eur" if item.get("currency") != "eur" else "usd"
    elif corrupt == "account":
        event["account"] = "acct_other"
    elif corrupt == "mode":
        event["livemode"] = item["livemode"] = True
    return event
