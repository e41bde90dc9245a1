"""Everything that is checked without running the product; all of it, then what failed.

Called by `bin/check`, and by the build before the tests.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from local.stack import ROOT

PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Check:
    """A command that succeeds when all is well; left out while what it looks at is missing."""

    title: str
    command: tuple[str, ...]
    looks_at: str = "*.py"


TEMPLATE_FOLDERS = sorted(
    str(path.relative_to(ROOT)) for path in (ROOT / "templates", *ROOT.glob("*/templates"))
)
CHECKS = (
    Check("format", ("ruff", "format", "--check", ".")),
    Check("lint", ("ruff", "check", ".")),
    Check("types", ("mypy", ".")),
    Check("imports", ("lint-imports",)),
    Check(
        "templates",
        ("djlint", "--lint", "--quiet", *TEMPLATE_FOLDERS),
        "**/templates/**/*.html",
    ),
    Check(
        "migrations",
        ("python", "-m", "local.throwaway", "manage.py", "makemigrations", "--check", "--dry-run"),
    ),
)


def main() -> int:
    """Run every check; 1 if any failed."""
    due = [check for check in CHECKS if any(ROOT.glob(check.looks_at))]
    failed = [check.title for check in due if not _passes(check)]
    print(f"Failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def _passes(check: Check) -> bool:
    began = time.monotonic()
    # The type checker's Django plugin loads the settings, which outside of tests want secrets.
    env = dict(os.environ) | {"DJANGO_ENV": "test"}
    program, *arguments = check.command
    done = subprocess.run([PROGRAMS / program, *arguments], cwd=ROOT, env=env, check=False)
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(f"{check.title}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
