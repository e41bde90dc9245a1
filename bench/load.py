"""The load: shops that POST payments and shoppers who open their pay links; its own process.

Reads one job as JSON from its input and prints one result. As an app would, a shopper asks
``GET /payments/{id}`` where to pay, soon and then ever more slowly, and opens that page.
"""

import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from bench.http_client import Answer, HttpConnection, HttpConnectionError

FIRST_LOOK_S: Final = 0.2
LOOKS_MAX: Final = 12
LOOK_PAUSE_MAX_S: Final = 3.2
ERRORS_KEPT: Final = 20
CREATED: Final = 201
OK: Final = 200
REDIRECT: Final = range(300, 400)


@dataclass(frozen=True, kw_only=True)
class Job:
    """``payments`` are bodies for POST /payments; ``rate`` is per minute, 0: as fast as it goes."""

    base_url: str
    sandbox_url: str
    token: str
    payments: Sequence[Mapping[str, Any]]
    rate: int
    posters: int
    shoppers: int


@dataclass
class Result:
    """Measurements; at a fixed rate ``post_ms`` counts from the time at which a POST was due."""

    started_at: float = 0.0
    post_ms: list[float] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    looks: int = 0
    cpu_s: float = 0.0
    errors: list[str] = field(default_factory=list)


class Load:
    """Runs one job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._authorization = f"Authorization: Bearer {job.token}\r\n"
        self._next = iter(enumerate(job.payments))
        self._lock = threading.Lock()
        self._started = 0.0
        # Created payments that wait for a shopper: time of the first look, and payment id.
        self._created: queue.SimpleQueue[tuple[float, str] | None] = queue.SimpleQueue()
        self.result = Result()

    def run(self) -> Result:
        """Run the job and return the result."""
        shoppers = _threads(self._job.shoppers, self._shop)
        self.result.started_at = time.time()
        self._started = time.perf_counter()
        for poster in _threads(self._job.posters, self._post):
            poster.join()
        for _ in shoppers:
            self._created.put(None)
        for shopper in shoppers:
            shopper.join()
        self.result.cpu_s = time.process_time()
        return self.result

    def _post(self) -> None:
        connection = HttpConnection(self._job.base_url)
        while (taken := self._take()) is not None:
            position, payment = taken
            due = self._wait_for_turn(position)
            body = json.dumps(payment["body"]).encode()
            headers = f"{self._authorization}Idempotency-Key: {payment['key']}\r\n"
            answer = self._try(partial(connection.post, "/payments", body, headers))
            if answer is not None:
                self._note(answer, payment["body"]["method"], time.perf_counter() - due)
        connection.close()

    def _take(self) -> tuple[int, Mapping[str, Any]] | None:
        with self._lock:
            return next(self._next, None)

    def _wait_for_turn(self, position: int) -> float:
        """Sleep until this POST is due and return that time; slow responses delay no other."""
        if not self._job.rate:
            return time.perf_counter()
        due = self._started + position * 60 / self._job.rate
        time.sleep(max(0.0, due - time.perf_counter()))
        return due

    def _note(self, answer: Answer, method: str, seconds: float) -> None:
        if answer.status != CREATED:
            self._fail(f"POST {answer.status}: {answer.body[:200].decode(errors='replace')}")
            return
        payment_id = json.loads(answer.body)["id"]
        with self._lock:
            self.result.post_ms.append(seconds * 1000)
            self.result.payments.append(payment_id)
        if method == "vnpay":
            self._created.put((time.perf_counter() + FIRST_LOOK_S, payment_id))

    def _shop(self) -> None:
        product, gateway = HttpConnection(self._job.base_url), HttpConnection(self._job.sandbox_url)
        while (item := self._created.get()) is not None:
            look_at, payment_id = item
            time.sleep(max(0.0, look_at - time.perf_counter()))
            url = self._pay_link(product, payment_id)
            if url is not None:
                self._open(gateway, url)
        product.close()
        gateway.close()

    def _pay_link(self, connection: HttpConnection, payment_id: str) -> str | None:
        pause = FIRST_LOOK_S
        for _ in range(LOOKS_MAX):
            answer = self._try(
                lambda: connection.get(f"/payments/{payment_id}", self._authorization)
            )
            with self._lock:
                self.result.looks += 1
            action = json.loads(answer.body).get("next_action") if answer else None
            if action:
                return str(action["url"])
            time.sleep(pause)
            pause = min(pause * 2, LOOK_PAUSE_MAX_S)
        self._fail(f"{payment_id}: no pay link")
        return None

    def _open(self, connection: HttpConnection, url: str) -> None:
        """Open the gateway's page; the test decision pays at once and leads back to the shop."""
        parts = urlsplit(url)
        answer = self._try(lambda: connection.get(f"{parts.path}?{parts.query}"))
        if answer is not None and (
            answer.status not in REDIRECT or not answer.location.startswith(self._job.base_url)
        ):
            self._fail(f"pay link: {answer.status} {answer.location[:100]}")

    def _try(self, exchange: Callable[[], Answer]) -> Answer | None:
        try:
            return exchange()
        except HttpConnectionError as error:
            self._fail(str(error))
            return None

    def _fail(self, what: str) -> None:
        with self._lock:
            if len(self.result.errors) < ERRORS_KEPT:
                self.result.errors.append(what)


def _threads(count: int, target: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=target, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def main() -> None:
    """Do the job on standard input."""
    job = Job(**json.load(sys.stdin))
    json.dump(asdict(Load(job).run()), sys.stdout)


if __name__ == "__main__":
    main()
