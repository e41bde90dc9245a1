"""Who we are at MoMo, and where MoMo is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from gateways.momo.channels import BY_REQUEST_TYPE, HOSTED_CHOICE
from gateways.options import read_choice, read_list, require_base_url, require_options

# Keys look the same in test and production: only the host shows whether real money moves.
_LIVE_HOST: Final = "payment.momo.vn"


@dataclass(frozen=True, slots=True)
class Keys:
    """One pair of keys. MoMo signs its notifications with the same pair as we sign requests."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """``keys`` are newest first: the first signs, all of them verify (rotation)."""

    partner_code: str
    keys: tuple[Keys, ...]
    api_base: str
    request_type: str = HOSTED_CHOICE

    @property
    def account(self) -> str:
        """The partner code, which is our account there."""
        return self.partner_code

    @property
    def live(self) -> bool:
        """Whether real money moves there."""
        return urlsplit(self.api_base).hostname == _LIVE_HOST

    @classmethod
    def from_settings(cls, options: Mapping[str, str]) -> Self:
        """Read ``partner_code``, ``access_key``, ``secret_key``, ``api_base``; optional are
        ``request_type`` (the channel of a payment that names none) and ``previous_keys``
        (``access:secret``, comma separated). Raises ValueError naming what is missing or malformed.
        """
        require_options(options, "MoMo", "partner_code", "access_key", "secret_key", "api_base")
        return cls(
            partner_code=options["partner_code"],
            keys=(
                Keys(options["access_key"], options["secret_key"]),
                *_read_previous(options),
            ),
            api_base=require_base_url(options["api_base"], "api_base"),
            request_type=read_choice(options, "request_type", BY_REQUEST_TYPE, HOSTED_CHOICE),
        )


def _read_previous(options: Mapping[str, str]) -> tuple[Keys, ...]:
    pairs = [pair.partition(":") for pair in read_list(options, "previous_keys")]
    if not all(access and secret for access, _, secret in pairs):
        raise ValueError("previous_keys must be access:secret pairs, separated by commas")
    return tuple(Keys(access, secret) for access, _, secret in pairs)
