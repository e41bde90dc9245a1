"""Whether a URL in a PSP's answer is the PSP's own: a shopper is sent to no other page."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

# Nothing but a host name: no port, no user name, no backslash that browsers read as a slash.
_HOST: Final = re.compile(r"[a-z0-9.-]+")
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class PspUrls:
    """The URLs that one PSP may send a shopper to; made together with the adapter.

    They are the origin of ``api_base``, and ``https`` at ``domain`` (``momo.vn``) and below it.
    ``app_scheme`` is the scheme of links into the PSP's own app.
    """

    api_base: str
    domain: str
    app_scheme: str = ""

    def is_own(self, url: str) -> bool:
        """Whether ``url`` is a web page of the PSP."""
        parts = _split(url)
        return parts is not None and (self._is_beside_api(parts) or self._is_at_domain(parts))

    def is_own_app_link(self, url: str) -> bool:
        """Whether ``url`` opens the PSP's app, or is a web page of the PSP."""
        parts = _split(url)
        if parts is None:
            return False
        return (bool(self.app_scheme) and parts.scheme == self.app_scheme) or self.is_own(url)

    def _is_beside_api(self, parts: SplitResult) -> bool:
        base = urlsplit(self.api_base)
        if (parts.scheme, parts.netloc) == (base.scheme, base.netloc):
            return True
        # An emulated PSP on this machine may call itself by another name than we do.
        is_local = {base.hostname, parts.hostname} <= _THIS_MACHINE and "@" not in parts.netloc
        return is_local and parts.scheme in {"http", "https"}

    def _is_at_domain(self, parts: SplitResult) -> bool:
        host = parts.netloc.lower()
        if parts.scheme != "https" or not _HOST.fullmatch(host):
            return False
        return host == self.domain or host.endswith(f".{self.domain}")


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None
