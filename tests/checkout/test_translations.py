"""The Vietnamese catalogue: complete, in step with the sources, and compiled.

The compiled file is committed because a target machine may lack gettext; so it is compared here
without gettext.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "locale" / "vi" / "LC_MESSAGES"
PYTHON = (
    "api/errors.py", "payments/routing/support.py", "checkout/forms.py",
    "checkout/wording.py", "payments/reasons.py",
)  # fmt: skip
TEMPLATES = (
    "accounts/templates", "checkout/templates", "notifications/templates", "templates/errors",
    "templates/forms",
)  # fmt: skip
CALL = re.compile(r"\b(?:_|gettext)\(\s*((?:u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\s*)+)\)")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


@cache
def catalogue() -> Catalog:
    with (FOLDER / "django.po").open("rb") as file:
        return read_po(file, locale="vi")


def translations() -> dict[str, str]:
    return {str(entry.id): str(entry.string) for entry in catalogue() if entry.id}


def sources() -> Iterator[str]:
    yield from ((ROOT / name).read_text() for name in PYTHON)
    files = [ROOT / "templates" / "base.html"]
    for name in TEMPLATES:
        files += (path for path in (ROOT / name).rglob("*") if path.suffix in {".html", ".txt"})
    yield from (templatize(path.read_text(), str(path)) for path in files)


def messages() -> set[str]:
    """Every text that the sources ask gettext for."""
    found = (match[1] for source in sources() for match in CALL.finditer(source))
    return {ast.literal_eval(f"({text})") for text in found}


class TestVietnamese:
    def test_has_every_text_of_the_sources_and_no_other(self) -> None:
        assert set(translations()) == messages()

    def test_leaves_no_text_untranslated_or_doubtful(self) -> None:
        assert [text for text, theirs in translations().items() if not theirs.strip()] == []
        assert [entry.id for entry in catalogue() if entry.id and entry.fuzzy] == []

    @pytest.mark.parametrize("text", sorted(translations()))
    def test_keeps_every_placeholder(self, text: str) -> None:
        theirs = translations()[text]
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(theirs))

    def test_is_compiled_as_it_is_written(self) -> None:
        with (FOLDER / "django.mo").open("rb") as file:
            compiled = {str(entry.id): str(entry.string) for entry in read_mo(file) if entry.id}
        assert compiled == translations()
