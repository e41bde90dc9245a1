"""The bearer token: fetched once for each process, renewed before it ends.

A token per payment would soon be answered by 429. Whatever goes wrong here, the operation it was
wanted for has certainly not been sent.
"""

import base64
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateways.exchange import record_failed_exchange
from gateways.http import HttpAnswer, HttpClient, TransportError
from gateways.outcome import Failure, FailureCode, Outcome, OutcomeKind
from gateways.paypal.config import Config
from gateways.paypal.transcript import transcript

_PATH: Final = "/v1/oauth2/token"
_SUCCESS: Final = range(200, 300)
_LIFE: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
# Renewed this long before its end, or at nine tenths of a short life.
_EARLY_S: Final = 300.0
_EARLY_SHARE: Final = 0.1
_LIFE_MAX_S: Final = 12 * 3600
# RFC 6750, 2.1: what may stand behind "Bearer".
_VALUE: Final = re.compile(r"[A-Za-z0-9._~+/=-]+")


class NoToken(Exception):
    """PayPal gave us no token; ``outcome`` is that of the operation that needed it."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("no access token")
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    renew_at: float  # seconds of the cache's clock


class TokenCache:
    """The current token of one set of credentials. Threads that need a new one wait for one."""

    def __init__(
        self, config: Config, http: HttpClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._token: _Token | None = None

    def get(self) -> str:
        """A token that is good for some minutes more. Raises ``NoToken``."""
        token = self._token
        if token and self._clock() < token.renew_at:
            return token.value
        with self._lock:
            token = self._token
            if token is None or self._clock() >= token.renew_at:
                token = self._token = self._fetch()
            return token.value

    def discard(self, value: str) -> None:
        """Forget ``value``, which PayPal no longer takes; a newer one stays."""
        with self._lock:
            if self._token and self._token.value == value:
                self._token = None

    def _fetch(self) -> _Token:
        asked_at = self._clock()
        shown = {"url": f"{self._config.api_base}{_PATH}", "grant_type": "client_credentials"}
        try:
            answer = self._http.send(
                "POST", shown["url"], headers=self._headers(), body=b"grant_type=client_credentials"
            )
        except TransportError as error:
            raise NoToken(
                Outcome(OutcomeKind.NOT_DONE, exchange=record_failed_exchange(shown, error))
            ) from error
        token = _read(answer, asked_at)
        if token is None:
            raise NoToken(_refused(answer, shown))
        return token

    def _headers(self) -> dict[str, str]:
        pair = f"{self._config.client_id}:{self._config.secret}".encode()
        return {
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }


def _read(answer: HttpAnswer, asked_at: float) -> _Token | None:
    content = answer.json() or {}
    value, life = content.get("access_token"), str(content.get("expires_in"))
    if answer.status not in _SUCCESS or not isinstance(value, str) or not _VALUE.fullmatch(value):
        return None
    # A number, or its text: RFC 6749 asks for a number, and not every front keeps it one.
    if not _LIFE.fullmatch(life):
        return None
    life_s = min(int(life), _LIFE_MAX_S)
    early_s = min(_EARLY_S, life_s * _EARLY_SHARE)
    return _Token(value, asked_at + life_s - early_s)


def _refused(answer: HttpAnswer, shown: dict[str, str]) -> Outcome:
    error = (answer.json() or {}).get("error")
    code = error if isinstance(error, str) else str(answer.status)
    return Outcome(
        OutcomeKind.NOT_DONE,
        failure=Failure(FailureCode.INVALID_REQUEST, code),
        retry_after_s=answer.retry_after_s,
        exchange=transcript(shown, answer),
    )
