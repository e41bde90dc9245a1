"""PayPal's webhook signature: RSA over ids, a time and a checksum of the body.

The checksum is a CRC-32, which anybody can steer: a body can be changed until it fits. So the
signature proves who called and not what was said, and what an event says is asked again before
any money is believed.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gateways.webhook import WebhookRefused

# The header may only say what we use anyway: it never chooses the algorithm.
ALGORITHM: Final = "SHA256withRSA"
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_TIME: Final = re.compile(r"[0-9T:.Z+-]{1,40}")
_URL_LENGTH_MAX: Final = 500
_SIGNATURE_LENGTH_MAX: Final = 2048
# What the fields of a ``Transmission`` are called on the wire.
HEADERS: Final = {
    "id": "paypal-transmission-id",
    "time": "paypal-transmission-time",
    "signature": "paypal-transmission-sig",
    "cert_url": "paypal-cert-url",
    "algorithm": "paypal-auth-algo",
}


@dataclass(frozen=True, slots=True)
class Transmission:
    """The five headers of a delivery, as they came."""

    id: str
    time: str
    signature: str
    cert_url: str
    algorithm: str

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self:
        """Read lower-case header names. Raises ``WebhookRefused`` for what cannot be PayPal's."""
        found = cls(**{field: headers.get(name, "") for field, name in HEADERS.items()})
        if not _ID.fullmatch(found.id) or not _TIME.fullmatch(found.time):
            raise WebhookRefused("the transmission headers are missing or malformed")
        if found.algorithm != ALGORITHM:
            raise WebhookRefused("the signature's algorithm is not SHA256withRSA")
        if not found.signature or len(found.signature) > _SIGNATURE_LENGTH_MAX:
            raise WebhookRefused("the signature is missing or too long")
        if not found.cert_url or len(found.cert_url) > _URL_LENGTH_MAX:
            raise WebhookRefused("the certificate's URL is missing or too long")
        return found

    def message(self, webhook_id: str, body: bytes) -> bytes:
        """What PayPal signed, if it was ``body`` for ``webhook_id`` of ours."""
        return f"{self.id}|{self.time}|{webhook_id}|{zlib.crc32(body)}".encode()

    def is_signed_by(self, key: rsa.RSAPublicKey, webhook_id: str, body: bytes) -> bool:
        """Whether ``key`` signed ``body`` for ``webhook_id`` (PKCS #1 v1.5, SHA-256)."""
        try:
            signature = base64.b64decode(self.signature, validate=True)
            message = self.message(webhook_id, body)
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True
