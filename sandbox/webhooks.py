"""Delivery of the gateways' messages: copies, delay, order, loss, corruption, retries, and the log
of it all.

A gateway says what to send (``post``) and how to put it on the wire (``Gateway.message``); the
answer and retries are each gateway's own, too. A delivery is in the journal
before the first attempt, and a retry that is booked survives a restart.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from sandbox.clock import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.clock import Clock
    from sandbox.gateway import Gateway
    from sandbox.journal import Journal, Json
    from sandbox.rules import Rules

ATTEMPT_TIMEOUT_S = 15.0
BEFORE_ANSWER_WAIT_S_MAX = 20.0
CONNECTIONS_MAX = 64
ANSWER_BYTES_MAX = 4096
log = logging.getLogger(__name__)

# Reversed order can only be seen when the messages come one after the other.
REVERSED_LAG_S = 0.3


@dataclass(frozen=True, kw_only=True)
class Message:
    """One HTTP request that carries a webhook, signed and ready."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What the receiver answered; status None means no answer at all."""

    status: int | None
    body: bytes


class Webhooks:
    """Sends what the gateways post and remembers every attempt."""

    def __init__(self, journal: Journal, clock: Clock, rules: Rules) -> None:
        """The gateways are made known by ``start``, because they hold this object themselves."""
        self._journal = journal
        self._clock = clock
        self._rules = rules
        self._gateways: Mapping[str, Gateway] = {}
        self._session: aiohttp.ClientSession | None = None
        self._batches: dict[tuple[str, str], list[Json]] = {}
        self._sending: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, gateways: Mapping[str, Gateway]) -> None:
        """Open the pooled client and journal again the retries that were open before a restart."""
        self._gateways = gateways
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
            timeout=aiohttp.ClientTimeout(total=ATTEMPT_TIMEOUT_S),
            auto_decompress=False,
        )
        for delivery in self._journal.table("webhooks").values():
            if delivery["next_at"] is not None and delivery["gateway"] in gateways:
                self._book_retry(delivery)

    async def stop(self) -> None:
        """End what is being sent; open retries stay in the journal."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def post(self, *, gateway: str, reference: str, event_id: str, payload: Json) -> None:
        """Queue one message about a payment.

        Messages posted in one step form a batch that is sent in order, one after the other.
        """
        rule = self._rules.of(gateway, reference).webhook
        delivery: Json = {
            "gateway": gateway,
            "reference": reference,
            "event_id": event_id,
            "payload": payload,
            "created_at": self._clock.now(),
            "dropped": rule.drop,
            "next_at": None if rule.drop else self._clock.now(),
            "tries": 0,
            "attempts": [],
        }
        self._journal.put("webhooks", f"{gateway}:{event_id}", delivery)
        if not rule.drop:
            self._batch(gateway, reference).append(delivery)

    async def before_answer(self, gateway: str, reference: str) -> None:
        """Wait for the messages about a payment, if its rule sends them before the API's answer."""
        if self._rules.of(gateway, reference).webhook.order == "before_answer":
            await self.settled(gateway, reference, BEFORE_ANSWER_WAIT_S_MAX)

    async def settled(self, gateway: str, reference: str, limit_s: float) -> None:
        """Wait until the messages posted so far have been tried once, but not longer than the
        limit.
        """
        # One turn of the loop lets a batch that was posted in this step become a task.
        await asyncio.sleep(0)
        task = self._sending.get((gateway, reference))
        if task is not None:
            await asyncio.wait([task], timeout=limit_s)

    async def resend(self, gateway: str, reference: str) -> int:
        """Send all messages about a payment again, true to the letter; returns how many."""
        found = [
            delivery
            for delivery in self._journal.table("webhooks").values()
            if delivery["gateway"] == gateway and delivery["reference"] == reference
        ]
        for delivery in found:
            await self._attempt(delivery, corrupt=None)
        return len(found)

    def send_again(self, gateway: str, event_id: str) -> None:
        """Send one message again, true to the letter, without waiting for it."""
        delivery = self._journal.table("webhooks")[f"{gateway}:{event_id}"]
        self._spawn(self._attempt(delivery, corrupt=None))

    def give_up(self, gateway: str, fits: Callable[[Json], bool]) -> None:
        """Try no more to deliver the payloads that fit."""
        for delivery in self._journal.table("webhooks").values():
            waits = delivery["gateway"] == gateway and delivery["next_at"] is not None
            if waits and fits(delivery["payload"]):
                delivery["next_at"] = None
                self._save(delivery)

    def _batch(self, gateway: str, reference: str) -> list[Json]:
        key = (gateway, reference)
        if key not in self._batches:
            self._batches[key] = []
            asyncio.get_running_loop().call_soon(self._send_batch, key)
        return self._batches[key]

    def _send_batch(self, key: tuple[str, str]) -> None:
        batch = self._batches.pop(key)
        task = self._spawn(self._deliver(key, batch, self._sending.get(key)))
        self._sending[key] = task
        task.add_done_callback(lambda _: self._forget(key, task))

    def _forget(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        if self._sending.get(key) is task:
            del self._sending[key]

    def _spawn(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a delivery broke off", exc_info=task.exception())

    async def _deliver(
        self, key: tuple[str, str], batch: Sequence[Json], earlier: asyncio.Task[None] | None
    ) -> None:
        rule = self._rules.of(*key).webhook
        lag_s = 0.0 if rule.order == "before_answer" else self._gateways[key[0]].webhook_lag_s
        if rule.order == "reversed":
            lag_s, batch = max(lag_s, REVERSED_LAG_S), batch[::-1]
        await asyncio.sleep(lag_s + rule.delay_ms / 1000)
        if earlier is not None and rule.order != "reversed":
            await asyncio.wait([earlier])
        for delivery in batch:
            await self._try(delivery, copies=rule.copies, corrupt=rule.corrupt)

    async def _try(self, delivery: Json, *, copies: int, corrupt: str | None) -> None:
        """One scheduled try, which is several requests side by side where copies are wanted."""
        answers = await asyncio.gather(
            *(self._attempt(delivery, corrupt=corrupt) for _ in range(copies)),
        )
        schedule = self._gateways[delivery["gateway"]].retry_after_s
        tries = delivery["tries"]
        if any(answers) or tries >= len(schedule):
            delivery["next_at"] = None
        else:
            delivery["next_at"] = (
                max(delivery["next_at"] or 0.0, delivery["created_at"]) + schedule[tries]
            )
            delivery["tries"] = tries + 1
            self._book_retry(delivery)
        self._save(delivery)

    def _book_retry(self, delivery: Json) -> None:
        self._clock.at(delivery["next_at"], lambda: self._retry(delivery))

    def _retry(self, delivery: Json) -> None:
        if delivery["next_at"] is None:
            return
        corrupt = self._rules.of(delivery["gateway"], delivery["reference"]).webhook.corrupt
        self._spawn(self._try(delivery, copies=1, corrupt=corrupt))

    async def _attempt(self, delivery: Json, *, corrupt: str | None) -> bool:
        """Send once and log it; True when the receiver took it as the gateway wants it taken."""
        await self._journal.durable()
        gateway = self._gateways[delivery["gateway"]]
        started, at = time.perf_counter(), self._clock.now()
        message = gateway.message(delivery["payload"], corrupt)
        attempt = await self._request(message)
        taken = attempt.status is not None and gateway.acknowledged(attempt)
        delivery["attempts"].append(
            {
                "at": iso(at),
                "status": attempt.status,
                "ms": round((time.perf_counter() - started) * 1000, 1),
                "answer": attempt.body[:200].decode("utf-8", "replace"),
            },
        )
        self._save(delivery)
        return taken

    async def _request(self, message: Message) -> Attempt:
        assert self._session is not None
        try:
            async with self._session.request(
                message.method,
                message.url,
                headers=dict(message.headers),
                data=message.body,
                allow_redirects=False,
            ) as answer:
                body = await answer.content.read(ANSWER_BYTES_MAX)
                return Attempt(status=answer.status, body=body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Attempt(status=None, body=type(error).__name__.encode())

    def _save(self, delivery: Json) -> None:
        self._journal.put("webhooks", f"{delivery['gateway']}:{delivery['event_id']}", delivery)
