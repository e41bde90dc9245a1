"""Calls the web server in this container; exits 0 when it is ready. For container health checks.

    python -I ops/probe.py [PATH]

Plain standard library, and no settings: it runs every few seconds beside the product.
"""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Final

LIMIT_S: Final = 5.0


def is_ok(path: str) -> bool:
    """Whether the web server in this container answers ``path`` with 200."""
    port = int(os.environ.get("GRANIAN_PORT", "8000"))
    connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_ok(sys.argv[1] if len(sys.argv) > 1 else "/readyz") else 1)
