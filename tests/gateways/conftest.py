"""The gateways emulated here, a server for HTTP faults, and the option that names test vectors."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.gateways.local_server import LocalServer
from tests.gateways.vector_checks.rows import NOT_OURS
from tests.sandbox.sandbox_process import SandboxProcess, Shop


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--vectors",
        action="append",
        default=[],
        metavar="FILE",
        help="test vectors (JSON) to check instead of those in tests/gateways/vectors; repeatable",
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the kinds of vectors that nothing here has looked at, whatever the verbosity."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)]
    kinds = Counter(reason.rpartition(NOT_OURS)[2] for reason in reasons if NOT_OURS in reason)
    if kinds:
        terminalreporter.section("vectors not checked, because our adapters have nothing like it")
        for kind, number in sorted(kinds.items()):
            terminalreporter.line(f"{number:4}{kind}")


@pytest.fixture
def server() -> Iterator[LocalServer]:
    local = LocalServer()
    yield local
    local.close()


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Where the webhooks of the gateways that are emulated arrive."""
    with Shop() as shop:
        yield shop


@pytest.fixture(scope="module")
def started(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    webhooks = f"http://127.0.0.1:{shop.port}/webhooks"
    sandbox = SandboxProcess(tmp_path_factory.mktemp("sandbox"), webhooks).start()
    yield sandbox
    sandbox.end()
    sandbox.http.close()


@pytest.fixture
def sandbox(started: SandboxProcess) -> Iterator[SandboxProcess]:
    """All gateways, emulated on this machine: they approve at once unless a test says otherwise."""
    started.behaviour(gateway="*", decision="approve", decide_after_ms=0)
    yield started
    started.control("reset")
