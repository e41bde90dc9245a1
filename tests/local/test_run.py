"""`bin/run` as a person meets it: started, harmed from outside, stopped, started again."""

import contextlib
import os
import re
import socket
import stat
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from local import servers
from local.child import wait_until
from local.guard import has_ended
from local.ports import LOOPBACK, free_port

ROOT = Path(servers.__file__).resolve().parent.parent
READY_LIMIT_S = 90.0
RETURN_LIMIT_S = 30.0
STOP_LIMIT_S = 20.0
# Words that only the command line of that process holds.
COMMAND_LINES = {
    "web": "granian",
    "worker": "celery.* worker",
    "beat": "celery.* beat",
    "sandbox": "-m sandbox",
    "postgres": "bin/postgres",
    "valkey": "valkey-server",
}


class Launcher:
    """One `bin/run` on a data folder and ports of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port, self.sandbox_port = free_port(), free_port()
        self.log = folder / "terminal.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [ROOT / "bin" / "run"],
                env=self.env() | settings,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def env(self) -> dict[str, str]:
        # Nothing of the settings that the tests themselves run with.
        return {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(self.folder),
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
        }

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        ready = wait_until(
            lambda: "Ready after" in self.output() or self.process.poll() is not None,
            limit_s=READY_LIMIT_S,
        )
        assert ready, self.output()
        assert self.process.poll() is None, self.output()

    def children(self) -> dict[str, int]:
        """The processes that it runs, by our names for them."""
        found = {}
        for pid, arguments in self._child_processes():
            for name, pattern in COMMAND_LINES.items():
                if re.search(pattern, arguments):
                    found[name] = pid
        return found

    def _child_processes(self) -> Iterator[tuple[int, str]]:
        listing = subprocess.run(
            ["ps", "-e", "-ww", "-o", "pid=,ppid=,args="],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for line in listing.splitlines():
            pid, parent, arguments = line.split(maxsplit=2)
            if int(parent) == self.process.pid:
                yield int(pid), arguments

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}/readyz", timeout=5) as page:
                return bool(page.status == 200)
        except OSError:
            return False

    def stop(self) -> int:
        self.process.send_signal(SIGTERM)
        return self.process.wait(timeout=STOP_LIMIT_S)


@contextlib.contextmanager
def data_folder() -> Iterator[Path]:
    """A folder that the servers' account may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    with data_folder() as folder:
        started = Launcher(folder, DEMO_PASSWORD="open sesame")
        try:
            started.wait_until_ready()
            yield started
        finally:
            started.stop()


class TestRunning:
    def test_says_where_to_go_and_who_to_be(self, launcher: Launcher) -> None:
        output = launcher.output()
        assert f"http://{LOOPBACK}:{launcher.port}/admin/" in output
        assert f"http://{LOOPBACK}:{launcher.sandbox_port}/" in output
        assert "shopper other-shopper support finance manager auditor admin" in output
        assert "open sesame" in output

    def test_hides_its_settings_from_other_users(self, launcher: Launcher) -> None:
        run_file = launcher.folder / "run.env"
        assert stat.S_IMODE(run_file.stat().st_mode) == 0o600

    def test_is_found_by_manage_py(self, launcher: Launcher) -> None:
        done = subprocess.run(
            [ROOT / "manage.py", "migrate", "--check"],
            env=launcher.env(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Nothing runs" not in done.stderr

    def test_refuses_a_second_start_on_its_data(self, launcher: Launcher) -> None:
        second = subprocess.run(
            [ROOT / "bin" / "run"], env=launcher.env(), capture_output=True, text=True, check=False
        )
        assert second.returncode == 1
        assert f"Already running on {launcher.folder}, pid {launcher.process.pid}" in second.stdout

    @pytest.mark.parametrize("name", COMMAND_LINES)
    def test_starts_again_what_was_killed(self, launcher: Launcher, name: str) -> None:
        before = launcher.children()
        os.kill(before[name], SIGKILL)
        assert wait_until(
            lambda: launcher.children().get(name, before[name]) != before[name],
            limit_s=RETURN_LIMIT_S,
        )
        assert wait_until(launcher.answers, limit_s=RETURN_LIMIT_S)
        assert launcher.children().keys() == COMMAND_LINES.keys()


class TestStarting:
    @pytest.mark.parametrize("setting", ["PORT", "SANDBOX_PORT"])
    def test_says_which_port_is_taken_and_how_to_move(self, setting: str, tmp_path: Path) -> None:
        with socket.create_server((LOOPBACK, 0)) as other:
            taken = str(other.getsockname()[1])
            refused = Launcher(tmp_path, **{setting: taken})
            assert refused.process.wait(timeout=STOP_LIMIT_S) == 1
        assert f"Port {taken} is taken" in refused.output()
        assert f"{setting}=" in refused.output()
        assert not (tmp_path / "servers").exists()

    def test_refuses_a_port_that_is_none(self, tmp_path: Path) -> None:
        refused = Launcher(tmp_path, PORT="eighty")
        assert refused.process.wait(timeout=STOP_LIMIT_S) == 1
        assert "PORT must be a port number, not 'eighty'" in refused.output()


class TestStopping:
    def test_leaves_nothing_behind_and_finds_its_data_again(self) -> None:
        with data_folder() as folder:
            first = Launcher(folder)
            first.wait_until_ready()
            children = first.children()
            first.process.kill()
            first.process.wait()
            assert wait_until(lambda: all(map(has_ended, children.values())), limit_s=STOP_LIMIT_S)
            secrets = (folder / "secrets.env").read_text()

            second = Launcher(folder)
            second.wait_until_ready()
            # The same code on the same data: nothing had to be prepared again.
            assert "seed_demo" not in second.output()
            assert (folder / "secrets.env").read_text() == secrets
            children = second.children()
            assert children.keys() == COMMAND_LINES.keys()
            assert second.stop() == 0
            assert all(map(has_ended, children.values()))
            assert not (folder / "run.env").exists()

    def test_leaves_the_servers_of_others_alone(self) -> None:
        with data_folder() as folder, servers.start(folder / "others", durable=False) as others:
            launcher = Launcher(
                folder, DATABASE_URL=others.database_url, REDIS_URL=others.redis_url
            )
            launcher.wait_until_ready()
            assert launcher.children().keys() == COMMAND_LINES.keys() - {"postgres", "valkey"}
            assert launcher.stop() == 0
            assert all(server.is_alive() for server in others.running())
