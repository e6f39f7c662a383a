"""The private PostgreSQL and Redis of the two commands, started for real."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import environ
import kombu
import psycopg2  # type: ignore[import-untyped]
import pytest
import redis
from django.core.cache.backends.redis import RedisCache

from deploy import servers as local
from deploy.processes import Busy, Halt, claim, halt_if_dead, make_folder, processes_working_in
from deploy.servers import Home, Servers

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_given_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Give a folder that every account may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="sz-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def running(place: Path) -> Iterator[Servers]:
    """Keep servers running in a folder with a blank and Chinese in its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("REDIS_URL", raising=False)
        with local.servers(place / "门户 数据", durable=False, say=print) as given:
            yield given


@pytest.fixture(scope="module")
def cluster(place: Path) -> Path:
    """Give a folder whose servers ran once; they hold a table with the row 朔城区."""
    folder = place / "once"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("REDIS_URL", raising=False)
        with local.servers(folder, durable=True, say=print) as given:
            ask(given.database_url, "CREATE TABLE county AS SELECT '朔城区'::text AS name")
            redis.Redis.from_url(given.redis_url).set("county", "朔城区")
    return folder


def start(folder: Path, said: list[str] | None = None) -> AbstractContextManager[Servers]:
    """Start durable servers in the folder; what they say is collected in `said`."""
    return local.servers(folder, durable=True, say=(said if said is not None else []).append)


def ask(database_url: str, sql: str) -> Any:
    """Run one statement; return the first value of the first row."""
    with closing(psycopg2.connect(database_url.replace("postgis://", "postgresql://", 1))) as line:
        line.autocommit = True
        with line.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None


def county(given: Servers) -> Any:
    """Return the row that the cluster was given at first."""
    return ask(given.database_url, "SELECT name FROM county")


# --- what they give ------------------------------------------------------------------------------


def test_database_has_the_extensions_without_a_superuser(running: Servers) -> None:
    url = running.database_url
    role = "SELECT rolname || ' ' || rolsuper FROM pg_roles WHERE rolname = current_user"
    assert ask(url, role) == "portal false"
    ask(url, "DROP DATABASE IF EXISTS another")
    ask(url, "CREATE DATABASE another")
    another = url.replace("/portal?", "/another?")
    assert ask(another, "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension") == (
        "btree_gist pg_trgm pgcrypto plpgsql postgis"
    )
    assert ask(another, "SELECT ST_Area('POLYGON((0 0,0 2,2 2,2 0,0 0))'::geometry)") == 4.0
    # In the locale C this would be empty, and no Chinese search would find anything.
    assert ask(another, "SELECT cardinality(show_trgm('煤矿'))") > 0


def test_database_listens_on_no_port(running: Servers) -> None:
    assert ask(running.database_url, "SHOW listen_addresses") == ""
    assert ask(running.database_url, "SHOW jit") == "off"


def test_database_url_is_read_alike_by_django_and_libpq(running: Servers) -> None:
    read = environ.Env.db_url_config(running.database_url)
    assert read["NAME"] == "portal"
    assert read["USER"] == "portal"
    assert Path(read["OPTIONS"]["host"], ".s.PGSQL.5432").is_socket()
    assert ask(running.database_url, "SELECT current_database()") == "portal"


def test_redis_url_is_read_alike_by_redis_celery_and_django(running: Servers) -> None:
    with redis.Redis.from_url(running.redis_url) as line:
        assert line.ping()
        assert line.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    with kombu.Connection(running.redis_url) as broker:
        queue = broker.SimpleQueue("trial")
        queue.put({"job": 7})
        assert queue.get(timeout=2).payload == {"job": 7}
        queue.close()
    cache = RedisCache(running.redis_url, {})
    cache.set("name", "右玉县")
    assert cache.get("name") == "右玉县"
    cache._cache.get_client().close()


def test_redis_wants_its_password(running: Servers) -> None:
    without = "redis://" + running.redis_url.rpartition("@")[2]
    with (
        redis.Redis.from_url(without) as line,
        pytest.raises(redis.RedisError, match="authenticat"),
    ):
        line.ping()


def test_given_servers_are_used_and_none_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgis://someone@db.example/portal")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")
    with start(tmp_path / "demo") as given:
        assert given == Servers(
            "postgis://someone@db.example/portal", "redis://cache.example/0", []
        )
    assert list(tmp_path.iterdir()) == []


# --- what they survive ---------------------------------------------------------------------------


def test_two_at_once_and_each_stops_only_its_own(running: Servers, cluster: Path) -> None:
    with start(cluster) as second:
        assert county(second) == "朔城区"
        assert second.redis_url != running.redis_url
        assert second.database_url != running.database_url
        pids = [child.process.pid for child in second.children]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert all(child.running() for child in running.children)
    assert ask(running.database_url, "SELECT 1") == 1


