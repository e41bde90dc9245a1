"""The watch over a running stack, seen with the one process that needs no database."""

import os
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL

import pytest

from local import environment, servers
from local.child import wait_until
from local.errors import StartError
from local.ports import free_port
from local.stack import Stack
from local.watch import ENDS_MAX, Watch

END_LIMIT_S = 5.0
GIVEN = {"database_url": "postgres://other", "redis_url": "redis://other"}


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[Stack, servers.Servers]]:
    with servers.start(tmp_path, durable=True, **GIVEN) as none_of_ours:
        addresses = environment.Addresses(port=free_port(), sandbox_port=free_port(), **GIVEN)
        settings = environment.build("test", data_dir=tmp_path, addresses=addresses, given={})
        stack = Stack(settings, none_of_ours.guard)
        try:
            stack.start("sandbox")
            yield stack, none_of_ours
        finally:
            stack.stop()


def kill(stack: Stack) -> None:
    os.kill(stack.pid("sandbox"), SIGKILL)
    assert wait_until(lambda: not stack.is_alive("sandbox"), limit_s=END_LIMIT_S)


class TestWatch:
    def test_leaves_alone_what_lives(self, started: tuple[Stack, servers.Servers]) -> None:
        stack, none_of_ours = started
        said: list[str] = []
        pid = stack.pid("sandbox")
        Watch(stack, none_of_ours, say=said.append).look()
        assert stack.pid("sandbox") == pid
        assert said == []

    def test_starts_a_dead_process_again_on_its_port(
        self, started: tuple[Stack, servers.Servers]
    ) -> None:
        stack, none_of_ours = started
        said: list[str] = []
        kill(stack)
        Watch(stack, none_of_ours, say=said.append).look()
        stack.wait_until_ready("sandbox")
        assert said == ["sandbox ended (killed by SIGKILL); starting it again."]

    def test_gives_up_on_what_keeps_dying_and_shows_its_last_lines(
        self, started: tuple[Stack, servers.Servers]
    ) -> None:
        stack, none_of_ours = started
        watch = Watch(stack, none_of_ours, say=lambda _sentence: None)
        for _ in range(ENDS_MAX - 1):
            kill(stack)
            watch.look()
            stack.wait_until_ready("sandbox")
        kill(stack)
        with pytest.raises(StartError, match=rf"(?s)ended {ENDS_MAX} times.*last lines:.*sandbox"):
            watch.look()


class TestStack:
    def test_stops_what_it_started(self, started: tuple[Stack, servers.Servers]) -> None:
        stack, _ = started
        stack.stop("sandbox")
        assert not stack.is_alive("sandbox")

    def test_does_not_start_again_what_a_test_has_killed(
        self, started: tuple[Stack, servers.Servers]
    ) -> None:
        stack, _ = started
        stack.kill("sandbox")
        assert not stack.is_alive("sandbox")
        stack.start("sandbox")
        assert stack.is_ready("sandbox")

    def test_says_why_a_process_does_not_become_ready(
        self, started: tuple[Stack, servers.Servers]
    ) -> None:
        stack, none_of_ours = started
        settings = dict(stack.settings) | {"SANDBOX_HOST": "192.0.2.1"}
        exposed = Stack(settings | {"SANDBOX_PORT": str(free_port())}, none_of_ours.guard)
        with pytest.raises(StartError, match=r"(?s)sandbox does not become ready.*SANDBOX_HOST"):
            exposed.start("sandbox")
        exposed.stop()
