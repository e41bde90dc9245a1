"""What VNPAY gave us for one website (terminal), and where VNPAY is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Self
from urllib.parse import urlsplit

from gateways.options import read_list, require_base_url

# VNPAY's test and production systems differ by host alone; credentials carry no mark.
_PRODUCTION_HOST: Final = "pay.vnpay.vn"
_TMN_CODE: Final = re.compile(r"[0-9A-Za-z]{8}")


@dataclass(frozen=True, slots=True)
class Config:
    """Credentials and addresses.

    ``hash_secrets`` holds the newest secret first: it signs, and all of them verify, so that a
    secret can be changed while answers signed with the old one are still under way.
    ``server_ip`` is what querydr and refund name as the calling server.
    """

    tmn_code: str
    hash_secrets: tuple[str, ...] = field(repr=False)
    pay_url: str
    api_url: str
    live: bool
    server_ip: str = "127.0.0.1"

    @property
    def account(self) -> str:
        """The terminal, which is our account there."""
        return self.tmn_code

    @classmethod
    def from_settings(cls, options: Mapping[str, str]) -> Self:
        """Read ``tmn_code, hash_secret, pay_url, api_url`` and, optional, ``server_ip``.

        ``hash_secret`` may list several, newest first. Raises ValueError.
        """
        pay_url = require_base_url(_required(options, "pay_url"), "vnpay pay_url")
        _required(options, "hash_secret")
        return cls(
            tmn_code=_tmn_code(options),
            hash_secrets=read_list(options, "hash_secret"),
            pay_url=pay_url,
            api_url=require_base_url(_required(options, "api_url"), "vnpay api_url"),
            live=urlsplit(pay_url).hostname == _PRODUCTION_HOST,
            server_ip=str(ip_address(options.get("server_ip") or "127.0.0.1")),
        )


def _required(options: Mapping[str, str], key: str) -> str:
    value = options.get(key, "").strip(" ,")
    if not value:
        raise ValueError(f"vnpay {key} is missing")
    return value


def _tmn_code(options: Mapping[str, str]) -> str:
    value = _required(options, "tmn_code")
    if not _TMN_CODE.fullmatch(value):
        raise ValueError("vnpay tmn_code must be 8 letters and digits")
    return value
