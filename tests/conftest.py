"""Shared fixtures, and how the suite is shared out among processes.

Suites that need no Django run without its fixtures (``-p no:django``).
"""

import os
from pathlib import PurePosixPath
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.fixtures"] if "DJANGO_SETTINGS_MODULE" in os.environ else []

# What runs whole products of its own is begun first: the longest pieces of work must not be the
# last that one process is left alone with.
LONG: Final = ("e2e", "browser", "bench", "local", "gateways")
# The files of these share one running product, and with it the process that tests them;
TOGETHER: Final = ("e2e", "browser")
# but for those that run a product of their own.
APART: Final = ("tests/e2e/test_accounts.py", "tests/e2e/test_hanging.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After any shuffle: put what takes long first."""
    items.sort(key=lambda item: _rank(_folder(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand the tests out by file or folder, in the order of the collection."""
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _share
    return scheduler


def _share(nodeid: str) -> str:
    """What one process does as a whole: the file of a test, or its folder."""
    file, folder = nodeid.partition("::")[0], _folder(nodeid)
    return folder if folder in TOGETHER and file not in APART else file


def _folder(nodeid: str) -> str:
    """The folder below ``tests`` of a test."""
    return PurePosixPath(nodeid.partition("::")[0]).parts[1]


def _rank(folder: str) -> int:
    return LONG.index(folder) if folder in LONG else len(LONG)
