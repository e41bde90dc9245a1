"""The control interface under ``/control/``: how tests read the journal and steer what happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.charges import ROWS_DEFAULT, ROWS_MAX, seconds
from sandbox.clock import ADVANCE_S_MAX
from sandbox.gateway import ControlError
from sandbox.rules import Members, RuleError, read_decision
from sandbox.settings import is_loopback
from sandbox.settlement import settlement, settlement_file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from sandbox.gateway import Gateway, SandboxContext
    from sandbox.journal import Json

Answer = Any


class Control:
    """Handlers of the control interface. Wrong input is answered 400 with what is wrong."""

    def __init__(self, context: SandboxContext, gateways: Mapping[str, Gateway]) -> None:
        """``gateways`` are those emulated, by name."""
        self._context = context
        self._gateways = gateways

    def routes(self) -> Iterable[web.RouteDef]:
        """All paths of the control interface."""
        return [
            web.get("/control/health", self._guarded(self._health)),
            web.get("/control/book", self._guarded(self._journal)),
            web.get("/control/behaviour", self._guarded(self._rules)),
            web.put("/control/behaviour", self._guarded(self._behaviour)),
            web.get("/control/clock", self._guarded(self._time)),
            web.post("/control/clock", self._guarded(self._advance)),
            web.post("/control/decide", self._guarded(self._decide)),
            web.post("/control/webhooks/resend", self._guarded(self._resend)),
            web.post("/control/disputes", self._guarded(self._dispute)),
            web.get("/control/settlement", self._guarded(self._settlement)),
            web.post("/control/reset", self._guarded(self._reset)),
        ]

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[Answer]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            if not self._may_control(request):
                return web.json_response(
                    {"error": "Only this machine may steer the sandbox."}, status=403
                )
            try:
                result = await handler(request)
            except (RuleError, ControlError) as error:
                return web.json_response({"error": str(error)}, status=400)
            await self._context.journal.durable()
            return result if isinstance(result, web.Response) else web.json_response(result)

        return answer

    def _may_control(self, request: web.Request) -> bool:
        return self._context.settings.allow_non_loopback or is_loopback(request.remote or "")

    async def _health(self, _: web.Request) -> Answer:
        return {"status": "ok", "gateways": list(self._gateways)}

    async def _journal(self, request: web.Request) -> Answer:
        query = request.query
        unknown = set(query) - {"gateway", "reference", "since", "limit"}
        if unknown:
            raise ControlError(f"Unknown query parameters: {', '.join(sorted(unknown))}.")
        return self._context.charges.report(
            gateway=query.get("gateway") or None,
            reference=query.get("reference") or None,
            since=read_since(query.get("since")),
            limit=read_limit(query.get("limit")),
        )

    async def _rules(self, _: web.Request) -> Answer:
        rules = self._context.rules
        return {"default": rules.default.as_json(), "rules": rules.active()}

    async def _behaviour(self, request: web.Request) -> Answer:
        return self._context.rules.replace(await read_json(request), self._gateways)

    async def _time(self, _: web.Request) -> Answer:
        clock = self._context.clock
        return {"now": clock.now(), "ahead_s": clock.shift_s}

    async def _advance(self, request: web.Request) -> Answer:
        members = Members(await read_json(request), "the body")
        advance_s = members.whole("advance_s", None, 0, ADVANCE_S_MAX)
        members.nothing_left()
        if advance_s is None:
            raise ControlError("advance_s is missing.")
        self._context.clock.advance(advance_s)
        return await self._time(request)

    async def _decide(self, request: web.Request) -> Answer:
        members = Members(await read_json(request), "the body")
        gateway = self._gateway(members)
        reference = read_text(members, "reference")
        decision = read_decision(members.take("decision", None))
        members.nothing_left()
        gateway.decide(reference, decision)
        return {"gateway": gateway.name, "reference": reference, "decision": decision}

    async def _resend(self, request: web.Request) -> Answer:
        members = Members(await read_json(request), "the body")
        gateway = self._gateway(members)
        reference = read_text(members, "reference")
        members.nothing_left()
        return {"resent": await self._context.webhooks.resend(gateway.name, reference)}

    async def _dispute(self, request: web.Request) -> Answer:
        members = Members(await read_json(request), "the body")
        gateway = self._gateway(members)
        psp_reference = read_text(members, "psp_reference")
        outcome = members.text_or_none("outcome") or "open"
        members.nothing_left()
        return gateway.dispute(psp_reference, outcome)

    async def _settlement(self, request: web.Request) -> Answer:
        members = Members(dict(request.query), "the query")
        gateway = self._gateway(members)
        date = read_text(members, "date")
        form = members.one_of("format", ["json", "csv"])
        members.nothing_left()
        if form != "csv":
            return settlement(self._context, gateway, date)
        text = settlement_file(self._context, gateway, date)
        name = f"{gateway.name}-{date}.csv"
        return web.Response(
            text=text,
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _reset(self, _: web.Request) -> Answer:
        self._context.rules.reset()
        self._context.clock.reset()
        return {"reset": True}

    def _gateway(self, members: Members) -> Gateway:
        name = members.one_of("gateway", list(self._gateways), required=True)
        return self._gateways[str(name)]


async def read_json(request: web.Request) -> Json:
    """The JSON object of a request. Raises ControlError."""
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise ControlError(f"The body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ControlError("The body must be a JSON object.")
    return body


def read_text(members: Members, key: str) -> str:
    """Text that must be there. Raises ControlError."""
    value = members.text_or_none(key)
    if value is None:
        raise ControlError(f"{key} is missing.")
    return value


def read_since(text: str | None) -> float | None:
    """The ``since`` of a query: RFC 3339 or seconds since 1970. Raises ControlError."""
    if not text:
        return None
    try:
        return seconds(text)
    except ValueError as error:
        raise ControlError(
            f"since must be RFC 3339 or seconds since 1970; got {text!r}."
        ) from error


def read_limit(text: str | None) -> int:
    """The ``limit`` of a query, counted for each list. Raises ControlError."""
    if not text:
        return ROWS_DEFAULT
    if not text.isdecimal() or not 0 < int(text) <= ROWS_MAX:
        raise ControlError(f"limit must be a whole number from 1 to {ROWS_MAX}; got {text!r}.")
    return int(text)
