"""Several accounts of one PSP: each is an entry of its own among the gateways.

An account has its own keys, webhook address, queue, circuit breaker and ledger accounts. It is
named by ``GATEWAY_ACCOUNTS`` and set by the variables that start with its name, so that adding
one needs no code.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from config.environment import group
from config.gateway_settings import OPTIONS, Entry

# What fits into a variable's name, a webhook's path and the column of a transaction.
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,19}")
# Options that an account inherits from its PSP: addresses and the name shown to shoppers.
_SHARED: Final = ("_base", "_url", "brand_name")


def with_accounts(psps: Mapping[str, Entry], accounts: Mapping[str, str]) -> dict[str, Entry]:
    """``psps`` and one more entry for each of ``accounts`` (name → PSP).

    Raises ImproperlyConfigured for a name that is taken or unfit, for one that would take another
    gateway's variable away, and for an unknown PSP.
    """
    for name, psp in accounts.items():
        _require_fit(name, psp, psps)
        _require_apart(name, [*psps, *accounts])
    entries = {
        name: {**entry, "options": _own(name, entry["options"], accounts)}
        for name, entry in psps.items()
    }
    return entries | {name: _account(name, psps[psp], accounts) for name, psp in accounts.items()}


def _require_fit(name: str, psp: str, psps: Mapping[str, Entry]) -> None:
    if not _NAME.fullmatch(name) or name in psps:
        raise ImproperlyConfigured(
            f"GATEWAY_ACCOUNTS names {name!r}: take 2 to 20 of a-z, 0-9 and _, starting with a"
            " letter, and no gateway's own name."
        )
    if psp not in psps:
        raise ImproperlyConfigured(
            f"GATEWAY_ACCOUNTS gives {name} to {psp!r}; it must be one of {', '.join(psps)}."
        )


def _require_apart(name: str, others: Sequence[str]) -> None:
    for other in others:
        if not name.startswith(f"{other}_"):
            continue
        rest = name.removeprefix(f"{other}_")
        taken = sorted(option for option in OPTIONS if option.startswith(f"{rest}_"))
        if taken:
            variables = ", ".join(f"{_prefix(other)}{option.upper()}" for option in taken)
            raise ImproperlyConfigured(
                f"GATEWAY_ACCOUNTS names {name!r}: {variables} of {other} would be its own; take"
                " another name."
            )


def _account(name: str, psp: Entry, accounts: Mapping[str, str]) -> Entry:
    own = _own(name, group(_prefix(name)), accounts)
    shared = {option: value for option, value in psp["options"].items() if option.endswith(_SHARED)}
    return {"adapter": psp["adapter"], "options": shared | own, "enabled": bool(own)}


def _own(name: str, options: Mapping[str, str], accounts: Mapping[str, str]) -> dict[str, str]:
    """``STRIPE_US_SECRET_KEY`` belongs to ``stripe_us`` and is no option of ``stripe``."""
    own = _prefix(name)
    foreign = tuple(one for one in map(_prefix, accounts) if one != own and one.startswith(own))
    return {
        option: value
        for option, value in options.items()
        if not f"{own}{option.upper()}".startswith(foreign)
    }


def _prefix(name: str) -> str:
    return f"{name.upper()}_"
