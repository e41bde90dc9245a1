"""VNPAY 2.1.0 as a Gateway.

Creating a payment is no call: the shopper's browser opens a signed link. The truth comes by IPN,
or by querydr, at most once in five minutes for one reference. A link cannot be closed.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Self, cast

from typing_extensions import override

from gateways.base import Gateway
from gateways.capabilities import Capabilities, SettlementSource
from gateways.exchange import read_transport_error
from gateways.http import HttpClient, TransportError
from gateways.operation import (
    CaptureMethod,
    Json,
    Operation,
    PaymentDetails,
    UnsupportedOperation,
    Verb,
)
from gateways.options import read_timeout
from gateways.outcome import NextAction, Outcome, OutcomeKind
from gateways.settlement import SettlementRecord
from gateways.vnpay import answers, ipn, mapping, settlement, signing, wire
from gateways.vnpay.config import Config
from gateways.webhook import Answer, Delivery, Notice, WebhookResult

_VERSION: Final = "2.1.0"
_NO_HOLDS: Final = "VNPAY cannot hold money: it takes it at once"


class VnpayGateway(Gateway):
    """One terminal (TmnCode) at VNPAY."""

    name = "vnpay"
    capabilities = Capabilities(
        # The page's own range, as many shops report it; the published table names none.
        limits={wire.CURRENCY: (5_000, 999_999_999)},
        methods=frozenset({"vnpay", "card"}),
        channels={"vnpay": tuple(mapping.BANK_CODES)},
        channel_codes={"vnpay": mapping.BANK_CODE},
        refund=True,
        partial_refund=True,
        settlement=SettlementSource.FILE,
    )
    query_schedule = (
        timedelta(minutes=5),
        timedelta(minutes=5),
        timedelta(minutes=10),
        timedelta(minutes=30),
        timedelta(hours=1),
    )
    # A querydr that comes sooner for the same reference is answered 94.
    query_interval_min = timedelta(minutes=5)
    local_verbs = frozenset({Verb.CREATE})
    webhook_method = "GET"
    secondary_reference_keys = ("bank_transaction_no",)
    # The same frozen parameters are the same link, whenever it is signed.
    key_lifetime = None
    # A bank may still finish what the shopper began in the link's last minute.
    expiry_margin = timedelta(minutes=15)

    def __init__(self, config: Config, *, read_timeout_s: float | None = None) -> None:
        super().__init__(account=config.tmn_code, live=config.live, read_timeout_s=read_timeout_s)
        self._config = config
        self._http = HttpClient(
            connect_timeout_s=self.connect_timeout_s, read_timeout_s=self.read_timeout_s
        )

    @classmethod
    @override
    def from_settings(cls, options: Mapping[str, str]) -> Self:
        timeout = read_timeout(options, cls.read_timeout_s)
        return cls(Config.from_settings(options), read_timeout_s=timeout)

    @override
    def freeze(self, operation: Operation) -> Json:
        match operation.verb:
            case Verb.CREATE:
                return dict(self._link_params(operation.details))
            case Verb.QUERY | Verb.QUERY_REFUND:
                return dict(self._query_params(operation))
            case Verb.REFUND:
                return dict(self._refund_params(operation))
            case Verb.CAPTURE | Verb.VOID:
                raise UnsupportedOperation(_NO_HOLDS)
            case Verb.CLOSE:
                raise UnsupportedOperation("VNPAY cannot close a page: it runs out by itself")

    @override
    def perform(self, operation: Operation) -> Outcome:
        params = cast("dict[str, str]", operation.request)
        match operation.verb:
            case Verb.CREATE:
                return self._link(params)
            case Verb.QUERY | Verb.QUERY_REFUND:
                return self._call(operation, params, signing.QUERY_FIELDS)
            case Verb.REFUND:
                return self._call(operation, params, signing.REFUND_FIELDS)
            case _:
                raise UnsupportedOperation(f"VNPAY cannot {operation.verb}")

    @override
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        return (ipn.read(delivery.query_string, self._config.hash_secrets),)

    @override
    def answer_webhook(self, result: WebhookResult) -> Answer:
        return ipn.answer(result)

    @override
    def sample_webhook(self, now: datetime) -> Delivery:
        return ipn.sample(self._config.hash_secrets[0], now)

    @override
    def read_settlement_file(self, content: bytes) -> Iterator[SettlementRecord]:
        return settlement.read(content, self._config.tmn_code)

    def _link_params(self, details: PaymentDetails) -> dict[str, str]:
        if details.capture is CaptureMethod.MANUAL:
            raise UnsupportedOperation(_NO_HOLDS)
        description = details.description or f"Thanh toan don hang {details.order_number}"
        # Without it the shopper chooses at VNPAY; an empty one must never be sent.
        bank_code = {"vnp_BankCode": code} if (code := _bank_code(details)) else {}
        return bank_code | {
            "vnp_Version": _VERSION,
            "vnp_Command": "pay",
            "vnp_TmnCode": self._config.tmn_code,
            "vnp_Amount": wire.amount_to_wire(details.money),
            "vnp_CurrCode": wire.CURRENCY,
            "vnp_TxnRef": details.reference,
            "vnp_OrderInfo": wire.text_to_wire(description) or details.reference,
            "vnp_OrderType": "other",
            "vnp_Locale": "vn" if details.locale == "vi" else "en",
            "vnp_IpAddr": wire.ip_to_wire(details.customer_ip),
            "vnp_ReturnUrl": wire.return_url_to_wire(details.return_url),
            "vnp_CreateDate": wire.date_to_wire(details.created_at),
            "vnp_ExpireDate": wire.date_to_wire(details.expires_at),
        }

    def _query_params(self, operation: Operation) -> dict[str, str]:
        params = self._call_params(operation, "querydr", "Tra cuu giao dich")
        number = operation.details.psp_data.get("transaction_no", "")
        return params | {"vnp_TransactionNo": number} if number else params

    def _refund_params(self, operation: Operation) -> dict[str, str]:
        if operation.money is None:
            raise UnsupportedOperation("a refund needs an amount")
        is_full = operation.money == operation.details.money
        return self._call_params(operation, "refund", "Hoan tien giao dich") | {
            "vnp_TransactionType": (
                mapping.TYPE_REFUND_FULL if is_full else mapping.TYPE_REFUND_PARTIAL
            ),
            "vnp_Amount": wire.amount_to_wire(operation.money),
            # Their number where we know it; their demos send and sign "0" otherwise.
            "vnp_TransactionNo": operation.details.psp_data.get("transaction_no", "") or "0",
            "vnp_CreateBy": wire.name_to_wire(operation.actor),
        }

    def _call_params(self, operation: Operation, command: str, text: str) -> dict[str, str]:
        details = operation.details
        return {
            "vnp_RequestId": operation.reference,
            "vnp_Version": _VERSION,
            "vnp_Command": command,
            "vnp_TmnCode": self._config.tmn_code,
            "vnp_TxnRef": details.reference,
            "vnp_OrderInfo": f"{text} {details.reference}",
            # The payment's own vnp_CreateDate: with any other VNPAY does not find it.
            "vnp_TransactionDate": wire.date_to_wire(details.created_at),
            "vnp_CreateDate": wire.date_to_wire(operation.now),
            "vnp_IpAddr": self._config.server_ip,
        }

    def _link(self, params: dict[str, str]) -> Outcome:
        url = signing.signed_url(self._config.pay_url, params, self._config.hash_secrets[0])
        return Outcome(
            OutcomeKind.ACTION_REQUIRED,
            reference=params["vnp_TxnRef"],
            next_action=NextAction(url),
        )

    def _call(
        self, operation: Operation, params: dict[str, str], fields: tuple[str, ...]
    ) -> Outcome:
        text = signing.joined(fields, params)
        signature = signing.sign(text, self._config.hash_secrets[0])
        try:
            answer = self._http.post_json(
                self._config.api_url, {**params, "vnp_SecureHash": signature}
            )
        except TransportError as error:
            return read_transport_error(error, params)
        return answers.read(operation, answer, self._config.hash_secrets)


def _bank_code(details: PaymentDetails) -> str:
    channel = mapping.CARD_CHANNEL if details.method == "card" else details.channel
    code = mapping.BANK_CODES.get(channel, channel)
    if code and not mapping.BANK_CODE.fullmatch(code):
        raise UnsupportedOperation(f"VNPAY has no channel {channel}")
    return code
