"""Makes and refreshes `.venv`; runs on a Python that has nothing installed."""

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
STAMP = VENV / "requirements.sha256"


def ensure() -> None:
    """Have `.venv` hold what the requirements say; raises CalledProcessError when it cannot."""
    wanted = _fingerprint()
    if _is_fresh(wanted):
        return
    # Two commands started at once must not install into one environment side by side.
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not _is_fresh(wanted):
            _install(wanted)
    finally:
        os.close(folder)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in REQUIREMENTS:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_fresh(wanted: str) -> bool:
    return STAMP.exists() and STAMP.read_text() == wanted and _works(PYTHON)


def _works(python: Path) -> bool:
    # A broken environment may lead to the machine's own Python: nothing is installed into that.
    is_apart = "import sys; sys.exit(sys.prefix == sys.base_prefix)"
    try:
        return subprocess.run([python, "-c", is_apart], check=False).returncode == 0
    except OSError:
        return False


def _install(wanted: str) -> None:
    if not _works(PYTHON):
        _say("Making the virtual environment in .venv")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    _say("Installing the packages of requirements-dev.txt (a minute or so, the first time)")
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    # Most of these modules are never imported here: each is compiled when it first is.
    install = ["install", "--quiet", "--no-compile", "-r", str(REQUIREMENTS[-1])]
    subprocess.run([*pip, *install], check=True)
    STAMP.write_text(wanted)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    # As an exception it also ends the pip that we are waiting for.
    sys.exit(128 + number)


def main() -> None:
    """Become `python -m` with our arguments, in an environment that is up to date."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        ensure()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: could not set up .venv: {error}")
    except KeyboardInterrupt:
        _leave(signal.SIGINT, None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Where this is set, each of our many processes would compile all that it imports once more:
    # that takes twice as long as everything else it does to start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.execv(PYTHON, [str(PYTHON), "-m", *sys.argv[1:]])


if __name__ == "__main__":
    main()
