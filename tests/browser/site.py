"""Run the whole product beside the tests: own database, web server and worker as real processes."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg2
from django.conf import settings
from psycopg2.extensions import AsIs

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
REDIS_DATABASE = 9


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _on_server(statement: str, name: str) -> None:
    """Run one statement on a database's name, outside any transaction as it must be."""
    given = settings.DATABASES["default"]
    connection = psycopg2.connect(
        dbname="postgres",
        user=given["USER"],
        password=given["PASSWORD"] or None,
        host=given["HOST"] or given.get("OPTIONS", {}).get("host"),
        port=given["PORT"] or None,
    )
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, (AsIs(name),))
    finally:
        connection.close()


def _url_of(name: str) -> str:
    given = settings.DATABASES["default"]
    host = given["HOST"] or ""
    login = given["USER"] + (f":{quote(given['PASSWORD'])}" if given["PASSWORD"] else "")
    port = f":{given['PORT']}" if given["PORT"] else ""
    socket_folder = given.get("OPTIONS", {}).get("host")
    query = f"?host={quote(socket_folder)}" if socket_folder else ""
    return f"postgis://{login}@{host}{port}/{name}{query}"


def _own_redis() -> str:
    """Return the address of a database of our own on the tests' Redis."""
    url = settings.REDIS_URL
    if url.startswith(("redis+socket", "unix")):
        base, _, _ = url.partition("?")
        return f"{base}?virtual_host={REDIS_DATABASE}"
    return url.rsplit("/", 1)[0] + f"/{REDIS_DATABASE}"


class Site:
    """Hold a running site: its address, its environment, and its processes."""

    def __init__(self, folder: Path) -> None:
        self.name = f"portal_site_{secrets.token_hex(4)}"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.environment = {
            **os.environ,
            "DATABASE_URL": _url_of(self.name),
            "REDIS_URL": _own_redis(),
            "SECRET_KEY": "site-of-the-tests-" + "x" * 50,
            "PORTAL_VAR": str(folder),
            "PORTAL_STATIC_ROOT": str(settings.STATIC_ROOT),
            "PORTAL_HTTP": "1",
            "PORTAL_DEMO": "1",
            "PORTAL_SITE_URL": self.url,
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def manage(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a management command on the site's database."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def start(self) -> None:
        """Make the database, load the demo, and start web and worker."""
        _on_server("CREATE DATABASE %s", self.name)
        for words in (("migrate", "-v0"), ("createcachetable",), ("load_fixtures",)):
            done = self.manage(*words)
            if done.returncode:
                raise RuntimeError(f"{words}: {done.stderr[-2000:]}")
        self._run("gunicorn", "shuozhou_mines.wsgi", "-b", f"127.0.0.1:{self.port}",
                  "-k", "gthread", "--threads", "4", "--log-level", "warning",
                  "--no-control-socket")  # fmt: skip
        self._run("celery", "-A", "shuozhou_mines", "worker", "-c", "1", "-l", "warning")
        self._wait()

    def _run(self, program: str, *words: str) -> None:
        with (self.folder / f"{program}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(BIN / program), *words],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:  # noqa: S310
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise RuntimeError((self.folder / "gunicorn.log").read_text()[-2000:])

    def stop(self) -> None:
        """Stop what was started, and drop the database."""
        for process in self.processes:
            os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        _on_server("DROP DATABASE IF EXISTS %s WITH (FORCE)", self.name)


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Run a site for as long as the block lasts."""
    site = Site(folder)
    try:
        site.start()
        yield site
    finally:
        site.stop()
