"""PayPal's REST API: who may call, what is answered to a repeat, and how much an answer shows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from sandbox.faults import Call
from sandbox.paypal.certificates import PATH
from sandbox.paypal.errors import (
    DEBUG_HEADER,
    FAILURES,
    PaypalError,
    invalid,
    mocked,
    new_debug_id,
    not_found,
)
from sandbox.paypal.reading import Ask, read, require_object
from sandbox.paypal.store import DAY_S, HOUR_S, NAME, shown
from sandbox.rules import FAULTS_AFTER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from sandbox.journal import Json
    from sandbox.paypal.certificates import Certificates
    from sandbox.paypal.disputes import Disputes
    from sandbox.paypal.orders import Orders
    from sandbox.paypal.payments import Payments
    from sandbox.paypal.refunds import Refunds
    from sandbox.paypal.reporting import Reporting
    from sandbox.paypal.store import Store
    from sandbox.paypal.tokens import Tokens
    from sandbox.paypal.webhooks import Signer

ORDERS: Final = "/v2/checkout/orders"
AUTHORIZATIONS: Final = "/v2/payments/authorizations"
CAPTURES: Final = "/v2/payments/captures"
REFUNDS: Final = "/v2/payments/refunds"
EVENTS: Final = "/v1/notifications/webhooks-events"
DISPUTES: Final = "/v1/customer/disputes"
# Below these everything is PayPal's, known or not.
FAMILIES: Final = ("/v2/checkout", "/v2/payments", "/v1/notifications", "/v1/customer")
# How long a repeat of a request id is answered by what the first request made.
ORDER_IDS_LIVE_S: Final = 6 * HOUR_S
PAYMENT_IDS_LIVE_S: Final = 45 * DAY_S
CREATED: Final = 201
# Without ``Prefer: return=representation`` an answer shows little else.
MINIMAL: Final = ("id", "status", "status_details", "payment_source", "links")


@dataclass(frozen=True, kw_only=True)
class Route:
    """One address: ``table`` is where its id stands, ``lives_s`` how long its repeats are known."""

    method: str
    path: str
    operation: str
    act: Callable[[Ask], web.Response]
    table: str = ""
    lives_s: int = 0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the API calls upon."""

    store: Store
    tokens: Tokens
    certificates: Certificates
    orders: Orders
    payments: Payments
    refunds: Refunds
    disputes: Disputes
    reporting: Reporting
    signer: Signer


