"""Readers of an adapter's options: a flat dict of texts from the settings.

Each raises ValueError that names the option and what is wrong with it.
"""

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

READ_TIMEOUT_MAX_S: Final = 120.0


def require_options(options: Mapping[str, str], psp: str, *names: str) -> None:
    """Raises ValueError that lists the options of ``names`` that are missing or empty."""
    missing = [name for name in names if not options.get(name)]
    if missing:
        raise ValueError(f"{psp} needs {', '.join(missing)}")


def read_list(options: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The items of a comma-separated option, without blanks around them; () when it is empty."""
    items = (item.strip() for item in options.get(name, "").split(","))
    return tuple(item for item in items if item)


def read_choice(
    options: Mapping[str, str], name: str, choices: Collection[str], default: str
) -> str:
    """An option that must be one of ``choices``; ``default`` when it is empty."""
    value = options.get(name) or default
    if value not in choices:
        raise ValueError(f"{name} must be one of {sorted(choices)}")
    return value


def read_timeout(options: Mapping[str, str], default: float) -> float:
    """``read_timeout_s`` in seconds."""
    seconds = float(options.get("read_timeout_s") or default)
    if not 0 < seconds <= READ_TIMEOUT_MAX_S:
        raise ValueError(f"read_timeout_s must be above 0 and at most {READ_TIMEOUT_MAX_S:g}")
    return seconds


def require_base_url(url: str, name: str) -> str:
    """``url`` without a slash at its end. Raises ValueError unless it is plain http(s)."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{name} must be an http(s) URL without query, got {url!r}")
    # Clear text only on this machine, which every name below localhost means (RFC 6761), or to a
    # bare host name: a container beside ours.
    is_near = parts.hostname in {"127.0.0.1", "::1"} or "." not in parts.hostname
    is_near = is_near or parts.hostname.endswith(".localhost")
    if parts.scheme == "http" and not is_near:
        raise ValueError(f"{name} must be https, got {url!r}")
    return url.rstrip("/")
