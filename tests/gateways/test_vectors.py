"""Test vectors that others made: vendors, their samples, independent libraries.

``--vectors FILE`` (repeatable) names other files of the same two shapes. A group that tells how a
gateway behaves inside, or a gateway that we do not have, is skipped by name, and the end of the run
lists the names. A file without a single row is an error.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.gateways.local_server import LocalServer
from tests.gateways.vector_checks import momo, paypal, stripe, vnpay
from tests.gateways.vector_checks.rows import NOT_OURS, Check, Row

_OWN: Final = Path(__file__).parent / "vectors"


class Case(NamedTuple):
    """One row, the group it stands in, and the section of the file around it."""

    gateway: str
    group: str
    row: Row
    section: Row


def _rows(file: Path) -> Iterator[Case]:
    """Every row of a file. Raises UsageError for a file in which there are none."""
    content = json.loads(file.read_text(encoding="utf-8"))
    cases = [Case(row["gateway"], row["operation"], row, content) for row in _listed(content)]
    for gateway, section in content.items():
        if isinstance(section, dict):
            cases += _grouped(gateway, section)
    if not cases:
        raise pytest.UsageError(f"{file} holds no test vectors in either of the two shapes")
    yield from cases


def _listed(content: Row) -> list[Row]:
    rows: list[Row] = content.get("vectors", [])
    return rows


def _grouped(gateway: str, section: Row) -> Iterator[Case]:
    for group, rows in section.items():
        # What is neither a list nor a group of its own says something about the others.
        found = rows if isinstance(rows, list) else [rows] if isinstance(rows, dict) else []
        yield from (Case(gateway, group, row, section) for row in found)


_CHECKS: Final[Mapping[str, Mapping[str, Check]]] = {
    "vnpay": vnpay.CHECKS,
    "momo": momo.CHECKS,
    "paypal": paypal.CHECKS,
    "stripe": stripe.CHECKS,
}
# A row of this group that only describes its input in words.
_IN_WORDS: Final = "input_text"


def _parameter(case: Case) -> Any:
    name = str(case.row.get("id", case.group))
    if case.group in _CHECKS.get(case.gateway, {}) and _IN_WORDS not in case.row:
        return pytest.param(case, id=name)
    reason = f"{NOT_OURS} {case.gateway} {case.group}"
    return pytest.param(case, id=name, marks=pytest.mark.skip(reason=reason))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    named = [Path(name) for name in metafunc.config.getoption("--vectors")]
    files = named or sorted(_OWN.glob("*.json"))
    cases = [_parameter(case) for file in files for case in _rows(file)]
    metafunc.parametrize("case", cases)


class TestVectors:
    def test_agree_with_us(self, case: Case, server: LocalServer) -> None:
        _CHECKS[case.gateway][case.group](case.row, case.section, server)
