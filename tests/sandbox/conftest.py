"""One sandbox and one shop for the whole run; every test uses references of its own."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.sandbox_process import SandboxProcess, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def running_shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@pytest.fixture(scope="session")
def running_sandbox(
    running_shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SandboxProcess]:
    sandbox = SandboxProcess(
        tmp_path_factory.mktemp("sandbox"), f"http://127.0.0.1:{running_shop.port}/webhooks"
    ).start()
    yield sandbox
    sandbox.end()
    sandbox.http.close()


@pytest.fixture
def shop(running_shop: Shop) -> Shop:
    running_shop.answers.clear()
    running_shop.received.clear()
    running_shop.answer = (200, b'{"RspCode":"00","Message":"ok"}')
    return running_shop


@pytest.fixture
def acknowledging_shop(shop: Shop) -> Shop:
    """The shop, answering 204: the only status that ends MoMo's retries."""
    shop.answer = (204, b"")
    return shop


@pytest.fixture
def sandbox(running_sandbox: SandboxProcess, shop: Shop) -> Iterator[SandboxProcess]:
    yield running_sandbox
    running_sandbox.control("reset")


@pytest.fixture
def own_shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@pytest.fixture
def own_sandbox(own_shop: Shop, tmp_path: Path) -> Iterator[SandboxProcess]:
    """A sandbox that a test may kill and move through time, with a shop of its own."""
    sandbox = SandboxProcess(
        tmp_path / "book", f"http://127.0.0.1:{own_shop.port}/webhooks"
    ).start()
    yield sandbox
    if sandbox.process is not None and sandbox.process.poll() is None:
        sandbox.end()
    sandbox.http.close()


@pytest.fixture
def reference() -> str:
    return uuid.uuid4().hex
