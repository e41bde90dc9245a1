"""The role groups of staff and what each may do in the admin.

Every role reads everything; what it may do beside that is in ``MAY``. A Django permission to
"change" a row stands for the one act that staff have on it, never for editing: no page of the
admin edits money, and an administrator's pages are the same.
"""

from collections.abc import Mapping
from typing import Final

SUPPORT: Final = "support"
FINANCE: Final = "finance"
MANAGER: Final = "manager"
AUDITOR: Final = "auditor"

ROLES: Final = (SUPPORT, FINANCE, MANAGER, AUDITOR)

# The acts, as Django names the permission that stands for them.
ASK_GATEWAY: Final = "payments.change_transaction"
PROCESS_WEBHOOK_AGAIN: Final = "payments.change_webhookevent"
RESOLVE_CASE: Final = "payments.change_case"

MAY: Final[Mapping[str, frozenset[str]]] = {
    SUPPORT: frozenset({ASK_GATEWAY, PROCESS_WEBHOOK_AGAIN}),
    FINANCE: frozenset({ASK_GATEWAY, PROCESS_WEBHOOK_AGAIN, RESOLVE_CASE}),
    MANAGER: frozenset({ASK_GATEWAY, PROCESS_WEBHOOK_AGAIN, RESOLVE_CASE}),
    AUDITOR: frozenset(),
}

# The apps whose rows every role may look at. Accounts are the administrator's alone.
READABLE_APPS: Final = ("audit", "notifications", "orders", "payments")
