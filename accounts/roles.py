"""The role groups of staff and what each may do in the admin."""

from typing import Final

# Every role reads everything; what it may change is in ``MAY``. The auditor changes nothing.
SUPPORT: Final = "support"
FINANCE: Final = "finance"
MANAGER: Final = "manager"
AUDITOR: Final = "auditor"

ROLES: Final = (SUPPORT, FINANCE, MANAGER, AUDITOR)