@pytest.mark.parametrize("index", [0, 1], ids=["PostgreSQL", "Redis"])
def test_killed_server_is_named_and_starts_again_with_its_data(cluster: Path, index: int) -> None:
    name = ["PostgreSQL", "Redis"][index]
    with start(cluster) as given:
        child = given.children[index]
        assert child.name == name
        child.process.kill()
        child.process.wait()
        with pytest.raises(Halt, match=f"^{name} was killed by SIGKILL"):
            halt_if_dead(given.children)
    with start(cluster) as again:
        assert county(again) == "朔城区"
        with redis.Redis.from_url(again.redis_url) as line:
            assert line.get("county") == "朔城区".encode()


def test_stale_pid_file_with_the_number_of_a_stranger(cluster: Path) -> None:
    data = cluster / "servers" / "postgres"
    owner = data.stat()
    with subprocess.Popen(
        ["sleep", "60"], user=owner.st_uid, group=owner.st_gid, cwd="/"
    ) as stranger:
        pid_file = data / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{data}\n1700000000\n5432\n/nowhere\n\n1 1\nready\n")
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        with start(cluster) as given:
            assert county(given) == "朔城区"
        assert stranger.poll() is None
        stranger.kill()


def test_servers_that_a_killed_run_left_are_stopped_first(cluster: Path) -> None:
    data = cluster / "servers" / "postgres"
    sockets = cluster / "servers" / "socket"
    owner = data.stat()
    left = subprocess.Popen(
        [local.POSTGRES_PROGRAMS / "postgres", "-D", data, "-k", sockets, "-h", ""],
        user=owner.st_uid,
        group=owner.st_gid,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 10
    while left.pid not in processes_working_in(data) and time.monotonic() < deadline:
        time.sleep(0.05)
    said: list[str] = []
    with start(cluster, said) as given:
        assert left.wait(10) == 0
        assert county(given) == "朔城区"
    assert said == ["a PostgreSQL that a killed run had left was stopped"]


def test_servers_die_with_the_command_that_started_them(cluster: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from deploy.servers import servers\n"
        "with servers(Path(sys.argv[1]), durable=True, say=print): print('up', flush=True);"
        " time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(cluster)], cwd=TOP, stdout=subprocess.PIPE
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"up\n"
        command.kill()
        command.wait()
    with start(cluster) as given:
        assert county(given) == "朔城区"


def test_path_too_long_for_a_socket(cluster: Path, place: Path) -> None:
    deep = place
    for part in ("朔州市" * 5, "整治整合" * 4):
        deep = make_folder(deep / part)
    # A stopped cluster may be moved; making another would take longer.
    (cluster / "servers").rename(deep / "servers")
    try:
        with start(deep) as given:
            assert county(given) == "朔城区"
            sockets = Path(environ.Env.db_url_config(given.database_url)["OPTIONS"]["host"])
            assert sockets.parent == Path(tempfile.gettempdir())
            assert sockets.stat().st_mode & 0o777 == 0o700
    finally:
        (deep / "servers").rename(cluster / "servers")
    sockets.rmdir()


def test_foreign_folder_in_the_place_of_the_socket_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("open", "link"):
        with pytest.raises(Halt, match="is not a folder of our own"):
            local.owned_folder(tmp_path / name, None)
    assert local.owned_folder(tmp_path / "new", None).stat().st_mode & 0o777 == 0o700


def test_folder_that_only_root_may_enter(place: Path) -> None:
    closed = make_folder(place / "closed", 0o700)
    folder, outside = closed / "var" / "demo", place / "outside"
    said: list[str] = []
    home = Home.of(folder, say=said.append, outside=outside)
    if os.getuid():  # our own account may enter, and runs the servers
        assert home.data == folder / "servers"
        return
    assert home.account is not None
    assert home.account.name == "postgres"
    assert home.data.parent == outside
    assert home.data.stat().st_uid == home.account.uid
    assert len(said) == 1
    assert str(home.data) in said[0]
    assert Home.of(folder, say=said.append, outside=outside).data == home.data

    # A new checkout at the same path starts empty, and the former one's data is kept.
    (home.data / "mine").touch()
    shutil.rmtree(closed / "var")
    said.clear()
    anew = Home.of(folder, say=said.append, outside=outside)
    assert list(anew.data.iterdir()) == []
    (kept,) = outside.glob(f"{anew.data.name}-until-*")
    assert (kept / "mine").exists()
    assert str(kept) in said[0]


def test_data_moves_out_when_the_folder_is_closed_later(place: Path) -> None:
    closed = make_folder(place / "closed later")
    folder, outside = closed / "demo", place / "outside later"
    inside = Home.of(folder, say=print, outside=outside).data
    (inside / "mine").touch()
    closed.chmod(0o700)
    after = Home.of(folder, say=print, outside=outside).data
    assert (after / "mine").exists()
    assert after.parent == (folder if os.getuid() else outside)


def test_claim_ends_with_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = (
        "import sys, time; from pathlib import Path; from deploy.processes import claim\n"
        "with claim(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], cwd=TOP, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Busy), claim(lock):
            pass
        holder.send_signal(signal.SIGKILL)
        with claim(lock, patience=5):
            pass
