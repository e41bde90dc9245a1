"""Faults on the wire of the gateways' APIs: what a caller can meet when a network or a gateway
fails.

Every API call of every gateway goes through ``Faults.perform``. Known limit: all gateways share one
port that stays open, so ``refuse`` cannot refuse the connection itself; it resets the connection
before the call has been looked at, and nothing is done.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.rules import FAULTS_AFTER, slow_ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sandbox.journal import Journal
    from sandbox.rules import Rules
    from sandbox.webhooks import Webhooks

# A caller that waits longer than this for an answer that never comes is cut off.
HANG_S_MAX = 120.0
HANG_LOOK_S = 0.25
PAYMENT_REQUIRED = 402
FIRST_ERROR = 400


@dataclass(frozen=True, kw_only=True)
class Call:
    """One API call: whose it is and what it does.

    ``reference`` is None where it concerns no one payment.
    """

    gateway: str
    operation: str
    reference: str | None


@dataclass(frozen=True, kw_only=True)
class Failures:
    """How one gateway words a server error and a rate limit."""

    http_500: Callable[[], web.Response]
    http_500_after: Callable[[], web.Response]
    http_429: Callable[[], web.Response]


class Faults:
    """Runs API calls with the faults that the rules ask for."""

    def __init__(self, journal: Journal, rules: Rules, webhooks: Webhooks) -> None:
        """All three are shared by every gateway."""
        self._journal = journal
        self._rules = rules
        self._webhooks = webhooks

    async def perform(
        self,
        request: web.Request,
        call: Call,
        work: Callable[[], Awaitable[web.Response]],
        failures: Failures,
    ) -> web.StreamResponse:
        """Do one call, make it durable, and answer; or fail in the way a rule asks for.

        The answer leaves only when the journal is on disk and, with ``before_answer``, only when
        the webhooks about the payment have been delivered.
        """
        fault = self._rules.fault(call.gateway, call.reference, call.operation)
        if fault is not None and fault not in FAULTS_AFTER and not slow_ms(fault):
            return await fail_before(request, fault, failures)
        answer = await work()
        if call.reference is not None:
            await self._webhooks.before_answer(call.gateway, call.reference)
        await self._journal.durable()
        if fault is None:
            return answer
        if slow_ms(fault):
            await asyncio.sleep(slow_ms(fault) / 1000)
            return answer
        return await fail_after(request, fault, answer, failures)


async def fail_before(request: web.Request, fault: str, failures: Failures) -> web.StreamResponse:
    """Fail a call of which nothing has been done."""
    if fault == "refuse":
        return reset(request)
    if fault == "timeout_before":
        return await hang(request)
    if fault == "http_500":
        return failures.http_500()
    if fault == "http_429":
        return failures.http_429()
    return web.Response(body=b"\x00<<%% not an answer", content_type="text/plain")


async def fail_after(
    request: web.Request, fault: str, answer: web.Response, failures: Failures
) -> web.StreamResponse:
    """Keep the answer to a call that was done from its caller."""
    if answer.status >= FIRST_ERROR and answer.status != PAYMENT_REQUIRED:
        return answer
    if fault == "timeout_after":
        return await hang(request)
    if fault == "reset_after":
        return reset(request)
    if fault == "cut_body":
        return await cut(request, answer)
    return failures.http_500_after()


def reset(request: web.Request) -> web.Response:
    """Break the connection so that the caller sees a reset, not an orderly end."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            # Lingering for zero seconds turns the close into a TCP reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=444)


async def hang(request: web.Request) -> web.Response:
    """Leave the caller without an answer until it hangs up."""
    for _ in range(int(HANG_S_MAX / HANG_LOOK_S)):
        if request.transport is None or request.transport.is_closing():
            break
        await asyncio.sleep(HANG_LOOK_S)
    return reset(request)


async def cut(request: web.Request, answer: web.Response) -> web.StreamResponse:
    """Send the head and half of the body that the head promises, then end the connection."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    partial = web.StreamResponse(status=answer.status, headers=answer.headers)
    partial.content_length = len(body)
    partial.force_close()
    await partial.prepare(request)
    await partial.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return partial
