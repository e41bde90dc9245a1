"""The certificates behind PayPal's webhook signatures: an authority of our own, made at start.

The root goes to a file that the shop is told to trust (PAYPAL_CERT_ROOTS). Its private key is
thrown away once it has signed the one certificate, so nobody can ever issue another one with it.
"""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

SIGNER: Final = "messageverificationcerts.sandbox.paypal.com"
ROOT: Final = "Payment sandbox root, no real money"
PATH: Final = "/v1/notifications/certs"
KEY_FILE: Final = "paypal-webhook-key.pem"
CHAIN_FILE: Final = "paypal-webhook-chain.pem"
ROOT_FILE: Final = "paypal-root.pem"
KEY_BITS: Final = 2048
LIFE: Final = timedelta(days=825)
# A sandbox that starts with less than this left makes everything new.
LEFT_MIN: Final = timedelta(days=30)
SLACK: Final = timedelta(days=1)


class Certificates:
    """The signing key, its certificate, and the root that the shop trusts.

    Certificates are dated by the machine's clock: the shop's clock is not moved with ours.
    """

    def __init__(self, folder: Path, roots: Path) -> None:
        """Load what an earlier start made, or make it. Raises SettingsError rather than write over
        a ``roots`` file that is not ours.
        """
        self._key_file = folder / KEY_FILE
        self._chain_file = folder / CHAIN_FILE
        folder.mkdir(parents=True, exist_ok=True)
        if not self._good():
            self._make()
        self.chain = self._chain_file.read_bytes()
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self._publish(roots)

    @property
    def name(self) -> str:
        """The last part of the certificate's address; another certificate has another one."""
        mark = hashlib.sha256(self.chain).hexdigest()
        return f"CERT-{mark[:8]}-{mark[8:16]}-{mark[16:24]}"

    def sign(self, message: bytes) -> str:
        """The signature in base64: RSA PKCS #1 v1.5 with SHA-256."""
        return base64.b64encode(self._key.sign(message, PADDING, hashes.SHA256())).decode()

    def signed(self, message: bytes, signature: str) -> bool:
        """Whether a signature is ours."""
        try:
            given = base64.b64decode(signature, validate=True)
            self._key.public_key().verify(given, message, PADDING, hashes.SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True

    def _good(self) -> bool:
        if not (self._key_file.exists() and self._chain_file.exists()):
            return False
        leaf = x509.load_pem_x509_certificates(self._chain_file.read_bytes())[0]
        return leaf.not_valid_after_utc - datetime.now(UTC) > LEFT_MIN

    def _make(self) -> None:
        root_key, leaf_key = new_key(), new_key()
        root = root_certificate(root_key)
        leaf = leaf_certificate(leaf_key, root_key)
        pem = serialization.Encoding.PEM
        private = leaf_key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write(self._key_file, private, mode=0o600)
        write(self._chain_file, leaf.public_bytes(pem) + root.public_bytes(pem))

    def _publish(self, roots: Path) -> None:
        root = x509.load_pem_x509_certificates(self.chain)[-1]
        if roots.exists() and not is_ours(roots):
            raise SettingsError(f"PAYPAL_CERT_ROOTS={roots} holds certificates that are not ours.")
        roots.parent.mkdir(parents=True, exist_ok=True)
        write(roots, root.public_bytes(serialization.Encoding.PEM))


PADDING: Final = padding.PKCS1v15()


def new_key() -> rsa.RSAPrivateKey:
    """A key as large as PayPal's."""
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def root_certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    """An authority that signs itself."""
    return (
        builder(ROOT, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(ROOT_USAGE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def leaf_certificate(key: rsa.RSAPrivateKey, root_key: rsa.RSAPrivateKey) -> x509.Certificate:
    """The certificate in the name that PayPal signs webhooks with."""
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    return (
        builder(SIGNER, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SIGNER)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(authority, critical=False)
        .sign(root_key, hashes.SHA256())
    )


def builder(name: str, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    """What both certificates begin with; the root issues both."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ROOT)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + LIFE)
    )


ROOT_USAGE: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def is_ours(path: Path) -> bool:
    """Whether a PEM file holds one root, and that an earlier start of a sandbox made it."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError:
        return False
    names = [each.subject.rfc4514_string() for each in found]
    return names == [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ROOT)]).rfc4514_string()]


def write(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put a file in place whole, so that no reader ever sees half of it."""
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        # The shop may run under another account, and what is public stays readable to it.
        os.fchmod(descriptor, mode)
        file.write(content)
    beside.replace(path)
