"""Does our Stripe adapter agree with a published vector?"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qsl

import pytest

from gateways.operation import UnsupportedOperation, Verb
from gateways.outcome import OutcomeKind
from gateways.stripe import amounts, signing
from gateways.stripe.gateway import StripeGateway
from money.money import Money, MoneyError
from sandbox.stripe import forms
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.samples import details, operation, run
from tests.gateways.vector_checks.rows import Check, Row

# The SDK's class for an error, and what the error means for a creation.
_KINDS: Final = {
    "InvalidRequestError": OutcomeKind.DECLINED,
    "CardError": OutcomeKind.DECLINED,
    "AuthenticationError": OutcomeKind.NOT_DONE,
    "PermissionError": OutcomeKind.NOT_DONE,
    "RateLimitError": OutcomeKind.NOT_DONE,
    "IdempotencyError": OutcomeKind.UNKNOWN,
    "APIError": OutcomeKind.UNKNOWN,
    "APIConnectionError": OutcomeKind.UNKNOWN,
}


def check_signature(row: Row, section: Row, server: LocalServer) -> None:
    body = row["payload_utf8"].encode()
    tolerance_s = row.get("tolerance_s") or 0
    genuine = signing.is_genuine(body, row["header"], [row["secret"]], row["now"], tolerance_s)
    assert genuine is (row["expected"] == "valid")


def check_header(row: Row, section: Row, server: LocalServer) -> None:
    parsed = signing.parse_header(row["header"])
    if not row["expected"]["v1"]:
        assert parsed is None
        return
    assert parsed is not None
    assert parsed.timestamp == row["expected"]["t"]
    assert list(parsed.signatures) == row["expected"]["v1"]
    schemes = {item.partition("=")[0] for item in row["header"].split(",")}
    assert schemes - {"t", "v1"} == set(row["expected"].get("ignored_schemes", ()))


def check_amount(row: Row, section: Row, server: LocalServer) -> None:
    currency, major = row["currency"].upper(), Decimal(row["major"])
    if row.get("minor") is None:
        with pytest.raises((MoneyError, UnsupportedOperation)):
            amounts.to_wire(Money.from_major(major, currency))
        return
    money = Money.from_major(major, currency)
    assert amounts.to_wire(money) == row["minor"]
    assert amounts.from_wire(row["minor"], row["currency"]) == money


def check_request(row: Row, section: Row, server: LocalServer) -> None:
    _send(row["method"], row["path"], row["params"], server)
    sent = server.received[0]
    assert (sent.method, sent.path.partition("?")[0]) == (row["method"], row["path"])
    if "decoded" in row:
        assert forms.decode(row["wire"]) == row["decoded"]
    wire = sent.body.decode() if row["method"] == "POST" else sent.path.partition("?")[2]
    assert parse_qsl(wire, keep_blank_values=True) == parse_qsl(row["wire"], keep_blank_values=True)


def check_encoding(row: Row, section: Row, server: LocalServer) -> None:
    _send("POST", "/v1/anything", row["input"], server)
    pairs = [(name, str(value)) for name, value in row["pairs"]]
    assert parse_qsl(server.received[0].body.decode(), keep_blank_values=True) == pairs


def check_decoding(row: Row, section: Row, server: LocalServer) -> None:
    """Forms are read by the Stripe that is emulated, which has code of its own for it."""
    wire = row["wire"].removeprefix("?")
    if "tree" in row:
        assert forms.decode(wire) == row["tree"]
    else:
        assert [list(pair) for pair in forms.pairs_of(wire)] == row["pairs"]


def check_error(row: Row, section: Row, server: LocalServer) -> None:
    body = json.dumps({"error": row["error"]}) if row["error"] else "<html>"
    status = row["http_status"]
    # Without a status there was no answer: the connection broke after the request had left.
    server.reply(Reply(status, body.encode()) if status else Reply(fault="reset"))
    outcome = run(_gateway(server), operation(Verb.CREATE, details(has_token=True)))
    assert outcome.kind is _KINDS[row["sdk_class"]]


def _gateway(server: LocalServer) -> StripeGateway:
    options = {"secret_key": "sk_test_1", "webhook_secrets": "whsec_1", "api_base": server.url}
    return StripeGateway.from_settings(options)


def _send(method: str, path: str, params: Row, server: LocalServer) -> None:
    server.reply(Reply())
    _gateway(server)._client._sdk.raw_request(method.lower(), path, **params)


CHECKS: Final[Mapping[str, Check]] = {
    "webhook_signature": check_signature,
    "webhook_header_parse": check_header,
    "amounts": check_amount,
    "form_requests": check_request,
    "form_encode_official": check_encoding,
    "form_decode_official": check_decoding,
    "errors": check_error,
}
