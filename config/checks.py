"""System checks of the deployment as a whole: addresses, proxies, mail, secrets for operators.

What would be dangerous is refused while the settings are read (see ``config.environment``);
here stands what is only wrong, or wrong together with something else.
"""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's

_NOWHERE: Final = frozenset(
    {
        "django.core.mail.backends.console.EmailBackend",
        "django.core.mail.backends.dummy.EmailBackend",
        "django.core.mail.backends.locmem.EmailBackend",
    }
)

Apps = Sequence[AppConfig] | None


@register(Tags.security, deploy=True)
def hosts_are_named(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """config.E001: ALLOWED_HOSTS takes any host. config.E002: it does not take our own."""
    if "*" in settings.ALLOWED_HOSTS:
        text = "ALLOWED_HOSTS takes any host."
        return [Error(text, hint="Name the hosts that people use.", id="config.E001")]
    host = urlsplit(settings.BASE_URL).hostname or ""
    if host not in settings.ALLOWED_HOSTS:
        text = f"ALLOWED_HOSTS does not hold {host}, the host of BASE_URL."
        return [Error(text, hint="Every link of ours leads there.", id="config.E002")]
    return []


@register(Tags.security, deploy=True)
def redirects_can_end(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """config.W001: https is asked for, and no proxy is trusted to say that it was used."""
    if not settings.SECURE_SSL_REDIRECT or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "TRUSTED_PROXIES is 0: behind a proxy that ends TLS every page redirects to itself,"
            " and all clients share the proxy's address.",
            hint="Set TRUSTED_PROXIES to the number of proxies in front of the web process.",
            id="config.W001",
        )
    ]


@register(Tags.security, deploy=True)
def mails_go_somewhere(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """config.W002: mails are thrown away or printed. config.W003: their ids name localhost."""
    found: list[CheckMessage] = []
    if settings.EMAIL_BACKEND in _NOWHERE:
        text = "EMAIL_URL names no mail server: no receipts are sent."
        found.append(Warning(text, hint="Set EMAIL_URL, as smtp+tls://…", id="config.W002"))
    if settings.SHOP_DOMAIN == "localhost":
        text = "SHOP_DOMAIN is localhost: mail servers distrust messages whose id says so."
        found.append(Warning(text, hint="Set SHOP_DOMAIN to the shop's domain.", id="config.W003"))
    return found
