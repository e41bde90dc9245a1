"""Running a command with servers that last as long as it does."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from local import throwaway
from local.child import wait_until
from local.guard import has_ended

ROOT = Path(throwaway.__file__).resolve().parent.parent
ORPHAN_LIMIT_S = 15.0
SHOW_SETTINGS = "import json, os; print(json.dumps(dict(os.environ)), flush=True)"
WAIT = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


@pytest.fixture
def place() -> Iterator[Path]:
    """Where throw-away folders are made, so that what is left of them shows."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


def start(place: Path, script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local.throwaway", sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(place), "STRIPE_SECRET_KEY": "sk_live_1"},
        stdout=subprocess.PIPE,
        text=True,
    )


class TestThrowaway:
    def test_gives_the_command_a_whole_stack_of_settings(self, place: Path) -> None:
        with start(place, SHOW_SETTINGS) as command:
            assert command.stdout is not None
            settings = json.loads(command.stdout.readline())
        assert settings["DATABASE_URL"].startswith("postgres://payments:")
        assert settings["REDIS_URL"].startswith("redis://:")
        assert settings["DJANGO_ENV"] == "test"

    def test_uses_no_key_of_the_callers_shell(self, place: Path) -> None:
        with start(place, SHOW_SETTINGS) as command:
            assert command.stdout is not None
            settings = json.loads(command.stdout.readline())
        assert settings["STRIPE_SECRET_KEY"].startswith("sk_test_")

    def test_ends_with_the_commands_status_and_keeps_nothing(self, place: Path) -> None:
        with start(place, "raise SystemExit(3)") as command:
            assert command.wait() == 3
        assert list(place.iterdir()) == []

    @pytest.mark.parametrize("signal", [SIGTERM, SIGKILL])
    def test_takes_the_command_with_it(self, place: Path, signal: int) -> None:
        with start(place, WAIT) as command:
            assert command.stdout is not None
            pid = int(command.stdout.readline())
            command.send_signal(signal)
            command.wait()
        assert wait_until(lambda: has_ended(pid), limit_s=ORPHAN_LIMIT_S)
        assert wait_until(lambda: not list(place.glob("*/servers")), limit_s=ORPHAN_LIMIT_S)
