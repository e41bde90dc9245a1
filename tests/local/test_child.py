"""One child process and everything that it starts in turn."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGKILL

import pytest

from local.child import Child, Program, wait_until
from local.guard import Guard, has_ended

LINE_LIMIT_S = 5.0
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(600)"
)
PARENT = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True); time.sleep(600)"
)


@pytest.fixture
def guard() -> Iterator[Guard]:
    made = Guard()
    yield made
    made.close()


@pytest.fixture
def run(guard: Guard, tmp_path: Path) -> Iterator[Callable[[str], tuple[Child, str]]]:
    """Starts a script and gives the child with the first line that it printed."""
    children: list[Child] = []

    def start(script: str) -> tuple[Child, str]:
        lines: list[str] = []
        program = Program(
            name="script",
            argv=(sys.executable, "-c", script),
            env=os.environ,
            cwd=tmp_path,
            output=lines.append,
        )
        child = Child(program, guard)
        children.append(child)
        assert wait_until(lambda: bool(lines), limit_s=LINE_LIMIT_S)
        return child, lines[0]

    yield start
    for child in children:
        child.kill()


Run = Callable[[str], tuple[Child, str]]


class TestChild:
    def test_is_killed_when_it_will_not_stop(self, run: Run) -> None:
        child, _ = run(STUBBORN)
        began = time.monotonic()
        child.stop(limit_s=0.3)
        assert child.returncode() == -SIGKILL
        assert 0.3 <= time.monotonic() - began < 3

    def test_takes_along_what_a_killed_leader_left_behind(self, run: Run) -> None:
        child, line = run(PARENT)
        os.kill(child.pid, SIGKILL)
        child.clear_away()
        assert wait_until(lambda: has_ended(int(line)), limit_s=LINE_LIMIT_S)

    def test_remembers_its_last_lines(self, run: Run) -> None:
        child, _ = run("print('first', flush=True); raise SystemExit('the reason')")
        assert child.wait() == 1
        child.clear_away()
        assert child.last_lines() == "first\nthe reason"


class TestLog:
    def test_is_set_aside_when_it_has_grown_large(
        self, guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = tmp_path / "server.log"
        log.write_text("old news\n" * 2)
        monkeypatch.setattr("local.child.LOG_BYTES_MAX", 10)
        program = Program(
            name="script", argv=("/bin/echo", "news"), env={}, cwd=tmp_path, output=log
        )
        child = Child(program, guard)
        child.wait()
        child.clear_away()
        assert child.last_lines() == "news"
        assert (tmp_path / "server.log.1").read_text() == "old news\n" * 2


class TestGuard:
    def test_ends_the_whole_family_of_a_child_when_it_is_closed(
        self, run: Run, guard: Guard
    ) -> None:
        child, line = run(PARENT)
        guard.close()
        assert has_ended(child.pid)
        assert wait_until(lambda: has_ended(int(line)), limit_s=LINE_LIMIT_S)

    def test_leaves_alone_what_it_was_told_to_forget(self, run: Run, guard: Guard) -> None:
        child, _ = run(STUBBORN)
        guard.forget(child.pid)
        guard.close()
        assert child.is_alive()
