"""Published vectors: webhooks that PayPal signed, its money, its orders, its token request."""

import json
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from orders.money import Money, MoneyError
from payments.gateways.base import NotExpressible, OutcomeKind, Verb, WebhookRefused
from payments.gateways.paypal import money
from payments.gateways.paypal.certificates import _NAME, _common_name
from payments.gateways.paypal.config import Config
from payments.gateways.paypal.gateway import PaypalGateway
from payments.gateways.paypal.order import read_order
from payments.gateways.paypal.signing import Transmission
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.paypal.account import OPTIONS, created, intent
from tests.gateways.samples import operation

_DEFAULT = Path(__file__).parent.parent / "vectors"
_SANDBOX = "https://api-m.sandbox.paypal.com"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``signature`` is parametrised with group ``webhook_signature``, and so on."""
    groups = {
        "signature": "webhook_signature",
        "message": "webhook_message",
        "pattern": "money_pattern",
        "formatted": "money_format",
        "parsed": "order_parse",
    }
    named = [Path(name) for name in metafunc.config.getoption("--vectors")]
    files = [json.loads(path.read_text()) for path in named or sorted(_DEFAULT.glob("*.json"))]
    sections = [content["paypal"] for content in files if "paypal" in content]
    for name in groups.keys() & set(metafunc.fixturenames):
        found = [
            {**vector, "pem": section["test_certificate_pem"]}
            for section in sections
            for vector in section.get(groups[name], [])
        ]
        metafunc.parametrize(name, found, ids=[vector["id"] for vector in found])


def test_signature(signature: dict[str, Any]) -> None:
    certificate = x509.load_pem_x509_certificate(signature["pem"].encode())
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    transmission = Transmission(
        id=signature["transmission_id"],
        time=signature["transmission_time"],
        signature=signature["transmission_sig"],
        cert_url="",
        algorithm=signature["auth_algo"],
    )
    body, webhook_id = signature["body_utf8"].encode(), signature["webhook_id"]
    assert transmission.message(webhook_id, body).decode() == signature["signed_message"]
    is_valid = transmission.is_signed_by(key, webhook_id, body)
    assert is_valid is (signature["expected"] == "valid")
    assert _NAME.fullmatch(_common_name(certificate))


def test_certificate_of_2017_is_not_good_today(
    signature: dict[str, Any], server: LocalServer
) -> None:
    config = Config.from_settings({**OPTIONS, "api_base": server.url})
    server.reply(Reply(200, signature["pem"].encode()))
    url = f"{server.url}/v1/notifications/certs/CERT-1"
    with pytest.raises(WebhookRefused, match="dates"):
        PaypalGateway(config)._certificates.key(url, datetime(2026, 11, 22, tzinfo=UTC))


def test_message(message: dict[str, Any]) -> None:
    body = message["body_utf8"].encode()
    assert zlib.crc32(body) == message["crc32"]
    if "signed_message" in message:
        transmission = Transmission(
            message["transmission_id"], message["transmission_time"], "", "", ""
        )
        made = transmission.message(message["webhook_id"], body)
        assert made.decode() == message["signed_message"]


def test_pattern(pattern: dict[str, Any]) -> None:
    # Every value that we would write matches, and nothing is read that does not.
    read = money.read({"value": pattern["value"], "currency_code": "USD"})
    if not pattern["matches_pattern"]:
        assert read is None
    elif not pattern["value"].startswith("-"):
        assert read == Money.from_major(Decimal(pattern["value"]), "USD")


def test_formatted(formatted: dict[str, Any]) -> None:
    major, currency = Decimal(formatted["amount"]), formatted["currency"]
    if "wire" in formatted:
        wire = money.write(Money.from_major(major, currency))
        assert wire == {"currency_code": currency, "value": formatted["wire"]}
        assert re.fullmatch(r"((-?[0-9]+)|(-?([0-9]+)?[.][0-9]+))", wire["value"])
    else:
        with pytest.raises((NotExpressible, MoneyError)):
            money.write(Money.from_major(major, currency))


def test_parsed(parsed: dict[str, Any], server: LocalServer) -> None:
    if "request" in parsed:
        _check_token_request(parsed, server)
        return
    answer, expected = parsed["response"], parsed["expected"]
    is_new = "redirect_url" in expected
    payment = intent() if is_new else replace(created(), psp_reference=answer["id"])
    verb = Verb.CREATE if is_new else Verb.QUERY
    outcome = read_order(operation(verb, payment), answer, _SANDBOX)
    if is_new:
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert outcome.next_action is not None
        assert outcome.next_action.url == expected["redirect_url"]
        assert outcome.psp_reference == expected.get("order_id", answer["id"])
    else:
        assert (outcome.kind is OutcomeKind.SUCCEEDED) is expected["paid"]


def _check_token_request(parsed: dict[str, Any], server: LocalServer) -> None:
    config = Config.from_settings({**OPTIONS, **parsed["credentials"], "api_base": server.url})
    server.reply_json({"access_token": "x", "expires_in": 100})
    PaypalGateway(config)._tokens.get()
    (request,) = server.received
    assert request.path == parsed["request"]["url"]
    assert request.body.decode() == parsed["request"]["body"]
    for name, value in parsed["request"]["headers"].items():
        assert request.headers[name.lower()] == value
