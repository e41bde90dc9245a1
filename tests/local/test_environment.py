"""The settings that are made for a stack, and the file that names them all."""

import ast
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import environ
import pytest

from local import environment

ROOT = Path(environment.__file__).resolve().parent.parent
ADDRESSES = environment.Addresses(
    database_url="postgres://database", redis_url="redis://redis", port=8001, sandbox_port=8101
)
AWKWARD = {"NAME": "a b'c\"d\\e$f`g", "PLAIN": "whsec_1,whsec_2", "EMPTY": ""}
READERS = {"secret", "required_in_production", "server_url", "public_url", "encryption_keys"}


def build(folder: Path, given: dict[str, str] | None = None) -> dict[str, str]:
    return environment.build("local", data_dir=folder, addresses=ADDRESSES, given=given or {})


class TestBuild:
    def test_keeps_its_secrets_for_the_next_start(self, tmp_path: Path) -> None:
        assert build(tmp_path) == build(tmp_path)

    def test_makes_other_secrets_for_another_stack(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        assert build(tmp_path / "a")["SECRET_KEY"] != build(tmp_path / "b")["SECRET_KEY"]

    def test_shows_its_secrets_to_their_owner_alone(self, tmp_path: Path) -> None:
        build(tmp_path)
        mode = (tmp_path / environment.SECRETS_FILE).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600

    def test_prefers_what_is_given(self, tmp_path: Path) -> None:
        settings = build(tmp_path, {"BASE_URL": "https://shop.vn", "DEMO_PASSWORD": ""})
        assert settings["BASE_URL"] == "https://shop.vn"
        assert len(settings["DEMO_PASSWORD"]) == 16

    def test_keeps_whatever_else_is_given_for_manage_py(self, tmp_path: Path) -> None:
        given = {
            "GATEWAY_ACCOUNTS": "stripe_us=stripe",
            "METHOD_GATEWAYS": "card=stripe|stripe_us",
            "STRIPE_US_SECRET_KEY": "sk_test_us",
        }
        settings = build(tmp_path, given | {"HOME": "/root", "SHOP_NAME": ""})
        assert {name: settings[name] for name in given} == given
        assert "HOME" not in settings
        assert "SHOP_NAME" not in settings

    def test_never_takes_production_from_the_callers_shell(self, tmp_path: Path) -> None:
        assert build(tmp_path, {"DJANGO_ENV": "production"})["DJANGO_ENV"] == "local"

    def test_hands_out_no_keys_of_a_gateway_that_is_not_played(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "vnpay").mkdir()
        monkeypatch.setattr(environment, "SANDBOX", tmp_path)
        settings = build(tmp_path)
        assert len(settings["VNPAY_TMN_CODE"]) == 8
        assert "STRIPE_SECRET_KEY" not in settings

    def test_makes_a_mail_address_that_names_the_folder(self, tmp_path: Path) -> None:
        url = build(tmp_path)["EMAIL_URL"]
        folder = environ.Env.email_url_config(url)["EMAIL_FILE_PATH"]
        assert folder == str(tmp_path / "mail")


class TestWrite:
    def test_is_read_alike_by_the_settings(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(environ.Env, "ENVIRON", {})
        environment.write(tmp_path / "run.env", AWKWARD)
        environ.Env.read_env(tmp_path / "run.env")
        assert environ.Env.ENVIRON == AWKWARD

    def test_is_read_alike_by_a_shell(self, tmp_path: Path) -> None:
        environment.write(tmp_path / "run.env", AWKWARD)
        shown = subprocess.run(
            ["sh", "-c", f'. {tmp_path}/run.env; printf %s "$NAME"'],
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": os.defpath},
        ).stdout
        assert shown == AWKWARD["NAME"]

    def test_hides_a_file_that_stood_open(self, tmp_path: Path) -> None:
        path = tmp_path / "run.env"
        path.touch(mode=0o644)
        environment.write(path, AWKWARD)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


class TestExample:
    def test_names_every_setting_that_the_product_reads(self) -> None:
        read = {name for path in (ROOT / "config").rglob("*.py") for name in settings_in(path)}
        assert {"SECRET_KEY", "DATABASE_URL"} <= read
        assert read - named_in_the_example() == set()

    def test_names_every_setting_that_is_made_here(self, tmp_path: Path) -> None:
        assert set(build(tmp_path)) - named_in_the_example() == set()


def named_in_the_example() -> set[str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return {line.lstrip("#").split("=")[0] for line in lines if "=" in line}


def settings_in(path: Path) -> Iterator[str]:
    """Names that are read by `env.str("NAME")` or by one of our own readers."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        reads = (
            isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "env"
        ) or (isinstance(node.func, ast.Name) and node.func.id in READERS)
        name = node.args[0]
        if reads and isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield name.value
