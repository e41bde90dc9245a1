"""The HTTP client of all adapters: pooled, bounded, and exact about what it knows.

Every request ends in one of three ways. ``HttpAnswer``: the gateway answered. ``NotSent``: no
connection could be made, so the gateway certainly never received it. ``NoAnswer``: the request
may have been sent, and its effect is unknown. Nothing is retried and no redirect is followed
here: only our own rows decide about a repeat.
"""

import os
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.client import HTTPException
from typing import Final

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from gateways.foreign_json import encode_canonical, read_json_object
from gateways.operation import Json

# A page of a report has some hundred kilobytes; every other honest answer is far smaller.
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
# Keep-alive connections kept for each host; more run side by side, they are only not kept.
_CONNECTIONS_KEPT: Final = 32
_HOSTS_KEPT: Final = 8
# The longest Retry-After that is believed.
_RETRY_AFTER_MAX_S: Final = 3600
_USER_AGENT: Final = "payments/1.0"


class TransportError(Exception):
    """No usable answer. ``reason`` is a few words for staff, with nothing secret in them."""

    def __init__(self, reason: str, duration_ms: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.duration_ms = duration_ms


class NotSent(TransportError):
    """No connection came about (refused, DNS, TLS, connect timeout): certainly not done."""


class NoAnswer(TransportError):
    """The request may have reached the gateway; its answer did not reach us: unknown."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer. Header names are lower case; ``duration_ms`` is wall-clock time."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration_ms: int

    def json(self) -> Json | None:
        """The body as a JSON object, or None when it is anything else."""
        return read_json_object(self.body)

    @property
    def retry_after_s(self) -> int | None:
        """``Retry-After`` in seconds (RFC 9110, 10.2.3), capped.

        A date there is counted from the answer's own ``Date``, so that no two clocks are compared.
        """
        value = self.headers.get("retry-after", "")
        if re.fullmatch("[0-9]{1,9}", value):
            return min(int(value), _RETRY_AFTER_MAX_S)
        until, now = _read_date(value), self.date
        if until is None or now is None:
            return None
        return max(0, min(round((until - now).total_seconds()), _RETRY_AFTER_MAX_S))

    @property
    def date(self) -> datetime | None:
        """``Date``, the answering side's clock to the second (RFC 9110, 6.6.1), if it is one."""
        return _read_date(self.headers.get("date", ""))


class HttpClient:
    """A pool of keep-alive connections. Safe to share by threads and to carry over a fork.

    A request takes at most the connect timeout plus twice the read timeout: the wait for the
    head of the answer, then for its body. ``ca_file`` names the trusted roots (PEM).
    """

    def __init__(
        self, *, connect_timeout_s: float, read_timeout_s: float, ca_file: str = ""
    ) -> None:
        self._timeout = urllib3.Timeout(connect=connect_timeout_s, read=read_timeout_s)
        self._body_timeout_s = read_timeout_s
        self._ca_file = ca_file or certifi.where()
        self._owner_pid = 0
        self._pools = urllib3.PoolManager()

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> HttpAnswer:
        """One request, one try. Raises ``NotSent`` or ``NoAnswer``."""
        started = time.monotonic()
        try:
            status, answer_headers, answer_body = self._exchange(method, url, headers, body)
        except TransportError as error:
            error.duration_ms = _ms_since(started)
            raise
        except (HTTPError, HTTPException, OSError) as error:
            raise NoAnswer(_describe(error), _ms_since(started)) from error
        return HttpAnswer(status, answer_headers, answer_body, _ms_since(started))

    def post_json(
        self, url: str, payload: Mapping[str, object], *, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """POST ``payload`` as JSON. Raises like ``send``."""
        merged = {"Content-Type": "application/json", "Accept": "application/json"}
        body = encode_canonical(payload)
        return self.send("POST", url, headers={**merged, **(headers or {})}, body=body)

    def close(self) -> None:
        """Close the idle connections; the client can still be used."""
        self._pools.clear()

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        response = self._pools_of_this_process().request(
            method,
            url,
            body=body,
            headers={"User-Agent": _USER_AGENT, **headers},
            timeout=self._timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            answer_body = self._read_body(response)
        except BaseException:
            # What is left unread would be taken for the next answer: the connection must go.
            response.close()
            raise
        response.release_conn()
        lower = {name.lower(): value for name, value in response.headers.items()}
        return response.status, lower, answer_body

    def _pools_of_this_process(self) -> urllib3.PoolManager:
        # A socket shared over a fork would give one process the other's answers.
        if self._owner_pid != os.getpid():
            self._pools = _new_pools(self._ca_file)
            self._owner_pid = os.getpid()
        return self._pools

    def _read_body(self, response: BaseHTTPResponse) -> bytes:
        deadline = time.monotonic() + self._body_timeout_s
        body = bytearray()
        # Said out loud, because a chunked body is otherwise handed over as it was packed.
        for chunk in response.stream(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise NoAnswer("the answer is too large")
            if time.monotonic() > deadline:
                raise NoAnswer("the answer took too long")
        return bytes(body)


class _PlainConnection(HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError) as error:
            raise NotSent(_describe(error)) from error


class _TlsConnection(HTTPSConnection):
    def connect(self) -> None:
        # Up to the end of the handshake no byte of the request has left, whatever breaks.
        try:
            super().connect()
        except (HTTPError, OSError) as error:
            raise NotSent(_describe(error)) from error


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _new_pools(ca_file: str) -> urllib3.PoolManager:
    pools = urllib3.PoolManager(
        num_pools=_HOSTS_KEPT, maxsize=_CONNECTIONS_KEPT, ssl_context=_tls_context(ca_file)
    )
    pools.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
    return pools


@lru_cache(maxsize=8)
def _tls_context(ca_file: str) -> ssl.SSLContext:
    # Reading the roots costs some 20 ms, and one context serves every pool.
    return ssl.create_default_context(cafile=ca_file)


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else None


def _describe(error: BaseException) -> str:
    # The class names say what broke; the texts may hold URLs.
    cause = error.__cause__ or error.__context__
    names = [type(error).__name__] + ([type(cause).__name__] if cause else [])
    return " from ".join(names)


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
