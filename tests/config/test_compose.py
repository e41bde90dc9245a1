"""The container setup. No Docker runs here: the file is checked against its published schema, and
what its services run is run for real, with the settings of production.
"""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import jsonschema
import psycopg2
import pytest
from django.conf import settings

from accounts.roles import ROLES
from local.ports import free_port
from tests.config.compose import command_of, compose, health_command_of, run, schema
from tests.config.production import ROOT, example, production
from tests.e2e.shop import Reply, eventually, send

OURS: Final = ("migrate", "web", "worker", "beat")
DEMO: Final = ("seed", "sandbox")
SERVERS: Final = ("postgres", "redis")
TLS_AT_THE_PROXY: Final = {"X-Forwarded-Proto": "https"}
STOP_LIMIT_S: Final = 30


class TestTheComposeFile:
    def test_follows_the_published_schema(self) -> None:
        jsonschema.Draft7Validator(schema()).validate(compose())

    @pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "REDIS_PASSWORD"])
    def test_wants_every_password(self, name: str) -> None:
        filled_in = {"POSTGRES_PASSWORD": "a", "REDIS_PASSWORD": "b"} | {name: ""}
        with pytest.raises(LookupError, match=name):
            compose(filled_in)

    def test_has_these_services_and_no_others(self) -> None:
        assert sorted(compose()["services"]) == sorted([*OURS, *DEMO, *SERVERS])

    @pytest.mark.parametrize("name", [*OURS, *DEMO])
    def test_gives_a_service_of_ours_no_more_than_it_needs(self, name: str) -> None:
        service = compose()["services"][name]
        assert service["user"] == "10001:10001"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]

    @pytest.mark.parametrize("name", ["web", "worker", "beat", "sandbox", *SERVERS])
    def test_asks_every_lasting_service_for_its_health(self, name: str) -> None:
        assert compose()["services"][name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}

    def test_lets_nobody_reach_a_port_but_this_machine(self) -> None:
        for name, service in compose()["services"].items():
            for port in service.get("ports", []):
                assert port.startswith("127.0.0.1:"), name

    def test_keeps_the_servers_off_the_outside(self) -> None:
        document = compose()
        assert document["networks"]["inside"] == {"internal": True}
        for name in SERVERS:
            assert document["services"][name]["networks"] == ["inside"]

    def test_starts_the_sandbox_and_its_accounts_only_in_the_demo(self) -> None:
        profiles = {name: one.get("profiles") for name, one in compose()["services"].items()}
        assert {name for name, chosen in profiles.items() if chosen == ["demo"]} == set(DEMO)
        assert all(profiles[name] is None for name in (*OURS, *SERVERS))

    def test_names_only_variables_that_the_example_explains(self) -> None:
        documented = (ROOT / ".env.example").read_text(encoding="utf-8")
        asked: set[str] = set()

        class Recorder(dict[str, str]):
            def get(self, name: str, default: object = None) -> str:
                asked.add(name)
                return "x"

        compose(Recorder())
        assert [name for name in sorted(asked) if f"{name}=" not in documented] == []


class TestTheDemo:
    def test_brings_settings_that_the_product_takes(self, demo: dict[str, str]) -> None:
        done = run(["python", "manage.py", "check"], production() | demo)
        assert done.returncode == 0, done.stderr

    def test_has_settings_that_production_refuses(self, demo: dict[str, str]) -> None:
        done = run(["python", "manage.py", "check"], production() | demo | {"DJANGO_ENV": ""})
        assert "ImproperlyConfigured" in done.stderr

    def test_is_refused_by_the_sandbox_in_production(self, demo: dict[str, str]) -> None:
        done = run(["python", "-m", "sandbox"], production() | demo | {"DJANGO_ENV": "production"})
        assert done.returncode == 2
        assert "never runs in production" in done.stderr

    @pytest.fixture
    def demo(self) -> dict[str, str]:
        lines = (ROOT / "demo.env").read_text(encoding="utf-8").splitlines()
        pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
        return {name: value for name, _, value in pairs}


class TestTheDockerfile:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    def test_copies_only_what_exists(self) -> None:
        copies = [line.split() for line in self.text.splitlines() if line.startswith("COPY ")]
        sources = [words[1] for words in copies if not words[1].startswith("--")]
        assert sources
        assert [source for source in sources if not (ROOT / source).exists()] == []

    def test_copies_every_app_into_the_product_and_the_sandbox_only_after_it(self) -> None:
        product, _, sandbox = self.text.partition("FROM product AS sandbox")
        apps = {name.split(".")[0] for name in settings.INSTALLED_APPS}
        ours = {app for app in apps if (ROOT / app / "__init__.py").exists()}
        assert [app for app in sorted(ours) if f"COPY {app} {app}" not in product] == []
        assert "COPY sandbox" not in product
        assert "COPY sandbox sandbox" in sandbox

    def test_lets_through_to_the_build_what_it_copies(self) -> None:
        allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        copies = [line.split()[1] for line in self.text.splitlines() if line.startswith("COPY ")]
        missing = [one for one in copies if not one.startswith("--") and f"!{one}" not in allowed]
        assert missing == []

    def test_runs_as_nobody_in_particular(self) -> None:
        users = [line for line in self.text.splitlines() if line.startswith("USER ")]
        assert users[0] == users[-1] == "USER 10001:10001"


