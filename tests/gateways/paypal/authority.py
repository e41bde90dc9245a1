"""A certificate authority for tests, and webhooks signed with what it issued."""

import base64
import json
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateways.webhook import Delivery
from tests.gateways.samples import CREATED_AT

NAME: Final = "messageverificationcerts.sandbox.paypal.com"
WEBHOOK_ID: Final = "96605875FF6516633"
CERT_PATH: Final = "/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"
WEBHOOK_KEY: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_DAY: Final = timedelta(days=1)


@dataclass
class Authority:
    """``issuer`` None makes a root; each has a key of its own. Good for a day around ``at``."""

    name: str
    issuer: "Authority | None" = None
    at: datetime = CREATED_AT
    # None: it does not say whether it is one.
    is_authority: bool | None = True
    signs_certificates: bool = True
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def __post_init__(self) -> None:
        issuer = self.issuer or self
        builder = _builder(self.name, issuer.name, self.key.public_key(), self.at)
        if self.is_authority is not None:
            basic = x509.BasicConstraints(ca=self.is_authority, path_length=None)
            builder = builder.add_extension(basic, critical=True)
        usage = _usage(signs_certificates=self.signs_certificates)
        self.certificate = (
            builder.add_extension(usage, critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
            )
            .add_extension(_authority_key(issuer.key), critical=False)
            .sign(issuer.key, hashes.SHA256())
        )

    def issue(
        self, name: str = NAME, at: datetime = CREATED_AT, key: rsa.RSAPrivateKey = WEBHOOK_KEY
    ) -> x509.Certificate:
        """A certificate for ``name`` and ``key``, good for a day on either side."""
        return (
            _builder(name, self.name, key.public_key(), at)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_authority_key(self.key), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def bare(root: Authority, name: str = NAME) -> x509.Certificate:
    """A certificate of ``root``'s with a name, dates and the webhook key, and nothing else."""
    builder = _builder(name, root.name, WEBHOOK_KEY.public_key(), CREATED_AT)
    return builder.sign(root.key, hashes.SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def delivery(event: dict[str, Any], cert_url: str, **changes: Any) -> Delivery:
    """``event`` as PayPal would send it; ``changes`` are header values, or the key
    and the bytes that are signed."""
    body = json.dumps(event).encode()
    transmission_id, time = "071f7d20-1584-11e7-abf0-6b62a8a99ac4", "2026-11-22T03:31:00Z"
    signed = changes.pop("signed", body)
    webhook_id = changes.pop("webhook_id", WEBHOOK_ID)
    message = f"{transmission_id}|{time}|{webhook_id}|{zlib.crc32(signed)}".encode()
    key = changes.pop("key", WEBHOOK_KEY)
    signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    headers = {
        "paypal-transmission-id": transmission_id,
        "paypal-transmission-time": time,
        "paypal-transmission-sig": base64.b64encode(signature).decode(),
        "paypal-cert-url": cert_url,
        "paypal-auth-algo": "SHA256withRSA",
    }
    headers |= {f"paypal-{name.replace('_', '-')}": value for name, value in changes.items()}
    return Delivery(body=body, query_string="", headers=headers, received_at=CREATED_AT)


def _builder(
    name: str, issuer: str, key: rsa.RSAPublicKey, at: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _DAY)
        .not_valid_after(at + _DAY)
    )


def _authority_key(key: rsa.RSAPrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
