"""Documents that come from the code are committed as the code writes them; links lead somewhere."""

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from api import generated_docs
from api.error_codes import FIELD_CODES, error_codes
from api.generated_docs import ENV_EXAMPLE, Setting, read_settings
from payments.models import CaseKind

ROOT = Path(settings.BASE_DIR)
APPS = (
    "accounts", "api", "audit", "backoffice", "checkout", "config", "durable", "gateways", "money",
    "notifications", "ops", "orders", "payments", "privacy", "sandbox",
)  # fmt: skip
# env.str("NAME"), secret("NAME") and the like, and what the sandbox takes from its mapping.
READS = re.compile(
    r"(?:\benv(?:\.\w+)?\(|secret\(|_url\(|_keys\(|_production\(|env\.get\(|env\[|environ\.get\()"
    r"\s*\"([A-Z][A-Z0-9_]+)\""
)
# Read under names that are made from a gateway's name.
GATEWAY_PREFIXES = ("STRIPE_", "VNPAY_", "PAYPAL_", "MOMO_", "SANDBOX_WEBHOOK_")
# Read by libraries, by programs around the product, or by the compose file alone.
READ_ELSEWHERE = {
    "PORT", "DATA_DIR", "DEMO_PASSWORD", "PROMETHEUS_MULTIPROC_DIR", "POSTGRES_PASSWORD",
    "REDIS_PASSWORD", "ENV_FILE", "PAYMENTS_VERSION", "WEB_WORKERS",
}  # fmt: skip
# Said by Django or our own programs to each other, never set by an operator.
NOT_FOR_OPERATORS = {"DJANGO_SETTINGS_MODULE", "GRANIAN_PORT"}


def all_settings() -> list[Setting]:
    """What ``.env.example`` explains."""
    return list(read_settings(ENV_EXAMPLE.read_text(encoding="utf-8")))


def variables_read() -> Iterator[str]:
    """Every variable that the code asks for by name."""
    for app in APPS:
        for file in (ROOT / app).rglob("*.py"):
            yield from READS.findall(file.read_text(encoding="utf-8"))


class TestGeneratedDocuments:
    @pytest.mark.parametrize("path", sorted(generated_docs.documents()))
    def test_are_committed_as_the_code_writes_them(self, path: str) -> None:
        committed = (ROOT / path).read_text(encoding="utf-8")
        assert committed == generated_docs.documents()[path](), "run manage.py write_docs"

    def test_are_written_by_one_command(self, tmp_path: Path, settings: Settings) -> None:
        (tmp_path / "docs").mkdir()
        settings.BASE_DIR = tmp_path
        with pytest.raises(CommandError, match=r"docs/states\.md"):
            call_command("write_docs", "--check")
        call_command("write_docs", stdout=StringIO())
        call_command("write_docs", "--check")

    def test_name_every_gateway_and_state(self) -> None:
        features = generated_docs.gateway_features_page()
        assert "| stripe | paypal | vnpay | momo |" in features
        assert "| VND |" in features
        assert "    FAILED --> SUCCESS\n" in generated_docs.states_page()


class TestTheExampleOfSettings:
    def test_explains_every_one(self) -> None:
        assert [one.name for one in all_settings() if not one.meaning] == []

    def test_explains_none_twice(self) -> None:
        names = [one.name for one in all_settings()]
        assert sorted(names) == sorted(set(names))

    def test_knows_every_variable_that_is_read(self) -> None:
        known = {one.name for one in all_settings()}
        assert set(variables_read()) - known - NOT_FOR_OPERATORS == set()

    def test_knows_none_that_nobody_reads(self) -> None:
        read = set(variables_read()) | READ_ELSEWHERE
        unread = [one.name for one in all_settings() if one.name not in read]
        assert [name for name in unread if not name.startswith(GATEWAY_PREFIXES)] == []


