"""Production refuses what would be harmless elsewhere, by the variable's name."""

import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.config.production import FILLED_IN, ROOT, production


def read_settings(changes: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What happens to a process that reads its settings."""
    return _run(changes, "-c", "import config.settings")


def check(changes: Mapping[str, str] | None = None) -> str:
    """What ``manage.py check --deploy`` says."""
    arguments = ("manage.py", "check", "--deploy", "--fail-level=WARNING")
    done = _run(changes or {}, *arguments)
    return done.stdout + done.stderr


def _run(changes: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=production(changes),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


class TestTheSettings:
    def test_are_read_when_the_example_is_filled_in(self) -> None:
        done = read_settings({})
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize(
        ("changes", "word"),
        [
            ({"SECRET_KEY": ""}, "Set SECRET_KEY"),
            ({"SECRET_KEY": "short"}, "Set SECRET_KEY"),
            ({"SECRET_KEY": "not-a-secret-secret_key" + "-" * 40}, "Set SECRET_KEY"),
            ({"SECRET_KEY": "ab" * 32}, "Set SECRET_KEY"),
            ({"JWT_SIGNING_KEY": ""}, "Set JWT_SIGNING_KEY"),
            ({"JWT_SIGNING_KEY": FILLED_IN["SECRET_KEY"]}, "SECRET_KEY and JWT_SIGNING_KEY must"),
            ({"FIELD_ENCRYPTION_KEYS": ""}, "Set FIELD_ENCRYPTION_KEYS"),
            ({"FIELD_ENCRYPTION_KEYS": "abc"}, "FIELD_ENCRYPTION_KEYS holds something"),
            ({"METRICS_TOKEN": "short"}, "Set METRICS_TOKEN"),
            ({"DATABASE_URL": ""}, "Set DATABASE_URL"),
            ({"DATABASE_URL": "postgres://payments:password@127.0.0.1/x"}, "DATABASE_URL needs"),
            ({"REDIS_URL": ""}, "Set REDIS_URL"),
            ({"REDIS_URL": "redis://127.0.0.1:6379/0"}, "REDIS_URL needs"),
            ({"BASE_URL": ""}, "Set BASE_URL"),
            ({"BASE_URL": "http://pay.example.com"}, "BASE_URL must start with https://"),
            ({"DEBUG": "true"}, "DEBUG is set"),
            ({"SANDBOX_URL": "http://127.0.0.1:8100"}, "SANDBOX_URL is set"),
            ({"GATEWAY_ACCOUNTS": "Stripe-2=stripe"}, "GATEWAY_ACCOUNTS names 'Stripe-2'"),
            ({"GATEWAY_ACCOUNTS": "momo=stripe"}, "GATEWAY_ACCOUNTS names 'momo'"),
            (
                {"GATEWAY_ACCOUNTS": "stripe_secret=stripe"},
                "STRIPE_SECRET_KEY of stripe would be its own",
            ),
            (
                {"GATEWAY_ACCOUNTS": "stripe_us=strip"},
                "GATEWAY_ACCOUNTS gives stripe_us to 'strip'",
            ),
        ],
    )
    def test_are_refused_by_the_name_of_what_is_wrong(
        self, changes: dict[str, str], word: str
    ) -> None:
        done = read_settings(changes)
        assert done.returncode != 0
        assert word in done.stderr

    def test_are_refused_without_repeating_a_key(self) -> None:
        done = read_settings({"FIELD_ENCRYPTION_KEYS": "a-mistyped-secret"})
        assert "a-mistyped-secret" not in done.stderr

    def test_are_those_of_production_when_nobody_says_which(self) -> None:
        done = read_settings({"DJANGO_ENV": "", "SECRET_KEY": ""})
        assert "Set SECRET_KEY" in done.stderr


class TestTheDeploymentCheck:
    def test_has_nothing_to_say_about_the_example_filled_in(self) -> None:
        assert "no issues" in check()

    def test_names_everything_that_is_wrong_at_once(self) -> None:
        said = check(
            {
                "ALLOWED_HOSTS": "other.example.com",
                "TRUSTED_PROXIES": "0",
                "EMAIL_URL": "consolemail://",
                "SHOP_DOMAIN": "localhost",
                "STRIPE_SECRET_KEY": "sk_test_0123456789abcdef",
                "STRIPE_API_BASE": "http://127.0.0.1:8100",
                "VNPAY_TMN_CODE": "short",
                "METHOD_GATEWAYS": "card=nobody,paypal=paypal,vnpay=momo",
                "RETURN_ORIGINS": "https://shop.example.com/thanks,http://shop.example.com",
            }
        )
        for number in (
            "config.E002", "config.W001", "config.W002", "config.W003", "payments.E001",
            "payments.E002", "payments.E003", "payments.E004", "payments.W001", "payments.W003",
        ):  # fmt: skip
            assert number in said, number
        assert "VNPAY_TMN_CODE" in said
        assert "STRIPE_API_BASE" in said

    def test_misses_a_way_of_paying(self) -> None:
        keys = ("STRIPE_SECRET_KEY", "VNPAY_TMN_CODE", "PAYPAL_CLIENT_ID", "MOMO_PARTNER_CODE")
        assert "payments.W002" in check(dict.fromkeys(keys, ""))

    def test_misses_a_thread_for_each_queue(self) -> None:
        assert "payments.W004" in check({"WORKER_THREADS": "6"})
        assert "payments.W004" not in check({"WORKER_THREADS": "7"})

    def test_counts_the_queue_of_a_further_account(self) -> None:
        further = {"GATEWAY_ACCOUNTS": "stripe_us=stripe", "WORKER_THREADS": "7"}
        assert "payments.W004" in check(further)

    def test_refuses_one_account_under_two_names(self) -> None:
        own = {
            f"MOMO_B_{key}": FILLED_IN[f"MOMO_{key}"]
            for key in ("PARTNER_CODE", "ACCESS_KEY", "SECRET_KEY")
        }
        said = check(own | {"GATEWAY_ACCOUNTS": "momo_b=momo"})
        assert "payments.E005" in said
        assert "MOMO_B_" in said
        other = {"MOMO_B_PARTNER_CODE": "MOMOSHOP5678"}
        assert "no issues" in check(own | other | {"GATEWAY_ACCOUNTS": "momo_b=momo"})

    def test_misses_the_id_of_each_of_several_accounts_whose_keys_have_none(self) -> None:
        accounts = {"GATEWAY_ACCOUNTS": "stripe_b=stripe,stripe_c=stripe"} | {
            f"STRIPE_{one}_{key}": f"{FILLED_IN[f'STRIPE_{key}']}{one}"
            for one in "BC"
            for key in ("SECRET_KEY", "WEBHOOK_SECRETS")
        }
        said = check(accounts | {"STRIPE_B_ACCOUNT": "acct_b"})
        assert said.count("payments.E006") == 2
        assert "Set STRIPE_ACCOUNT " in said
        assert "Set STRIPE_C_ACCOUNT " in said
        ids = {"STRIPE_ACCOUNT": "acct_a", "STRIPE_B_ACCOUNT": "acct_b"}
        assert "payments.E005" in check(accounts | ids | {"STRIPE_C_ACCOUNT": "acct_b"})
        assert "no issues" in check(accounts | ids | {"STRIPE_C_ACCOUNT": "acct_c"})

    def test_refuses_every_host(self) -> None:
        assert "config.E001" in check({"ALLOWED_HOSTS": "*"})
