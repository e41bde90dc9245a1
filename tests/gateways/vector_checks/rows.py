"""What every check is given."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.gateways.local_server import LocalServer

Row = Mapping[str, Any]
# A row, the section of the file around it, and a server to send to.
Check = Callable[[Row, Row, LocalServer], None]

# How the reason begins for which a row is skipped.
NOT_OURS: Final = "nothing of our adapters:"
_NO: Final = ("invalid", "refused", "rejected", False)


def is_negative(row: Row) -> bool:
    """Whether a row shows what must be refused."""
    library = row.get("library_says") or {}
    return row.get("expected", "valid") in _NO or library.get("isVerified") is False
