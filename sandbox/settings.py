"""What the sandbox reads from its environment, and what keeps it off real systems."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT = 8100
PORT_MAX = 65535


class SettingsError(Exception):
    """The environment does not allow a start; the message says which name to change."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything general; each gateway reads its own keys from ``env``."""

    host: str
    port: int
    data_dir: Path
    url: str
    webhook_base: str
    decision: str
    allow_non_loopback: bool
    env: Mapping[str, str]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment.

        Raises SettingsError for production, a public address or a bad port.
        """
        if env.get("DJANGO_ENV", "").lower() == "production":
            raise SettingsError("The sandbox never runs in production (DJANGO_ENV=production).")
        host = env.get("SANDBOX_HOST") or "127.0.0.1"
        allowed = env.get("SANDBOX_ALLOW_NON_LOOPBACK") == "1"
        if not allowed and not is_loopback(host):
            raise SettingsError(
                f"SANDBOX_HOST={host} is not a loopback address. "
                "Set SANDBOX_ALLOW_NON_LOOPBACK=1 only inside a closed demo network.",
            )
        port = read_port(env.get("SANDBOX_PORT") or str(DEFAULT_PORT))
        return cls(
            host=host,
            port=port,
            data_dir=Path(env.get("SANDBOX_DATA_DIR") or "var/sandbox"),
            url=(env.get("SANDBOX_URL") or f"http://127.0.0.1:{port}").rstrip("/"),
            webhook_base=(env.get("SANDBOX_WEBHOOK_BASE") or "").rstrip("/"),
            decision=env.get("SANDBOX_DECISION") or "ask",
            allow_non_loopback=allowed,
            env=env,
        )

    def webhook_url(self, gateway: str, *, asked: str = "") -> str:
        """Where its webhooks go: as ``asked`` by the shop's request, but only on this machine.

        Otherwise ``<SANDBOX_WEBHOOK_BASE>/<gateway>``, or the address of that gateway alone.
        """
        host = urlsplit(asked).hostname
        if host is not None and (is_loopback(host) or self.allow_non_loopback):
            return asked
        own = self.env.get(f"SANDBOX_WEBHOOK_{gateway.upper()}")
        return own or f"{self.webhook_base}/{gateway}"


def is_loopback(host: str) -> bool:
    """Whether an address or name can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_port(text: str) -> int:
    """A TCP port as a number. Raises SettingsError when it is none."""
    if not text.isdecimal() or not 0 < int(text) <= PORT_MAX:
        raise SettingsError(f"SANDBOX_PORT={text} is not a port number.")
    return int(text)
