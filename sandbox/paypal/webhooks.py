"""PayPal's webhooks: signing what is sent, judging what is asked about, listing what was sent."""

from __future__ import annotations

import copy
import json
import uuid
import zlib
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sandbox.paypal import money
from sandbox.paypal.certificates import PATH
from sandbox.paypal.errors import invalid
from sandbox.paypal.reporting import read_number
from sandbox.paypal.store import NAME, shown
from sandbox.webhooks import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.journal import Json
    from sandbox.paypal.certificates import Certificates
    from sandbox.paypal.store import Store

ALGORITHM: Final = "SHA256withRSA"
WRONG_BY: Final = Decimal(1)
PAGE_SIZE: Final = 10
PAGE_SIZE_MAX: Final = 300
QUESTION: Final = (
    "auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time",
    "webhook_id",
)  # fmt: skip


class Signer:
    """The one webhook of the app, signed with the certificate that this sandbox serves."""

    def __init__(self, store: Store, certificates: Certificates, ids: Sequence[str]) -> None:
        """``ids`` are the webhook's ids as the shop knows them; the first one signs."""
        self._store = store
        self._certificates = certificates
        self._ids = ids

    @property
    def cert_url(self) -> str:
        """Where the certificate is."""
        return f"{self._store.context.settings.url}{PATH}/{self._certificates.name}"

    def message(self, event: Json, corrupt: str | None) -> Message:
        """The event on the wire; each try has a number, a time and a signature of its own."""
        body = json.dumps(spoiled(shown(event), corrupt)).encode()
        number, time = str(uuid.uuid4()), self._store.stamp()
        signed = body + b" " if corrupt == "signature" else body
        signature = self._certificates.sign(text(number, time, self._ids[0], signed))
        if corrupt == "body":
            body = body.replace(b'"event_version": "1.0"', b'"event_version":  "1.0"', 1)
        return Message(
            method="POST",
            url=self._store.context.settings.webhook_url(NAME),
            headers={
                "Content-Type": "application/json",
                "User-Agent": "PayPal/AUHR-1.0",
                "PAYPAL-TRANSMISSION-ID": number,
                "PAYPAL-TRANSMISSION-TIME": time,
                "PAYPAL-TRANSMISSION-SIG": signature,
                "PAYPAL-CERT-URL": self.cert_url,
                "PAYPAL-AUTH-ALGO": ALGORITHM,
            },
            body=body,
        )

    def verify(self, body: Json, raw: bytes) -> Json:
        """``verify-webhook-signature``: the event is judged by the bytes it came in."""
        if any(not isinstance(body.get(name), str) for name in QUESTION):
            raise invalid("MISSING_REQUIRED_PARAMETER")
        event = raw_member(raw.decode(errors="replace"), "webhook_event")
        good = (
            body["auth_algo"] == ALGORITHM
            and body["cert_url"] == self.cert_url
            and body["webhook_id"] in self._ids
            and self._certificates.signed(
                text(body["transmission_id"], body["transmission_time"], body["webhook_id"], event),
                body["transmission_sig"],
            )
        )
        return {"verification_status": "SUCCESS" if good else "FAILURE"}

    def listed(self) -> Json:
        """The app's webhooks: one address under each id."""
        url = self._store.context.settings.webhook_url(NAME)
        return {"webhooks": [{"id": each, "url": url, "event_types": []} for each in self._ids]}

    def events(self, query: Mapping[str, str]) -> Json:
        """The events of a time, newest first. Raises PaypalError."""
        start = read_time(query.get("start_time"), 0.0)
        end = read_time(query.get("end_time"), self._store.now)
        size = read_number(query, "page_size", PAGE_SIZE, PAGE_SIZE_MAX)
        kind, number = query.get("event_type"), query.get("transaction_id")
        found = [
            shown(each)
            for each in self._store.table("events").values()
            if start <= each["_at"] <= end
            and kind in {None, each["event_type"]}
            and number in {None, each["resource"].get("id")}
        ][::-1]
        return {"events": found[:size], "count": len(found[:size]), "links": []}


def text(number: str, time: str, webhook_id: str, body: bytes) -> bytes:
    """What is signed."""
    return f"{number}|{time}|{webhook_id}|{zlib.crc32(body)}".encode()


def spoiled(event: Json, corrupt: str | None) -> Json:
    """The event with the lie that a rule asks for; it is signed well all the same.

    PayPal's events say nothing about the mode, so there is nothing to spoil.
    """
    event = copy.deepcopy(event)
    resource: dict[str, Any] = event["resource"]
    units = resource.get("purchase_units") or [{}]
    outcome = resource.get("dispute_outcome") or {}
    for node in (resource, units[0], {"amount": outcome.get("amount_refunded")}):
        amount = node.get("amount") or node.get("dispute_amount")
        if amount and corrupt == "amount":
            sum_ = money.stored(amount)
            amount.update(money.Amount(sum_.value + WRONG_BY, sum_.currency).shown())
        elif amount and corrupt == "currency":
            amount["currency_code"] = "EUR" if amount["currency_code"] != "EUR" else "USD"
        elif corrupt == "account" and node.get("payee"):
            node["payee"] = {"merchant_id": "OTHERMERCHANT"}
    return event


def raw_member(document: str, name: str) -> bytes:
    """The bytes of one member of a JSON object, as they stand there. Raises PaypalError."""
    at = document.find(f'"{name}"')
    start = document.find("{", at) if at >= 0 else -1
    if start < 0:
        raise invalid("MISSING_REQUIRED_PARAMETER", f"/{name}")
    try:
        _, end = json.JSONDecoder().raw_decode(document, start)
    except ValueError as error:
        raise invalid("MALFORMED_REQUEST_JSON") from error
    return document[start:end].encode()


def read_time(value: str | None, default: float) -> float:
    """A moment of a query. Raises PaypalError."""
    if not value:
        return default
    try:
        return datetime.fromisoformat(value.replace(" ", "+")).timestamp()
    except ValueError as error:
        raise invalid("INVALID_PARAMETER_SYNTAX") from error
