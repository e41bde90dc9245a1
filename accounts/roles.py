"""The role groups of staff. What each may do is in the settings (``ROLE_PERMISSIONS``).

Every role reads everything; no page of the admin edits money, an administrator's pages included.
"""

from typing import Final

SUPPORT: Final = "support"
FINANCE: Final = "finance"
MANAGER: Final = "manager"
AUDITOR: Final = "auditor"

ROLES: Final = (SUPPORT, FINANCE, MANAGER, AUDITOR)