class Api:
    """All addresses under ``/v1`` and ``/v2``."""

    def __init__(self, parts: Parts) -> None:
        """Each part does its own work; here are the manners of the wire."""
        self._parts = parts
        self._store = parts.store
        self._running: set[str] = set()

    def routes(self) -> Iterable[web.RouteDef]:
        """The token endpoint, the certificate, and the API."""
        return [
            web.post("/v1/oauth2/token", self._token),
            web.get(f"{PATH}/{{name}}", self._certificate),
            *(
                web.route(route.method, route.path, self._handler(route))
                for route in (*self._order_routes(), *self._payment_routes(), *self._other_routes())
            ),
            *(web.route("*", f"{family}/{{path:.*}}", unknown_path) for family in FAMILIES),
        ]

    def _order_routes(self) -> list[Route]:
        one, live = f"{ORDERS}/{{id}}", ORDER_IDS_LIVE_S
        make = self._make_order
        return [
            Route(method="POST", path=ORDERS, operation="create", act=make, lives_s=live),
            Route(method="GET", path=one, operation="get", act=self._get_order, table="orders"),
            Route(method="PATCH", path=one, operation="patch", act=self._patch, table="orders"),
            Route(method="POST", path=f"{one}/capture", operation="capture",
                  act=self._capture_order, table="orders", lives_s=live),
            Route(method="POST", path=f"{one}/authorize", operation="authorize",
                  act=self._authorize, table="orders", lives_s=live),
        ]  # fmt: skip

    def _payment_routes(self) -> list[Route]:
        hold, live = f"{AUTHORIZATIONS}/{{id}}", PAYMENT_IDS_LIVE_S
        holds, captures = "authorizations", "captures"
        return [
            Route(method="GET", path=hold, operation="get", act=self._get(holds), table=holds),
            Route(method="POST", path=f"{hold}/capture", operation="capture_hold",
                  act=self._capture_hold, table=holds, lives_s=live),
            Route(method="POST", path=f"{hold}/void", operation="void",
                  act=self._void, table=holds, lives_s=live),
            Route(method="POST", path=f"{hold}/reauthorize", operation="reauthorize",
                  act=self._reauthorize, table=holds, lives_s=live),
            Route(method="GET", path=f"{CAPTURES}/{{id}}", operation="get",
                  act=self._get(captures), table=captures),
            Route(method="POST", path=f"{CAPTURES}/{{id}}/refund", operation="refund",
                  act=self._refund, table=captures, lives_s=live),
            Route(method="GET", path=f"{REFUNDS}/{{id}}", operation="get_refund",
                  act=self._get("refunds"), table="refunds"),
        ]  # fmt: skip

    def _other_routes(self) -> list[Route]:
        parts, dispute = self._parts, f"{DISPUTES}/{{id}}"
        plain: list[tuple[str, str, Callable[[Ask], Json]]] = [
            ("POST", "/v1/notifications/verify-webhook-signature",
             lambda ask: parts.signer.verify(require_object(ask.body), ask.raw)),
            ("GET", "/v1/notifications/webhooks", lambda ask: parts.signer.listed()),
            ("GET", EVENTS, lambda ask: parts.signer.events(ask.query)),
            ("GET", "/v1/reporting/transactions",
             lambda ask: parts.reporting.transactions(ask.query)),
            ("GET", "/v1/reporting/balances",
             lambda ask: parts.reporting.balances(ask.query.get("currency_code"))),
            ("GET", DISPUTES, self._disputes),
        ]  # fmt: skip
        return [
            *(
                Route(method=method, path=path, operation="other", act=answered(act))
                for method, path, act in plain
            ),
            Route(method="GET", path=f"{EVENTS}/{{id}}", operation="other",
                  act=self._get("events"), table="events"),
            Route(method="POST", path=f"{EVENTS}/{{id}}/resend", operation="resend",
                  act=self._resend, table="events"),
            Route(method="GET", path=dispute, operation="other",
                  act=self._get("disputes"), table="disputes"),
            Route(method="POST", path=f"{dispute}/accept-claim", operation="accept_claim",
                  act=self._accept, table="disputes"),
            Route(method="POST", path=f"{dispute}/provide-evidence", operation="provide_evidence",
                  act=self._provide, table="disputes"),
        ]  # fmt: skip

    async def _token(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()

        async def work() -> web.Response:
            return self._parts.tokens.answer(request.headers.get("Authorization", ""), body)

        return await self._perform(request, "token", None, work)

    async def _certificate(self, request: web.Request) -> web.StreamResponse:
        async def work() -> web.Response:
            if request.match_info["name"] != self._parts.certificates.name:
                return not_found().response()
            chain = self._parts.certificates.chain
            return web.Response(body=chain, content_type="application/x-pem-file")

        return await self._perform(request, "certificate", None, work)

    async def _perform(
        self,
        request: web.Request,
        operation: str,
        reference: str | None,
        work: Callable[[], Awaitable[web.Response]],
    ) -> web.StreamResponse:
        """Through the faults. One that loses answers passes over a call about no one payment: a
        shop that never got a token would never reach the call that is meant.
        """
        context = self._store.context
        if reference is None and context.rules.current(NAME).fault in FAULTS_AFTER:
            answer = await work()
            await context.journal.durable()
            return answer
        call = Call(gateway=NAME, operation=operation, reference=reference)
        return await context.faults.perform(request, call, work, FAILURES)

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            raw = await request.read()
            reference = self._reference(route, request, raw)

            async def work() -> web.Response:
                try:
                    self._admit(request)
                    answer = await self._answer(route, read(request, raw))
                except PaypalError as error:
                    return error.response()
                answer.headers[DEBUG_HEADER] = new_debug_id()
                return answer

            return await self._perform(request, route.operation, reference, work)

        return handle

    def _reference(self, route: Route, request: web.Request, raw: bytes) -> str | None:
        """The shop's reference of the payment that a call is about."""
        if route.table:
            record = self._store.table(route.table).get(request.match_info["id"])
            return record["_reference"] if record else None
        if route.operation != "create":
            return None
        try:
            unit = json.loads(raw)["purchase_units"][0]
            reference = unit.get("custom_id") or unit.get("invoice_id")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None
        return reference if isinstance(reference, str) else None

    def _admit(self, request: web.Request) -> None:
        """Raises PaypalError for a call without a good token, or one that asks for an error."""
        if not self._parts.tokens.good(request.headers.get("Authorization", "")):
            raise PaypalError(401, text="Token signature verification failed")
        wanted = mocked(request.headers.get("PayPal-Mock-Response", ""))
        if wanted is not None:
            raise wanted

    async def _answer(self, route: Route, ask: Ask) -> web.Response:
        """Do a call, or answer its repeat by the latest state of what it made."""
        if not route.lives_s or not ask.request_id:
            return route.act(ask)
        key = f"{route.operation}:{ask.path}:{ask.request_id}"
        known = self._store.table("request_ids").get(key)
        if known is not None and self._store.now - known["at"] < route.lives_s:
            if known["body"] != fingerprint(ask.body):
                raise PaypalError(422, "DUPLICATE_REQUEST_ID")
            return self._latest(known["table"], known["made"], ask, status=200)
        if key in self._running:
            raise PaypalError(409, "PREVIOUS_REQUEST_IN_PROGRESS")
        self._running.add(key)
        try:
            answer = route.act(ask)
            self._remember(key, ask, answer)
            # Until it is on the disk the request counts as running.
            await self._store.context.journal.durable()
        finally:
            self._running.discard(key)
        return answer

    def _remember(self, key: str, ask: Ask, answer: web.Response) -> None:
        table, made = answer["made"]
        record = {
            "id": key,
            "at": self._store.now,
            "body": fingerprint(ask.body),
            "table": table,
            "made": made,
        }
        self._store.put("request_ids", record)

    def _latest(self, table: str, made: str, ask: Ask, status: int) -> web.Response:
        """A record in its present state, and a note of what it is for the request ids."""
        record = self._store.find(table, made)
        body = self._parts.orders.shown(record) if table == "orders" else shown(record)
        answer = web.json_response(body if ask.full else brief(body), status=status)
        answer["made"] = (table, made)
        return answer

    def _get(self, table: str) -> Callable[[Ask], web.Response]:
        return lambda ask: web.json_response(shown(self._store.find(table, ask.id)))

    def _make_order(self, ask: Ask) -> web.Response:
        body = require_object(ask.body)
        if body.get("payment_source") and not ask.request_id:
            raise invalid("PAYPAL_REQUEST_ID_REQUIRED")
        order = self._parts.orders.create(body)
        return self._latest("orders", order["id"], ask, 200 if order["_with_source"] else CREATED)

    def _get_order(self, ask: Ask) -> web.Response:
        return web.json_response(self._parts.orders.shown(self._parts.orders.get(ask.id)))

    def _patch(self, ask: Ask) -> web.Response:
        self._parts.orders.patch(self._parts.orders.get(ask.id), ask.body)
        return web.Response(status=204)

    def _capture_order(self, ask: Ask) -> web.Response:
        require_object(ask.body)
        self._parts.orders.complete(self._parts.orders.get(ask.id), capture=True)
        return self._latest("orders", ask.id, ask, CREATED)

    def _authorize(self, ask: Ask) -> web.Response:
        require_object(ask.body)
        self._parts.orders.complete(self._parts.orders.get(ask.id), capture=False)
        return self._latest("orders", ask.id, ask, CREATED)

    def _capture_hold(self, ask: Ask) -> web.Response:
        hold = self._store.find("authorizations", ask.id)
        capture = self._parts.payments.capture_hold(hold, require_object(ask.body))
        return self._latest("captures", capture["id"], ask, CREATED)

    def _void(self, ask: Ask) -> web.Response:
        hold = self._parts.payments.void(self._store.find("authorizations", ask.id))
        answer = self._latest("authorizations", hold["id"], ask, 200)
        if ask.full:
            return answer
        empty = web.Response(status=204)
        empty["made"] = answer["made"]
        return empty

    def _reauthorize(self, ask: Ask) -> web.Response:
        hold = self._store.find("authorizations", ask.id)
        renewed = self._parts.payments.reauthorize(hold, require_object(ask.body))
        return self._latest("authorizations", renewed["id"], ask, CREATED)

    def _refund(self, ask: Ask) -> web.Response:
        capture = self._store.find("captures", ask.id)
        refund = self._parts.refunds.refund(capture, require_object(ask.body))
        return self._latest("refunds", refund["id"], ask, CREATED)

    def _disputes(self, ask: Ask) -> Json:
        found = self._parts.disputes.of_capture(ask.query.get("disputed_transaction_id"))
        return {"items": [shown(each) for each in found], "links": []}

    def _resend(self, ask: Ask) -> web.Response:
        event = self._store.find("events", ask.id)
        self._store.context.webhooks.send_again(NAME, event["id"])
        return web.json_response(shown(event), status=202)

    def _accept(self, ask: Ask) -> web.Response:
        dispute = self._store.find("disputes", ask.id)
        self._parts.disputes.accept(dispute)
        return web.json_response({"links": dispute["links"]})

    def _provide(self, ask: Ask) -> web.Response:
        dispute = self._store.find("disputes", ask.id)
        self._parts.disputes.provide(dispute)
        return web.json_response({"links": dispute["links"]})


async def unknown_path(_: web.Request) -> web.Response:
    """What PayPal says to a path that it does not have."""
    return not_found().response()


def answered(act: Callable[[Ask], Json]) -> Callable[[Ask], web.Response]:
    """An answer that is just a JSON object."""
    return lambda ask: web.json_response(act(ask))


def fingerprint(body: object) -> str:
    """A mark by which a body is known again."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def brief(body: Json) -> Json:
    """The minimal form: state and links, of an order also the state of its payments."""
    short: Json = {name: body[name] for name in MINIMAL if name in body}
    payments = (body.get("purchase_units") or [{}])[0].get("payments")
    if payments:
        states = {
            kind: [{"id": each["id"], "status": each["status"]} for each in every]
            for kind, every in payments.items()
        }
        short["purchase_units"] = [{"reference_id": "default", "payments": states}]
    return short
