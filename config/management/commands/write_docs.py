"""``manage.py write_docs``: write the documents that come from the code into ``docs/``."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from api.generated_docs import documents


class Command(BaseCommand):
    """Writes them, or with ``--check`` only says which are out of date."""

    help = "Write the documents that are generated from the code."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare ``--check``."""
        parser.add_argument("--check", action="store_true", help="write nothing, compare")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare every document with its file, and write those that differ."""
        stale = [path for path, write in documents().items() if _read(path) != write()]
        if options["check"] and stale:
            raise CommandError(f"Out of date: {', '.join(stale)}. Run manage.py write_docs.")
        for path in stale:
            _file(path).write_text(documents()[path](), encoding="utf-8")
            self.stdout.write(f"wrote {path}")


def _read(path: str) -> str:
    return _file(path).read_text(encoding="utf-8") if _file(path).exists() else ""


def _file(path: str) -> Path:
    return Path(settings.BASE_DIR) / path