class TestErrorCodes:
    def test_have_a_place_on_the_page_that_problems_lead_to(
        self, client: Client, anonymous: APIClient
    ) -> None:
        link = urlsplit(anonymous.get("/payments").json()["type"])
        assert (link.path, link.fragment) == ("/docs/errors", "not_authenticated")
        page = client.get(link.path).content.decode()
        for error in error_codes():
            assert f'id="{error.code}"' in page

    def test_include_every_code_that_the_apis_source_names(self) -> None:
        known = {error.code for error in error_codes()} | set(FIELD_CODES)
        roots = {"payment_error", "order_error", "error"}
        named: set[str] = set()
        for file in ("orders/errors.py", "payments/errors.py", "orders/fields.py",
                     "payments/api/serializers.py", "payments/api/views.py", "api/errors.py",
                     "api/problems.py"):  # fmt: skip
            text = (ROOT / file).read_text(encoding="utf-8")
            named |= set(re.findall(r"\bcode ?= ?\"(\w+)\"", text))
            named |= set(
                re.findall(
                    r"(?:_answer\(request|_response\(|json_error\(request), ?\d{3}, \"(\w+)\"", text
                )
            )
        assert named - known - roots == set()


class TestTheApisPage:
    def test_loads_nothing_from_elsewhere(self, client: Client) -> None:
        page = client.get("/docs").content.decode()
        sources = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
        assert len(sources) >= 4
        assert [source for source in sources if not source.startswith("/")] == []

    def test_keeps_scripts_strict_and_relaxes_styles_for_itself_alone(self, client: Client) -> None:
        policy = client.get("/docs").headers["Content-Security-Policy"]
        assert "style-src 'self' 'unsafe-inline'" in policy
        assert "script-src 'self';" in f"{policy};"
        assert "unsafe-inline" not in client.get("/docs/errors").headers["Content-Security-Policy"]


class TestTheRunbook:
    @pytest.fixture
    def page(self) -> str:
        return (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")

    def test_says_what_to_do_about_every_kind_of_case(self, page: str) -> None:
        assert [kind for kind in CaseKind.values if f"\n| `{kind}` |" not in page] == []

    def test_explains_every_line_that_is_logged_as_a_fault(self, page: str) -> None:
        products = (file for app in APPS if app != "sandbox" for file in (ROOT / app).rglob("*.py"))
        source = "".join(file.read_text(encoding="utf-8") for file in products)
        lines = set(re.findall(r"logger\.(?:warning|error|exception)\(\s*\"(\w+)\"", source))
        assert "adapter_failed" in lines
        assert {line for line in lines if f"`{line}`" not in page} == set()


class TestLinksBetweenDocuments:
    @pytest.mark.parametrize(
        "page",
        sorted(
            str(one.relative_to(ROOT)) for one in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
        ),
    )
    def test_lead_to_files_that_exist(self, page: str) -> None:
        text = (ROOT / page).read_text(encoding="utf-8")
        targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
        local = [
            one for one in targets if one and "://" not in one and not one.startswith("mailto:")
        ]
        assert [one for one in local if not (ROOT / page).parent.joinpath(one).exists()] == []


# Code in backticks that names a file or a folder of this repository: payments/states.py, checkout/.
PATHS = re.compile(r"`((?:[a-z_]+/)+(?:[\w.-]+)?|[a-z_]+\.py)(?:::\w+)?`")


class TestPathsInDocuments:
    @pytest.mark.parametrize(
        "page",
        [
            "ARCHITECTURE.md",
            "CONTRIBUTING.md",
            "README.md",
            *sorted(f"docs/{one.name}" for one in ROOT.glob("docs/*.md")),
        ],
    )
    def test_exist(self, page: str) -> None:
        tops = {one.name for one in ROOT.iterdir() if one.is_dir()} - {"var"}
        named = PATHS.findall((ROOT / page).read_text(encoding="utf-8"))
        ours = [path for path in named if path.partition("/")[0] in tops]
        assert [path for path in ours if not (ROOT / path).exists()] == []

    def test_are_found_in_the_map(self) -> None:
        text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
        assert "payments/services/create.py" in PATHS.findall(text)
        assert len(PATHS.findall(text)) > 20
