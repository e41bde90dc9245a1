"""The one way in which adapters talk HTTP: pooled, bounded, and honest about what it knows.

Every request ends in one of three ways. ``HttpAnswer``: the gateway answered. ``NotSent``: no
connection could be made, so the gateway certainly never heard of it. ``NoAnswer``: the request
may have left, and nobody can say what it did. Nothing is retried and no redirect is followed
here: only our rows decide to ask again.
"""

import json
import math
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
from typing import Final, cast
from urllib.parse import urlsplit

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from gateways.operation import Json
from gateways.outcome import Exchange, Outcome, OutcomeKind
from privacy.redaction import mask_text, redact

READ_TIMEOUT_MAX_S: Final = 120.0
# A page of a report has some hundred kilobytes; every other honest answer is far smaller.
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
# Keep-alive connections kept for each host; more run side by side, they are only not kept.
_CONNECTIONS_KEPT: Final = 32
_HOSTS_KEPT: Final = 8
_TEXT_KEPT_MAX: Final = 2000
# A gateway may ask for patience; more than this is not believed.
_RETRY_AFTER_MAX_S: Final = 3600
_USER_AGENT: Final = "payments/1.0"
# JSON can spell what PostgreSQL cannot store: NUL, and halves of surrogate pairs.
_SUSPECT_ESCAPE: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_ESCAPED_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


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
        except TransportError as trouble:
            trouble.duration_ms = _ms_since(started)
            raise
        except (HTTPError, HTTPException, OSError) as error:
            raise NoAnswer(_describe(error), _ms_since(started)) from error
        return HttpAnswer(status, answer_headers, answer_body, _ms_since(started))

    def post_json(
        self, url: str, payload: Mapping[str, object], *, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """POST ``payload`` as JSON. Raises like ``send``."""
        merged = {"Content-Type": "application/json", "Accept": "application/json"}
        body = json.dumps(payload, separators=(",", ":")).encode()
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


def read_json_object(body: bytes) -> Json | None:
    """``body`` as a JSON object that can be stored, or None when it is not one.

    A byte order mark before it is nothing. A member that stands twice makes it none: two readers
    could each believe another of the two.
    """
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            parse_float=_read_float,
            object_pairs_hook=_unique,
        )
        if _SUSPECT_ESCAPE.search(body):
            _require_storable(value)
    except (ValueError, RecursionError):
        return None
    return cast("Json", value) if isinstance(value, dict) else None


def exchange_of(
    request: Mapping[str, object], answer: HttpAnswer | None, trouble: TransportError | None = None
) -> Exchange:
    """The exchange as it may be kept: redacted, and cut to a length that staff can read."""
    if answer is None:
        reason = trouble.reason if trouble else ""
        duration_ms = trouble.duration_ms if trouble else 0
        return Exchange(_redacted(request), {"trouble": reason}, None, duration_ms)
    content = answer.json()
    if content is None:
        content = {"text": mask_text(answer.body[:_TEXT_KEPT_MAX].decode(errors="replace"))}
    response = _redacted(_without_nul(content))
    return Exchange(_redacted(request), response, answer.status, answer.duration_ms, answer.date)


def outcome_of_trouble(trouble: TransportError, request: Mapping[str, object]) -> Outcome:
    """Not sent is certainly not done; everything else may have happened."""
    kind = OutcomeKind.NOT_DONE if isinstance(trouble, NotSent) else OutcomeKind.UNKNOWN
    return Outcome(kind, exchange=exchange_of(request, None, trouble))


def require_base_url(url: str, name: str) -> str:
    """``url`` without a slash at its end. Raises ValueError unless it is plain http(s)."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{name} must be an http(s) URL without query, got {url!r}")
    # Clear text only on this machine, which every name below localhost means (RFC 6761), or to a
    # bare host name: a container beside ours.
    is_near = parts.hostname in {"127.0.0.1", "::1"} or "." not in parts.hostname
    is_near = is_near or parts.hostname.endswith(".localhost")
    if parts.scheme == "http" and not is_near:
        raise ValueError(f"{name} must be https, got {url!r}")
    return url.rstrip("/")


def read_timeout(options: Mapping[str, str], default: float) -> float:
    """``read_timeout_s`` of the settings, in seconds. Raises ValueError."""
    seconds = float(options.get("read_timeout_s") or default)
    if not 0 < seconds <= READ_TIMEOUT_MAX_S:
        raise ValueError(f"read_timeout_s must be above 0 and at most {READ_TIMEOUT_MAX_S:g}")
    return seconds


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


def _unique(pairs: list[tuple[str, object]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _read_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is too large")
    return value


def _require_storable(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    text.encode()
    if _ESCAPED_NUL.search(text):
        raise ValueError("NUL cannot be stored")


def _without_nul(content: Json) -> Json:
    text = content.get("text")
    return {**content, "text": text.replace("\0", "")} if isinstance(text, str) else content


def _redacted(content: Mapping[str, object]) -> Json:
    return cast("Json", redact(content))
