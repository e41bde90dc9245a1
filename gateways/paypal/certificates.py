"""Whose signature counts: certificates of PayPal's, fetched from PayPal's hosts and kept by URL.

The sender of a webhook names the certificate. So the signature proves something only when the
URL is PayPal's, the chain ends at a root that we trust, and the name in it is the one PayPal
signs webhooks with. PayPal's certificate has been seen without the one that issued it: then a chain
cannot be built here, which refutes nothing.
"""

import contextlib
import re
import threading
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from gateways.http import HttpClient, TransportError
from gateways.paypal.config import Config
from gateways.paypal.pause import Pause
from gateways.webhook import WebhookRefused

_PATH: Final = re.compile(r"/v1/notifications/certs/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
_NAME: Final = re.compile(r"messageverificationcerts(?:\.[a-z0-9-]+)*\.paypal\.com")
_PEM: Final = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_OK: Final = 200
_NOT_FOUND: Final = 404
_BYTES_MAX: Final = 64 * 1024
_CHAIN_MAX: Final = 8
# PayPal changes its certificate about once a year; more URLs than this are not kept.
_CACHE_MAX: Final = 16
# Every forged signature looks like one by a renewed certificate: so often we go and look.
_RENEWAL_PAUSE_S: Final = 60.0

FitsKey = Callable[[rsa.RSAPublicKey], bool]


class CertificateUnavailable(Exception):
    """The certificate, or what it chains to, cannot be had: nothing is proven or refuted."""


class Certificates:
    """What stands behind certificate URLs. Safe to share by threads."""

    def __init__(self, config: Config, http: HttpClient) -> None:
        self._config = config
        self._http = http
        self._lock = threading.Lock()
        self._pause = Pause()
        self._renewal_pause = Pause(_RENEWAL_PAUSE_S)
        self._chains: dict[str, Sequence[x509.Certificate]] = {}
        self._known: list[x509.Certificate] | None = None

    def require_signed(self, url: str, at: datetime, fits: FitsKey) -> None:
        """The key at ``url`` must be PayPal's, valid at ``at``, and ``fits`` the signature.

        Raises ``WebhookRefused`` if it is not, and ``CertificateUnavailable`` when that cannot be
        told.
        """
        self._require_allowed(url)
        kept = self._chains.get(url)
        if kept is None:
            self._require_signer(self._fetch(url), at, fits)
            return
        try:
            self._require_signer(kept, at, fits)
        except WebhookRefused:
            renewed = self._fetch_again(url)
            if renewed is None or renewed == kept:
                raise
            self._require_signer(renewed, at, fits)

    def _require_allowed(self, url: str) -> None:
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise WebhookRefused("the certificate's URL is none") from error
        origin = f"{parts.scheme}://{parts.netloc}"
        is_plain = not parts.query and not parts.fragment
        if origin not in self._config.cert_origins or not is_plain:
            raise WebhookRefused("the certificate's URL is not one of PayPal's")
        if not _PATH.fullmatch(parts.path):
            raise WebhookRefused("the certificate's URL is not one of PayPal's")

    def _require_signer(
        self, chain: Sequence[x509.Certificate], at: datetime, fits: FitsKey
    ) -> None:
        key = chain[0].public_key()
        if not isinstance(key, rsa.RSAPublicKey) or not fits(key):
            raise WebhookRefused("the signature does not fit the body and our webhook ids")
        self._verify(chain, at)

    def _fetch_again(self, url: str) -> list[x509.Certificate] | None:
        """What stands at ``url`` now; None when we looked a moment ago, or cannot look."""
        if self._renewal_pause.is_on():
            return None
        self._renewal_pause.begin()
        try:
            return self._fetch(url)
        except CertificateUnavailable:
            return None

    def _fetch(self, url: str) -> list[x509.Certificate]:
        if self._pause.is_on():
            raise CertificateUnavailable("no answer a moment ago")
        try:
            answer = self._http.send("GET", url, headers={"Accept": "*/*"})
        except TransportError as error:
            self._pause.begin()
            raise CertificateUnavailable(error.reason) from error
        if answer.status == _NOT_FOUND:
            # An invented URL must cost one look and no question to PayPal's API.
            raise WebhookRefused("there is no such certificate at PayPal")
        if answer.status != _OK or len(answer.body) > _BYTES_MAX:
            raise CertificateUnavailable(f"HTTP {answer.status}")
        try:
            chain = x509.load_pem_x509_certificates(answer.body)
        except ValueError as error:
            raise CertificateUnavailable("no certificate came") from error
        # Kept although nothing fits it yet: forgers name it too, and cost one look.
        self._keep(url, chain[:_CHAIN_MAX])
        return chain[:_CHAIN_MAX]

    def _verify(self, chain: Sequence[x509.Certificate], at: datetime) -> None:
        leaf = chain[0]
        name = _common_name(leaf)
        if not _NAME.fullmatch(name):
            raise WebhookRefused("the certificate is not in the name that signs webhooks")
        roots, others = self._trusted()
        between = [*chain[1:], *others]
        # It signs messages and serves no address, so it is judged as a client's certificate is.
        policy = PolicyBuilder().store(Store(roots)).time(at)
        policy = policy.extension_policies(ca_policy=_AUTHORITY, ee_policy=_SIGNER)
        try:
            policy.build_client_verifier().verify(leaf, between)
        except VerificationError as error:
            is_in_time = leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc
            known = {each.subject for each in (*between, *roots)}
            if is_in_time and any(each.issuer not in known for each in chain):
                raise CertificateUnavailable("an issuer's certificate is missing") from error
            raise WebhookRefused("the certificate's chain or dates are not good") from error

    def _trusted(self) -> tuple[list[x509.Certificate], list[x509.Certificate]]:
        """Roots to end at, and further certificates that may lead there."""
        with self._lock:
            if self._known is None:
                self._known = _load(Path(self._config.cert_roots or certifi.where()))
        roots = [each for each in self._known if each.issuer == each.subject]
        return roots, [each for each in self._known if each.issuer != each.subject]

    def _keep(self, url: str, chain: Sequence[x509.Certificate]) -> None:
        with self._lock:
            if url not in self._chains and len(self._chains) >= _CACHE_MAX:
                self._chains.pop(next(iter(self._chains)))
            self._chains[url] = chain


def _require_signing_of_certificates(
    _policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage and not usage.key_cert_sign:
        raise ValueError("the key may not sign certificates")


# PayPal asks for a chain, the dates and the name. What the rules of the web ask for besides, such
# as alternative names, is for servers.
_SIGNER: Final = ExtensionPolicy.permit_all()
_AUTHORITY: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _require_signing_of_certificates)
)


def _load(path: Path) -> list[x509.Certificate]:
    try:
        text = path.read_bytes()
    except OSError as error:
        # Without roots nothing can be judged; the file may still be on its way.
        raise CertificateUnavailable("no trusted roots") from error
    found = []
    with warnings.catch_warnings():
        # Among the public roots are old ones that break today's rules; they only count if used.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for block in _PEM.findall(text):
            with contextlib.suppress(ValueError):
                found.append(x509.load_pem_x509_certificate(block))
    if not found:
        raise CertificateUnavailable("no trusted roots")
    return found


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""
