"""The local server for HTTP faults, and the option that names test vectors."""

from collections.abc import Iterator

import pytest

from tests.gateways.local_server import LocalServer


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--vectors",
        action="append",
        default=[],
        metavar="FILE",
        help="test vectors (JSON) to check instead of those in tests/gateways/vectors; repeatable",
    )


@pytest.fixture
def server() -> Iterator[LocalServer]:
    local = LocalServer()
    yield local
    local.close()
