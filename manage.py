#!/usr/bin/env python3
"""Django's command line, on the stack that bin/run has started or the one in the environment."""

import importlib.util
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent
VENV_PYTHON = ROOT / ".venv" / "bin" / "python"
CONNECT_LIMIT_S = 1.0


def main() -> None:
    """Run one command."""
    if importlib.util.find_spec("django") is None and VENV_PYTHON.exists():
        # Typed as ./manage.py, outside the environment that bin/run has made.
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if "DATABASE_URL" not in os.environ:
        _read_local_stack_settings()
    execute_from_command_line(sys.argv)


def _read_local_stack_settings() -> None:
    import environ

    # As bin/run does, a relative folder is taken from the project's.
    run_file = ROOT / (os.environ.get("DATA_DIR") or "var") / "run.env"
    if run_file.exists():
        environ.Env.read_env(run_file)
    if not _database_listens(os.environ.get("DATABASE_URL", "")):
        print(
            f"Nothing runs on {run_file.parent}: start bin/run, or set DATABASE_URL.",
            file=sys.stderr,
        )


def _database_listens(url: str) -> bool:
    address = urlsplit(url)
    if address.hostname is None or address.port is None:
        return False
    try:
        socket.create_connection((address.hostname, address.port), CONNECT_LIMIT_S).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
