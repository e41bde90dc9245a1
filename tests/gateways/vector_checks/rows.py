"""What every check is given."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.gateways.local_server import LocalServer

Row = Mapping[str, Any]
# A row, the section of the file around it, and a server to send to.
Check = Callable[[Row, Row, LocalServer], None]
