"""The embedded servers: what they keep, what they survive, and that nothing outlives them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from signal import SIGKILL

import psycopg2
import pytest
import redis

from local import servers
from local.child import wait_until
from local.errors import AlreadyRunningError, NotOursError
from local.guard import has_ended

ORPHAN_LIMIT_S = 15.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that the servers' account may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Servers]:
    with servers.start(tmp_path_factory.mktemp("servers"), durable=False) as started:
        yield started


def one_value(url: str, statement: str) -> object:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        connection.commit()
    assert row is not None
    return row[0]


class TestPostgres:
    def test_orders_and_folds_text_alike_on_every_machine(self, running: servers.Servers) -> None:
        assert one_value(running.database_url, "SELECT lower('ĐẶNG')") == "đặng"
        assert one_value(running.database_url, "SELECT 'a' < 'B'") is False

    def test_refuses_a_wrong_password(self, running: servers.Servers) -> None:
        address = running.database_url.split("@")[1]
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(f"postgres://payments:guess@{address}")

    def test_gives_the_product_no_superuser(self, running: servers.Servers) -> None:
        assert one_value(running.database_url, "SHOW is_superuser") == "off"

    def test_keeps_what_was_committed_before_a_kill(self, running: servers.Servers) -> None:
        one_value(running.database_url, "CREATE TABLE kept AS SELECT 7 AS n; SELECT 1")
        running.kill_postgres()
        running.start_postgres()
        assert one_value(running.database_url, "SELECT n FROM kept") == 7


class TestValkey:
    def test_refuses_a_client_without_password(self, running: servers.Servers) -> None:
        address = running.redis_url.split("@")[1]
        with (
            redis.Redis.from_url(f"redis://{address}") as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()

    def test_keeps_its_keys_over_a_kill_and_loses_them_when_flushed(
        self, running: servers.Servers
    ) -> None:
        with redis.Redis.from_url(running.redis_url) as client:
            client.set("key", "value")
        running.kill_redis()
        running.start_redis()
        with redis.Redis.from_url(running.redis_url) as client:
            assert client.get("key") == b"value"
            running.flush_redis()
            assert client.get("key") is None

    def test_would_rather_refuse_a_write_than_drop_a_message(
        self, running: servers.Servers
    ) -> None:
        with redis.Redis.from_url(running.redis_url) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


class TestStart:
    def test_finds_durable_data_again(self, folder: Path) -> None:
        with servers.start(folder, durable=True) as first:
            assert one_value(first.database_url, "SHOW fsync") == "on"
            one_value(first.database_url, "CREATE TABLE kept AS SELECT 7 AS n; SELECT 1")
        with servers.start(folder, durable=True) as second:
            assert one_value(second.database_url, "SELECT n FROM kept") == 7

    def test_keeps_no_throwaway_data(self, folder: Path) -> None:
        with servers.start(folder, durable=False) as started:
            assert started.home.exists()
        assert not started.home.exists()

    def test_keeps_root_out_of_sight_of_the_servers(self, folder: Path) -> None:
        folder.chmod(0o700)
        with servers.start(folder, durable=False) as started:
            assert one_value(started.database_url, "SELECT 1") == 1
            as_root = os.geteuid() == 0
            assert started.home.is_relative_to(folder) is not as_root
            assert folder.stat().st_mode & 0o777 == 0o700

    def test_says_who_holds_the_folder(self, folder: Path) -> None:
        given = {"database_url": "postgres://other", "redis_url": "redis://other"}
        with (
            servers.start(folder, durable=True, **given),
            pytest.raises(AlreadyRunningError, match=f"pid {os.getpid()}"),
            servers.start(folder, durable=True, **given),
        ):
            pass

    def test_starts_nothing_that_was_given(self, folder: Path) -> None:
        given = {"database_url": "postgres://other", "redis_url": "redis://other"}
        with servers.start(folder, durable=True, **given) as started:
            assert started.running() == []
            assert started.database_url == "postgres://other"
            with pytest.raises(NotOursError):
                started.kill_postgres()

    def test_leaves_no_server_behind_when_its_process_is_killed(self, folder: Path) -> None:
        script = (
            "import sys, time; from pathlib import Path; from local.servers import start\n"
            "with start(Path(sys.argv[1]), durable=False) as s:\n"
            "    print(s.postgres.pid, s.redis.pid, flush=True); time.sleep(600)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True
        ) as launcher:
            assert launcher.stdout is not None
            pids = [int(word) for word in launcher.stdout.readline().split()]
            os.kill(launcher.pid, SIGKILL)
        assert len(pids) == 2
        assert wait_until(lambda: all(map(has_ended, pids)), limit_s=ORPHAN_LIMIT_S)
        assert wait_until(lambda: not (folder / "servers").exists(), limit_s=ORPHAN_LIMIT_S)