class Deployment:
    """The services' own commands, with production's settings, on servers of the suite."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.env = production(
            {
                "DATABASE_URL": database_url,
                "GRANIAN_HOST": "127.0.0.1",
                "GRANIAN_PORT": str(self.port),
                "STATIC_ROOT": str(folder / "static"),
                "BEAT_HEARTBEAT_FILE": str(folder / "beat"),
                "PROMETHEUS_MULTIPROC_DIR": str(folder),
                "PYTHONUNBUFFERED": "1",
            }
        )
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, service: str) -> Path:
        """Run what the service runs; gives the file of its log."""
        log = self.folder / f"{service}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command_of(service), env=self.env, cwd=ROOT, stdout=file, stderr=file
            )
        self._running[service] = process
        return log

    def is_healthy(self, service: str) -> bool:
        """What its own health check says."""
        return run(health_command_of(service), self.env).returncode == 0

    def get(self, path: str, headers: Mapping[str, str] = TLS_AT_THE_PROXY) -> Reply:
        """One request as a proxy of ours would pass it on."""
        address = f"http://127.0.0.1:{self.port}{path}"
        return send("GET", address, headers={"Host": "pay.example.com"} | dict(headers))

    def stop(self, *services: str) -> list[int]:
        """Ask these, or all, to stop as Docker does; gives how they ended."""
        chosen = [self._running.pop(name) for name in services or list(self._running)]
        for process in chosen:
            process.terminate()
        return [process.wait(STOP_LIMIT_S) for process in chosen]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A migrated database of its own; static files collected as the image's build does it."""
    server = psycopg2.connect(production()["DATABASE_URL"])
    server.autocommit = True
    server.cursor().execute("DROP DATABASE IF EXISTS deployment WITH (FORCE)")
    server.cursor().execute("CREATE DATABASE deployment")
    base = production()["DATABASE_URL"].rpartition("/")[0]
    made = Deployment(tmp_path_factory.mktemp("deployment"), f"{base}/deployment")
    for command in (command_of("migrate"), ["python", "manage.py", "collectstatic", "--noinput"]):
        done = run(command, made.env)
        assert done.returncode == 0, done.stderr
    yield made
    made.stop()
    server.cursor().execute("DROP DATABASE deployment WITH (FORCE)")
    server.close()


@pytest.fixture(scope="module")
def web(deployment: Deployment) -> Deployment:
    """With its web service up and well, which it was not before."""
    assert not deployment.is_healthy("web")
    deployment.start("web")
    eventually(lambda: deployment.is_healthy("web"))
    return deployment


class TestTheMigration:
    def test_leaves_the_roles_of_the_staff_behind(self, deployment: Deployment) -> None:
        with closing(psycopg2.connect(deployment.env["DATABASE_URL"])) as server:
            at = server.cursor()
            at.execute(
                "SELECT g.name FROM auth_group g JOIN auth_group_permissions p ON p.group_id = g.id"
                " GROUP BY g.name ORDER BY g.name"
            )
            assert [name for (name,) in at.fetchall()] == sorted(ROLES)


class TestTheWebService:
    def test_serves_behind_its_proxy(self, web: Deployment) -> None:
        assert web.get("/livez").json == {"status": "ok"}
        assert web.get("/products").json == {"results": [], "next": None, "previous": None}

    def test_serves_its_static_files_under_names_that_change_with_them(
        self, web: Deployment
    ) -> None:
        page = web.get("/login")
        assert page.status == 200
        style = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
        assert style.startswith("/static/site/site.")
        assert style != "/static/site/site.css"
        assert web.get(style).status == 200

    def test_sends_plain_requests_to_https(self, web: Deployment) -> None:
        moved = web.get("/products", headers={})
        assert moved.status == 301
        assert moved.headers["location"] == "https://pay.example.com/products"

    def test_refuses_a_foreign_host(self, web: Deployment) -> None:
        answer = web.get("/products", {**TLS_AT_THE_PROXY, "Host": "evil.example.com"})
        assert answer.status == 400

    def test_adds_the_figures_of_its_processes_up(self, web: Deployment) -> None:
        web.get("/products")
        token = {"Authorization": f"Bearer {web.env['METRICS_TOKEN']}"}
        answer = web.get("/metrics", token)
        assert answer.status == 200
        assert 'http_request_duration_seconds_count{method="GET",route="/products"' in answer.text
        assert "payments_database_up 1.0" in answer.text
        assert web.get("/metrics").status == 404


class TestTheServicesInTheBackground:
    def test_become_healthy_and_stop_when_they_are_asked_to(self, deployment: Deployment) -> None:
        assert not deployment.is_healthy("beat")
        worker_log, beat_log = deployment.start("worker"), deployment.start("beat")
        eventually(lambda: deployment.is_healthy("beat"))
        eventually(lambda: b"ready." in worker_log.read_bytes())
        assert deployment.is_healthy("worker"), worker_log.read_text()
        assert deployment.stop("worker", "beat") == [0, 0]
        assert "Traceback" not in worker_log.read_text() + beat_log.read_text()


def test_the_example_names_every_secret_without_giving_one() -> None:
    given = example()
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEYS", "STRIPE_SECRET_KEY"):
        assert given[name] == ""
