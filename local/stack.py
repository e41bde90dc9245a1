"""The processes of the product on this machine: web, worker, beat and sandbox.

    stack = Stack(settings, guard)
    stack.start(*ALL)
    stack.kill("worker")
    stack.start("worker")
    stack.stop()

`settings` are those of `environment.build`. The processes end with the one that started them.
"""

import http.client
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local import environment
from local.child import STOP_LIMIT_S, Child, Program
from local.errors import StartError
from local.guard import Guard
from local.ports import LOOPBACK, accepts

ROOT = Path(__file__).resolve().parent.parent
READY_LIMIT_S = 60.0
READY_POLL_S = 0.05
READY_PATH = "/readyz"
HTTP_LIMIT_S = 5.0
# The last words of a Celery worker that has begun to take messages.
WORKER_READY = "ready."

Output = Callable[[str, str], None]


@dataclass(frozen=True)
class Kind:
    """One kind of process: what to run, and how to see that it is ready; without, it says so."""

    arguments: Callable[[Mapping[str, str]], tuple[str, ...]]
    probe: Callable[[Mapping[str, str]], bool] | None


def _web(settings: Mapping[str, str]) -> tuple[str, ...]:
    return (
        "-m",
        "granian",
        "--interface=wsgi",
        f"--host={LOOPBACK}",
        f"--port={settings['PORT']}",
        "--workers=1",
        f"--blocking-threads={settings['WEB_THREADS']}",
        "--no-ws",
        "config.wsgi:application",
    )


def _worker(_settings: Mapping[str, str]) -> tuple[str, ...]:
    return (
        "-m",
        "celery",
        "--quiet",
        "--app=config",
        "worker",
        "--pool=threads",
        "--loglevel=info",
        # There is one worker: gossip with others would only delay its start by a second.
        "--without-gossip",
        "--without-mingle",
    )


def _beat(_settings: Mapping[str, str]) -> tuple[str, ...]:
    # A beat inside the worker would save a process, but its death would go unnoticed, and the
    # sweeps that make every payment certain would end without a word.
    return (
        "-m",
        "celery",
        "--quiet",
        "--app=config",
        "beat",
        "--pidfile=",
        "--loglevel=warning",
    )


def _sandbox(_settings: Mapping[str, str]) -> tuple[str, ...]:
    return ("-m", "sandbox")


def _is_up(_settings: Mapping[str, str]) -> bool:
    return True


def _web_is_ready(settings: Mapping[str, str]) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, int(settings["PORT"]), timeout=HTTP_LIMIT_S)
    try:
        connection.request("GET", READY_PATH)
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _sandbox_is_ready(settings: Mapping[str, str]) -> bool:
    return accepts(int(settings["SANDBOX_PORT"]))


KINDS = {
    "web": Kind(_web, _web_is_ready),
    "worker": Kind(_worker, None),
    "beat": Kind(_beat, _is_up),
    "sandbox": Kind(_sandbox, _sandbox_is_ready),
}
ALL = tuple(KINDS)


class Stack:
    """Starts, watches, kills and stops those processes by name."""

    def __init__(
        self, settings: Mapping[str, str], guard: Guard, *, output: Output | None = None
    ) -> None:
        """`output` takes a process's name and a line; without it each has a file in `logs/`."""
        self.settings = settings
        self._guard = guard
        self._output = output or _LogFiles(Path(settings["DATA_DIR"]) / "logs")
        self._children: dict[str, Child] = {}
        self._ready_by_word: set[str] = set()

    def start(self, *names: str) -> None:
        """Start them side by side and return when all are ready; raises StartError otherwise."""
        self.launch(*names)
        self.wait_until_ready(*names)

    def launch(self, *names: str) -> None:
        """Start them without waiting."""
        for name in names:
            self._ready_by_word.discard(name)
            self._children[name] = Child(self._program(name), self._guard)

    def wait_until_ready(self, *names: str) -> None:
        """Return when all of them are ready; raises StartError with the last words otherwise."""
        deadline = time.monotonic() + READY_LIMIT_S
        for name in names:
            while not self.is_ready(name):
                if not self.is_alive(name) or time.monotonic() > deadline:
                    message = f"{name} does not become ready:\n{self.last_lines(name)}"
                    raise StartError(message)
                time.sleep(READY_POLL_S)

    def is_ready(self, name: str) -> bool:
        """Whether the process does its work now."""
        probe = KINDS[name].probe
        return name in self._ready_by_word if probe is None else probe(self.settings)

    def is_alive(self, name: str) -> bool:
        """Whether it runs."""
        return self._children[name].is_alive()

    def names(self) -> list[str]:
        """Those that were started, whether they still run or not."""
        return list(self._children)

    def pid(self, name: str) -> int:
        """The process, for those who do it harm from outside."""
        return self._children[name].pid

    def last_lines(self, name: str) -> str:
        """The end of what it printed."""
        return self._children[name].last_lines()

    def kill(self, name: str) -> None:
        """`kill -9` it and all that it started; it stays down."""
        self._children[name].kill()

    def clear_away(self, name: str) -> int | None:
        """End what a process that has ended left behind; gives how it ended."""
        self._children[name].clear_away()
        return self._children[name].returncode()

    def stop(self, *names: str) -> None:
        """Ask these, or all, to stop; those that do not within seconds are killed."""
        chosen = [self._children[name] for name in names or self._children]
        deadline = time.monotonic() + STOP_LIMIT_S
        for child in chosen:
            child.ask_to_stop()
        for child in chosen:
            child.end(limit_s=max(0.0, deadline - time.monotonic()))

    def _program(self, name: str) -> Program:
        return Program(
            name=name,
            argv=(sys.executable, *KINDS[name].arguments(self.settings)),
            env=environment.process_env(self.settings),
            cwd=ROOT,
            output=lambda line: self._hear(name, line),
        )

    def _hear(self, name: str, line: str) -> None:
        if WORKER_READY in line:
            self._ready_by_word.add(name)
        self._output(name, line)


class _LogFiles:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def __call__(self, name: str, line: str) -> None:
        with (self._folder / f"{name}.log").open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")
