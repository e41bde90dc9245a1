"""Ports on the loopback interface."""

import random
import socket

from local.errors import PortTakenError, StartError

LOOPBACK = "127.0.0.1"
# Below what Linux and macOS hand out for outgoing connections: a client that keeps trying a
# stopped server could otherwise be given the server's own port, and keep it from coming back.
OWN_PORTS = range(15_000, 30_000)
TRIES = 200
CONNECT_LIMIT_S = 0.5


def free_port() -> int:
    """Pick a free port at random, so that two launchers rarely pick the same one."""
    chance = random.SystemRandom()
    for _ in range(TRIES):
        port = chance.choice(OWN_PORTS)
        if is_free(port):
            return port
    message = f"No free port between {OWN_PORTS.start} and {OWN_PORTS.stop}."
    raise StartError(message)


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    return not accepts(port) and _binds(port)


def accepts(port: int) -> bool:
    """Whether a program accepts connections on `port`."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=CONNECT_LIMIT_S):
            return True
    except OSError:
        return False


def demand(port: int, setting: str, example: int) -> None:
    """Raise PortTakenError, naming the setting that moves us elsewhere, unless `port` is free."""
    if not is_free(port):
        message = (
            f"Port {port} is taken by another program. "
            f"Choose another with {setting}, for example: {setting}={example} bin/run"
        )
        raise PortTakenError(message)


def _binds(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
