"""The account that the database servers run under.

PostgreSQL refuses to run as root. An ordinary user runs the servers as himself; root hands them
to `nobody`, who may be kept out of the folders root works in.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

UNPRIVILEGED = "nobody"
PROBE_LIMIT_S = 10.0


class Identity(TypedDict, total=False):
    """The arguments of `subprocess` that say who runs the child."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """An account other than our own, by its numbers."""

    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Whether every folder on the way to `folder`, and it too, lets this account through."""
        return self._succeeds(["/bin/sh", "-c", 'test -x "$0"', str(folder)])

    def can_run(self, program: Path) -> bool:
        """Whether this account can execute `program`; asked by doing it."""
        return self._succeeds([str(program), "--version"])

    def _succeeds(self, command: list[str]) -> bool:
        try:
            done = subprocess.run(
                command,
                **identity(self),
                cwd="/",
                capture_output=True,
                check=False,
                timeout=PROBE_LIMIT_S,
            )
        except (PermissionError, FileNotFoundError):
            return False
        return done.returncode == 0


def server_account() -> Account | None:
    """The account to drop to, or None when the servers run as the user that we already are."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(UNPRIVILEGED)
    return Account(entry.pw_uid, entry.pw_gid)


def identity(account: Account | None) -> Identity:
    """Run a child as `account`, or as ourselves."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def passage(folder: Path, account: Account | None) -> Path:
    """Make `folder` if it is missing: ours alone, but the account may pass through it."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o700 if account is None else 0o711)
    return folder


def private_folder(folder: Path, account: Account | None) -> Path:
    """Make `folder` if it is missing, readable by the server's account alone."""
    folder.mkdir(parents=True, exist_ok=True)
    _own(folder, account, 0o700)
    return folder


def private_file(path: Path, text: str, account: Account | None) -> Path:
    """Write `text` so that, from its first byte on, the server's account alone can read it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    _own(path, account, 0o600)
    return path


def _own(path: Path, account: Account | None, mode: int) -> None:
    path.chmod(mode)
    if account is not None:
        os.chown(path, account.uid, account.gid)
