"""One API request: key, body, idempotency, the operation, and the answer in Stripe's shape."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
from typing import TYPE_CHECKING, Final

from aiohttp import web

from sandbox.faults import Call, Failures
from sandbox.stripe.endpoints import PATHS, TABLES
from sandbox.stripe.errors import StripeError
from sandbox.stripe.forms import decode
from sandbox.stripe.idempotency import Answer, IdempotencyKeys, read_key
from sandbox.stripe.intents import WAIT_MS_MAX
from sandbox.stripe.objects import API_VERSION, new_id
from sandbox.stripe.params import check
from sandbox.stripe.store import NAME, Cause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from sandbox.journal import Json
    from sandbox.stripe.endpoints import Endpoints
    from sandbox.stripe.reports import Reports
    from sandbox.stripe.store import Store

OK: Final = 200
UNAUTHORIZED: Final = 401


class Api:
    """The handlers of every path under ``/v1/``."""

    def __init__(
        self, store: Store, endpoints: Endpoints, reports: Reports, *, secret_key: str
    ) -> None:
        """``secret_key`` is the only key that is let in."""
        self._store = store
        self._endpoints = endpoints
        self._keys = IdempotencyKeys(store)
        self._reports = reports
        self._secret_key = secret_key

    def routes(self) -> Iterable[web.RouteDef]:
        """All paths, and Stripe's 404 for the rest of ``/v1/``."""
        known = [
            web.route(method, path, self._handler(operation)) for method, path, operation in PATHS
        ]
        file = web.get("/v1/files/{id}/contents", self._file)
        return [*known, file, web.route("*", "/v1/{path:.*}", unknown_path)]

    async def _file(self, request: web.Request) -> web.Response:
        """A report's CSV, which Stripe keeps on a host of its own."""
        try:
            self._authenticate(request)
            text = self._reports.contents(request.match_info["id"])
        except StripeError as error:
            return response(error_answer(error), new_id("req_"), None)
        return web.Response(text=text, content_type="text/csv")

    def _handler(self, operation: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            request_id = new_id("req_")
            try:
                self._authenticate(request)
                key = read_key(request.headers.get("Idempotency-Key"))
                given = decode(await form_of(request))
            except StripeError as error:
                return response(error_answer(error), request_id, None)
            turn = Turn(
                operation=operation,
                path=request.path,
                object_id=request.match_info.get("id", ""),
                given=given,
                key=key if request.method == "POST" else None,
                request_id=request_id,
            )
            return await self._perform(request, turn)

        return handle

    async def _perform(self, request: web.Request, turn: Turn) -> web.StreamResponse:
        call = Call(
            gateway=NAME,
            operation=f"{turn.operation}:{turn.key or ''}",
            reference=self._reference(turn),
        )

        async def work() -> web.Response:
            answer = await self._answer(turn, call.reference)
            await self._let_shopper_be_first(turn, call.reference)
            return response(answer, turn.request_id, turn.key)

        return await self._store.context.faults.perform(request, call, work, self._failures(turn))

    async def _answer(self, turn: Turn, reference: str | None) -> Answer:
        """The stored answer of the key, or a new one."""
        if turn.key is None:
            return await self._execute(turn, reference)
        try:
            stored = self._keys.begin(turn.key, turn.path, turn.given)
        except StripeError as error:
            return error_answer(error)
        if stored is not None:
            return stored
        try:
            return await self._execute(turn, reference)
        finally:
            self._keys.end(turn.key)

    async def _execute(self, turn: Turn, reference: str | None) -> Answer:
        """Run the operation; its writes and its stored answer are one step."""
        await self._think(turn, reference)
        self._store.cause = Cause(request_id=turn.request_id, idempotency_key=turn.key)
        keep = True
        try:
            params = check(turn.operation, turn.given)
            answer = Answer(
                status=OK, body=dump(self._endpoints.run(turn.operation, turn.object_id, params))
            )
        except StripeError as error:
            answer, keep = error_answer(error), error.began
        finally:
            self._store.cause = Cause()
        if turn.key is not None and keep:
            self._keys.keep(turn.key, turn.path, turn.given, answer)
        return answer

    async def _think(self, turn: Turn, reference: str | None) -> None:
        """A confirmation under a rule takes the time that the rule gives to decisions."""
        confirms = turn.operation == "confirm_intent" or turn.given.get("confirm") == "true"
        if not confirms or reference is None:
            return
        rule = self._store.context.rules.of(NAME, reference)
        if rule.decision != "ask" and rule.decide_after_ms <= WAIT_MS_MAX:
            await asyncio.sleep(rule.decide_after_ms / 1000)

    async def _let_shopper_be_first(self, turn: Turn, reference: str | None) -> None:
        """Where webhooks come before the answer, decide a session before that, too."""
        if turn.operation != "create_session" or reference is None:
            return
        rule = self._store.context.rules.of(NAME, reference)
        soon = rule.decision != "ask" and rule.decide_after_ms <= WAIT_MS_MAX
        if soon and rule.webhook.order == "before_answer":
            clock = self._store.context.clock
            await clock.reached(clock.now() + rule.decide_after_ms / 1000)

    def _reference(self, turn: Turn) -> str | None:
        """The shop's reference of the payment that a call is about, or None."""
        if turn.operation == "create_intent":
            return text_in(turn.given, "metadata", "reference")
        if turn.operation == "create_session":
            inner = turn.given.get("payment_intent_data")
            own = text_in(inner, "metadata", "reference") if isinstance(inner, dict) else None
            return own or text_in(turn.given, "client_reference_id")
        table = TABLES.get(turn.operation.partition("_")[2], "")
        object_id = turn.object_id
        if turn.operation in {"create_refund", "list_refunds"}:
            by_intent = text_in(turn.given, "payment_intent")
            table = "payment_intents" if by_intent else "charges"
            object_id = by_intent or text_in(turn.given, "charge") or ""
        record = self._store.table(table).get(object_id) if table else None
        return record.get("_reference") if record else None

    def _authenticate(self, request: web.Request) -> None:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        key = value.strip()
        if kind.lower() == "basic":
            key = user_of(value)
        if not key:
            raise StripeError(401, "You did not provide an API key.")
        if not hmac.compare_digest(key.encode(), self._secret_key.encode()):
            raise StripeError(401, "Invalid API Key provided.")

    def _failures(self, turn: Turn) -> Failures:
        def after() -> web.Response:
            answer = error_answer(server_error())
            if turn.key is not None:
                self._keys.spoil(turn.key, answer)
            return response(answer, turn.request_id, turn.key)

        return Failures(
            http_500=lambda: response(error_answer(server_error()), turn.request_id, None),
            http_500_after=after,
            http_429=lambda: response(error_answer(rate_limited()), turn.request_id, None),
        )


class Turn:
    """What one request asks for, before anything has been checked."""

    __slots__ = ("given", "key", "object_id", "operation", "path", "request_id")

    def __init__(
        self,
        *,
        operation: str,
        path: str,
        object_id: str,
        given: Json,
        key: str | None,
        request_id: str,
    ) -> None:
        """``key`` is the idempotency key, which only POST has."""
        self.operation = operation
        self.path = path
        self.object_id = object_id
        self.given = given
        self.key = key
        self.request_id = request_id


async def form_of(request: web.Request) -> str:
    """The form of a request: the body of a POST, the query of a GET."""
    if request.method != "POST":
        return request.rel_url.raw_query_string
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError as error:
        raise StripeError(400, "Invalid request: the body is not UTF-8.") from error


async def unknown_path(request: web.Request) -> web.Response:
    """What Stripe says to a path that it does not have."""
    message = f"Unrecognized request URL ({request.method}: {request.path})."
    return response(error_answer(StripeError(404, message)), new_id("req_"), None)


def response(answer: Answer, request_id: str, key: str | None) -> web.Response:
    """The HTTP response of an answer, with Stripe's headers."""
    headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
    if key is not None:
        headers["Idempotency-Key"] = key
    if answer.status == UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="Stripe"'
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    return web.Response(
        text=answer.body, status=answer.status, headers=headers, content_type="application/json"
    )


def error_answer(error: StripeError) -> Answer:
    """The answer that an error becomes."""
    return Answer(status=error.status, body=dump(error.body()))


def server_error() -> StripeError:
    """Something went wrong at Stripe; what, the caller does not learn."""
    return StripeError(500, "An unknown error occurred.", kind="api_error")


def rate_limited() -> StripeError:
    """The limiter stands before everything else and keeps nothing."""
    return StripeError(429, "Request rate limit exceeded.", code="rate_limit")


def dump(body: Json) -> str:
    """The JSON of an answer."""
    return json.dumps(body)


def text_in(tree: Json, *path: str) -> str | None:
    """The text at a path of a decoded form, or None."""
    node: object = tree
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return node if isinstance(node, str) and node else None


def user_of(credentials: str) -> str:
    """The user name of Basic credentials, which is where Stripe takes its key."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
