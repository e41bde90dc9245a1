"""A server program that keeps its port over any number of stops, crashes and starts."""

import time
from collections.abc import Callable

from local.child import Child, Program, wait_until
from local.errors import StartError
from local.guard import Guard
from local.ports import free_port

START_ATTEMPTS = 5
# Long enough for the crash recovery of a large database on a slow disk.
READY_LIMIT_S = 60.0
RETRY_PAUSE_S = 0.3


class Server:
    """A server process that the stack and the tests start, stop, kill and restart."""

    def __init__(
        self,
        *,
        program: Callable[[int], Program],
        answers: Callable[[int], bool],
        guard: Guard,
    ) -> None:
        """`program` says what to run on a given port, `answers` whether it takes clients there."""
        self._program = program
        self._answers = answers
        self._guard = guard
        self._child: Child | None = None
        self.port = 0

    def start(self) -> None:
        """Return once it takes clients; raises StartError with its last words when it does not."""
        chosen = self.port
        for _ in range(START_ATTEMPTS):
            self.port = chosen or free_port()
            child = self._child = Child(self._program(self.port), self._guard)
            if self._becomes_ready(child):
                return
            child.kill()
            # After a crash the last connections of the old server may still be going down.
            time.sleep(RETRY_PAUSE_S)
        message = f"{child.program.name} does not start:\n{child.last_lines()}"
        raise StartError(message)

    def is_alive(self) -> bool:
        """Whether the process of the last start still runs."""
        return self._child is not None and self._child.is_alive()

    @property
    def pid(self) -> int:
        """The server's process, for tests that do it harm from outside."""
        return self._running().pid

    @property
    def name(self) -> str:
        """What the program is called."""
        return self._running().program.name

    def returncode(self) -> int | None:
        """How the last process ended; None while it runs."""
        return self._running().returncode()

    def last_lines(self) -> str:
        """The end of its log."""
        return self._running().last_lines()

    def stop(self) -> None:
        """Stop it in order; a server that is not running is no error."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """`kill -9`."""
        self._running().kill()

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    def _running(self) -> Child:
        if self._child is None:
            message = "The server was never started."
            raise StartError(message)
        return self._child

    def _becomes_ready(self, child: Child) -> bool:
        wait_until(lambda: self._answers(self.port) or not child.is_alive(), limit_s=READY_LIMIT_S)
        return child.is_alive() and self._answers(self.port)
