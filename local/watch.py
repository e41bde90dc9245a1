"""Starts again what has died, and gives up on what cannot live."""

import time
from collections import deque
from collections.abc import Callable
from signal import Signals

from local.errors import StartError
from local.server import Server
from local.servers import Servers
from local.stack import Stack

RESTART_PAUSE_S = 0.5
ENDS_MAX = 5
ENDS_WITHIN_S = 30.0


class Watch:
    """Looks after the processes and the servers of a running stack."""

    def __init__(self, stack: Stack, servers: Servers, *, say: Callable[[str], None]) -> None:
        """`say` takes a sentence for the person at the terminal."""
        self._stack = stack
        self._servers = servers
        self._say = say
        self._ends: dict[str, deque[float]] = {}

    def look(self) -> None:
        """One round; raises StartError when something has died too often too fast."""
        # Servers first: what depends on them would only die again.
        for server in self._servers.running():
            if not server.is_alive():
                self._restart_server(server)
        for name in self._stack.names():
            if not self._stack.is_alive(name):
                self._restart_process(name)

    def _restart_server(self, server: Server) -> None:
        self._note(server.name, server.returncode(), server.last_lines)
        server.restart()

    def _restart_process(self, name: str) -> None:
        returncode = self._stack.clear_away(name)
        self._note(name, returncode, lambda: self._stack.last_lines(name))
        self._stack.launch(name)

    def _note(self, name: str, returncode: int | None, last_lines: Callable[[], str]) -> None:
        ends = self._ends.setdefault(name, deque(maxlen=ENDS_MAX))
        ends.append(time.monotonic())
        if len(ends) == ENDS_MAX and ends[-1] - ends[0] < ENDS_WITHIN_S:
            message = (
                f"{name} ended {ENDS_MAX} times within {ENDS_WITHIN_S:.0f} s. "
                f"Its last lines:\n{last_lines()}"
            )
            raise StartError(message)
        self._say(f"{name} ended ({_how(returncode)}); starting it again.")
        time.sleep(RESTART_PAUSE_S)


def _how(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"killed by {Signals(-returncode).name}"
    return f"exit status {returncode}"
