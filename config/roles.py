"""What each role of staff may do beside reading: the only place that knows roles and apps both."""

from collections.abc import Mapping
from typing import Final

from accounts.roles import AUDITOR, FINANCE, MANAGER, SUPPORT
from payments.permissions import REPLAY_WEBHOOK, REQUEST_STATUS_QUERY, RESOLVE_CASE

ROLE_PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    SUPPORT: frozenset({REQUEST_STATUS_QUERY, REPLAY_WEBHOOK}),
    FINANCE: frozenset({REQUEST_STATUS_QUERY, REPLAY_WEBHOOK, RESOLVE_CASE}),
    MANAGER: frozenset({REQUEST_STATUS_QUERY, REPLAY_WEBHOOK, RESOLVE_CASE}),
    AUDITOR: frozenset(),
}

# The apps whose rows every role may look at. Accounts are the administrator's alone.
READABLE_APPS: Final = ("audit", "notifications", "orders", "payments")
