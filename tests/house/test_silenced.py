"""A check that is silenced says why, on the same line."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# Put together, or this line would be one of those that it looks for.
UNEXPLAINED = re.compile("# no" + r"qa\b(?!: [A-Z]+\d+(?:, [A-Z]+\d+)* - \S)")


def sources() -> Iterator[Path]:
    """Every Python file of ours: data and environments lie in hidden folders or in ``var``."""
    yield from ROOT.glob("*.py")
    for folder in ROOT.iterdir():
        if folder.is_dir() and not folder.name.startswith(".") and folder.name != "var":
            yield from folder.rglob("*.py")


class TestASilencedCheck:
    def test_names_the_rule_and_the_reason(self) -> None:
        assert [
            f"{path.relative_to(ROOT)}:{number}"
            for path in sources()
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if UNEXPLAINED.search(line)
        ] == []
