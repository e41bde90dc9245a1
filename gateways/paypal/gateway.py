"""PayPal as a ``Gateway``."""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, cast

from typing_extensions import override

from gateways.capabilities import Capabilities, SettlementSource
from gateways.foreign_json import encode_canonical
from gateways.http import HttpAnswer, HttpClient, TransportError
from gateways.http_gateway import HttpGateway
from gateways.operation import Json, Operation, PaymentDetails
from gateways.outcome import Exchange, Outcome, OutcomeKind
from gateways.paypal import amounts, disputes, requests, responses, settlement, webhooks
from gateways.paypal.certificates import Certificates
from gateways.paypal.config import Config
from gateways.paypal.pause import Pause
from gateways.paypal.signing import ALGORITHM, HEADERS, Transmission
from gateways.paypal.tokens import NoToken, TokenCache
from gateways.paypal.transcript import transcript
from gateways.psp_urls import PspUrls
from gateways.settlement import ReportUnavailable, SettlementRecord
from gateways.webhook import Delivery, Notice

_VERIFY_PATH: Final = "/v1/notifications/verify-webhook-signature"
_OK: Final = 200
_UNAUTHORIZED: Final = 401
# What PayPal says of a question that makes no sense: a genuine transmission does.
_NOT_A_TRANSMISSION: Final = frozenset({400, 422})
# A limit or their own trouble, which pass.
_PASSING: Final = frozenset({429, *range(500, 600)})
# Waits for one exchange. Up to four make one operation (token, call, new token, call again), and
# ``read_timeout_s`` of the class is for all of them.
_CONNECT_S: Final = 3.0
# These are their shares: 15 s for a call and 5 s for a token, of 50 s.
_CALL_SHARE: Final = 0.3
_QUICK_SHARE: Final = 0.1
# A refusal of the token that took longer than this is not followed by another try: a 401 has
# done nothing, so the next attempt may as well be a new one.
_RETRY_WITHIN_S: Final = 5.0


