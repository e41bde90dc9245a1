"""Does our PayPal adapter agree with a published vector?"""

import zlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from orders.money import Money, MoneyError
from payments.gateways.base import NotExpressible, OutcomeKind, Verb
from payments.gateways.http import HttpClient
from payments.gateways.paypal import money
from payments.gateways.paypal.config import Config
from payments.gateways.paypal.order import read_order
from payments.gateways.paypal.signing import Transmission
from payments.gateways.paypal.tokens import TokenCache
from tests.gateways.local_server import LocalServer
from tests.gateways.samples import intent, operation
from tests.gateways.vector_checks.rows import Check, Row

_API_BASE: Final = "https://api-m.sandbox.paypal.com"


def check_signature(row: Row, section: Row, server: LocalServer) -> None:
    """With the certificate that the file brings; its own validity ended long ago."""
    certificate = x509.load_pem_x509_certificate(section["test_certificate_pem"].encode())
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    genuine = _transmission(row).is_signed_by(key, row["webhook_id"], row["body_utf8"].encode())
    assert genuine is (row["expected"] == "valid")


def check_message(row: Row, section: Row, server: LocalServer) -> None:
    body = row["body_utf8"].encode()
    assert zlib.crc32(body) == row["crc32"]
    if "signed_message" in row:
        message = _transmission(row).message(row["webhook_id"], body)
        assert message.decode() == row["signed_message"]


def check_format(row: Row, section: Row, server: LocalServer) -> None:
    major, currency = Decimal(row["amount"]), row["currency"]
    if "wire" not in row:
        with pytest.raises((MoneyError, NotExpressible)):
            money.write(Money.from_major(major, currency))
        return
    asked = Money.from_major(major, currency)
    assert money.write(asked) == {"currency_code": currency, "value": row["wire"]}
    assert money.read({"currency_code": currency, "value": row["wire"]}) == asked


def check_order(row: Row, section: Row, server: LocalServer) -> None:
    """What the row expects of an order, in its own words; one row is about the token."""
    if "credentials" in row:
        _check_token(row, server)
        return
    asked = operation(Verb.CREATE, intent(money=Money(10_000, "USD")))
    outcome = read_order(asked, row["response"], _API_BASE)
    expected = row["expected"]
    if "redirect_url" in expected:
        assert outcome.next_action is not None
        assert outcome.next_action.url == expected["redirect_url"]
    if "order_id" in expected:
        assert outcome.psp_reference == expected["order_id"]
    if "paid" in expected:
        assert (outcome.kind is OutcomeKind.SUCCEEDED) is expected["paid"]


def _check_token(row: Row, server: LocalServer) -> None:
    server.reply_json({"access_token": "A21AA", "expires_in": 32400})
    credentials = {**row["credentials"], "merchant_id": "M1", "webhook_ids": "W1"}
    http = HttpClient(connect_timeout_s=1, read_timeout_s=1)
    TokenCache(Config.from_settings({**credentials, "api_base": server.url}), http).get()
    sent, expected = server.received[0], row["request"]
    assert (sent.path, sent.body.decode()) == (expected["url"], expected["body"])
    for name, value in expected["headers"].items():
        assert sent.headers[name.lower()] == value


def _transmission(row: Row) -> Transmission:
    return Transmission(
        id=row["transmission_id"],
        time=row["transmission_time"],
        signature=row.get("transmission_sig", ""),
        cert_url=row.get("cert_url", ""),
        algorithm=row.get("auth_algo", "SHA256withRSA"),
    )


CHECKS: Final[Mapping[str, Check]] = {
    "webhook_signature": check_signature,
    "webhook_message": check_message,
    "money_format": check_format,
    "order_parse": check_order,
}