class PaypalGateway(HttpGateway[Config]):
    """One PayPal REST app and its merchant account."""

    name = "paypal"
    config_class = Config
    request_builders = requests.BUILDERS
    unsupported_verbs = requests.UNSUPPORTED_VERBS
    exchange_timeout_share = _CALL_SHARE
    # An account that takes a currency of its own country names it in the settings.
    currencies: frozenset[str] | None = amounts.EVERYWHERE
    proof_headers = tuple(HEADERS.values())
    secondary_reference_keys = ("authorization_id", "capture_id")
    capabilities = Capabilities(
        limits={
            currency: (amounts.smallest(currency), amounts.largest(currency))
            for currency in sorted(amounts.CURRENCIES)
        },
        steps=amounts.STEPS,
        methods=frozenset({"paypal"}),
        manual_capture=True,
        partial_capture=True,
        void=True,
        refund=True,
        partial_refund=True,
        settlement=SettlementSource.API,
        disputes=True,
    )
    # PayPal keeps an order's request id for six hours.
    key_lifetime = timedelta(hours=5)
    # Approval is possible for three hours by the guides and six by the newest text. It does not
    # matter which: without our capture nothing is paid.
    link_lifetime = timedelta(hours=3)
    read_timeout_s = 50.0

    def __init__(self, config: Config, *, read_timeout_s: float | None = None) -> None:
        super().__init__(config, read_timeout_s=read_timeout_s)
        self._psp_urls = PspUrls(config.api_base, domain="paypal.com")
        self._quick = self._open_client(_QUICK_SHARE)
        self._tokens = TokenCache(config, self._quick)
        self._certificates = Certificates(config, self._quick)
        self._verdict_pause = Pause()

    @override
    def perform(self, operation: Operation) -> Outcome:
        try:
            return super().perform(operation)
        except NoToken as refused:
            return refused.outcome

    @override
    def answer_locally(self, operation: Operation) -> Outcome:
        """A query about an order whose id we never had: nobody could approve or capture it."""
        return Outcome(OutcomeKind.UNPAID)

    @override
    def describe_request(self, operation: Operation) -> Mapping[str, object]:
        request = operation.request
        return {"url": f"{self._config.api_base}{request['path']}", **request}

    @override
    def send_request(self, operation: Operation) -> HttpAnswer:
        return self._send_twice(operation.request)

    @override
    def read_answer(self, operation: Operation, answer: HttpAnswer) -> Outcome:
        return responses.read_answer(operation, answer, self._psp_urls)

    @override
    def record_exchange(self, request: Mapping[str, object], answer: HttpAnswer) -> Exchange:
        return transcript(request, answer)

    @override
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        return webhooks.read(delivery, self._config, self._certificates, self._ask_paypal)

    @override
    def settlement_records(self, start: datetime, end: datetime) -> Iterator[SettlementRecord]:
        return settlement.read_all(self._get, start, end)

    @override
    def disputes(self, details: PaymentDetails) -> tuple[Notice, ...]:
        capture_id = details.psp_data.get("capture_id", "")
        if not capture_id:
            # Nothing was taken, so that there is nothing to dispute.
            return ()
        listed = self._get(disputes.list_path(capture_id))
        return tuple(self.dispute(dispute_id) for dispute_id in disputes.read_ids(listed))

    @override
    def dispute(self, psp_reference: str) -> Notice:
        return disputes.read(self._get(disputes.path(psp_reference)), psp_reference)

    @override
    def _open_client(self, timeout_share: float = 1.0) -> HttpClient:
        timeout_s = timeout_share * self.read_timeout_s
        return HttpClient(connect_timeout_s=_CONNECT_S, read_timeout_s=timeout_s)

    def _send_twice(self, request: Json) -> HttpAnswer:
        """Send, and once more with a new token if PayPal no longer takes the old one."""
        started = time.monotonic()
        token = self._tokens.get()
        answer = self._send(request, token)
        if answer.status != _UNAUTHORIZED:
            return answer
        self._tokens.discard(token)
        if time.monotonic() - started > _RETRY_WITHIN_S:
            return answer
        return self._send(request, self._tokens.get())

    def _send(self, request: Json, token: str) -> HttpAnswer:
        method, path = str(request["method"]), str(request["path"])
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            # The short form leaves out amounts and our own ids.
            "Prefer": "return=representation",
        }
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/json"
            body = encode_canonical(cast("Json", request["body"]))
        if request.get("key"):
            headers["PayPal-Request-Id"] = str(request["key"])
        return self._http.send(method, f"{self._config.api_base}{path}", headers=headers, body=body)

    def _get(self, path: str) -> Json:
        """What PayPal answers to a question for a report. Raises ``ReportUnavailable``."""
        try:
            answer = self._send_twice({"method": "GET", "path": path})
        except (NoToken, TransportError) as error:
            raise ReportUnavailable("PayPal could not be reached", can_retry=True) from error
        content = answer.json()
        if content and content.get("name") == settlement.TOO_LARGE:
            raise settlement.TooManyRows("more rows than PayPal shows of one search")
        if answer.status != _OK or content is None:
            passes = answer.status == _OK or answer.status in _PASSING
            raise ReportUnavailable(f"PayPal answered {answer.status}", can_retry=passes)
        return content

    def _ask_paypal(self, transmission: Transmission, webhook_id: str, body: bytes) -> bool | None:
        """PayPal's own verdict; None when there is none."""
        if self._verdict_pause.is_on():
            return None
        head = {
            "auth_algo": ALGORITHM,
            "cert_url": transmission.cert_url,
            "transmission_id": transmission.id,
            "transmission_sig": transmission.signature,
            "transmission_time": transmission.time,
            "webhook_id": webhook_id,
        }
        # The event goes in as it came: written anew, its checksum would be another one.
        text = json.dumps(head).encode()[:-1] + b', "webhook_event": ' + body + b"}"
        try:
            answer = self._quick.send(
                "POST",
                f"{self._config.api_base}{_VERIFY_PATH}",
                headers={
                    "Authorization": f"Bearer {self._tokens.get()}",
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                },
                body=text,
            )
        except (NoToken, TransportError):
            self._verdict_pause.begin()
            return None
        if answer.status in _NOT_A_TRANSMISSION:
            return False
        content = answer.json()
        if answer.status != _OK or content is None:
            return None
        return content.get("verification_status") == "SUCCESS"
