"""Run a PostgreSQL with PostGIS and a Redis of our own, apart from the system's servers."""

import hashlib
import os
import pwd
import re
import secrets
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from deploy.processes import (
    Account,
    Child,
    Halt,
    end,
    halt_if_dead,
    make_folder,
    processes_working_in,
    remove,
    run,
    start,
    stop,
    tail,
)

POSTGRES_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
SOCKET_NAME = ".s.PGSQL.5432"  # the number only names the socket; nothing listens on a port
LONGEST_SOCKET_PATH = 100  # bytes; the kernel allows 107
OUTSIDE = Path("/var/lib/shuozhou-mines")
EXTENSIONS = ("postgis", "pg_trgm", "btree_gist", "pgcrypto")

# In template1, so that every database made later has the extensions without a superuser.
PREPARE_TEMPLATE = "".join(f"CREATE EXTENSION IF NOT EXISTS {name};\n" for name in EXTENSIONS)
PREPARE_DATABASE = r"""
SELECT 'CREATE ROLE portal LOGIN NOSUPERUSER CREATEDB'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'portal') \gexec
SELECT 'CREATE DATABASE portal OWNER portal'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'portal') \gexec
"""

Say = Callable[[str], None]


@dataclass
class Servers:
    """Addresses for the application, and the children to watch (none if they are not ours)."""

    database_url: str
    redis_url: str
    children: list[Child]


@contextmanager
def servers(folder: Path, *, durable: bool, say: Say) -> Iterator[Servers]:
    """Give a database and a Redis: those of DATABASE_URL and REDIS_URL, else private ones.

    `folder` holds data and logs of the private ones. `durable=False` is for tests: faster, and
    nothing survives a power cut. The caller holds the claim on `folder`.
    """
    database_url, redis_url = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    children: list[Child] = []
    try:
        if not (database_url and redis_url):
            home = Home.of(folder, say=say)
            if not database_url:
                database_url = start_postgres(home, children, durable=durable, say=say)
            if not redis_url:
                redis_url = start_redis(home, children, durable=durable, say=say)
        yield Servers(database_url, redis_url, children)
    finally:
        stop(children[::-1], patience=15)


# --- where they live -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Home:
    """Where the servers keep data and logs, and the account that they run as (None: our own)."""

    folder: Path
    data: Path
    account: Account | None

    @classmethod
    def of(cls, folder: Path, *, say: Say, outside: Path = OUTSIDE) -> "Home":
        """Find the place: inside `folder` if the servers' account can enter it, else outside."""
        folder = folder.resolve()
        make_folder(folder)
        make_folder(folder / "log")
        account = server_account(folder / "servers")
        data = folder / "servers"
        if account and not can_enter(account, folder):
            data = place_outside(folder, outside, say)
        if not data.is_dir():
            data.mkdir(parents=True, mode=0o700)
        if account:
            os.chown(data, account.uid, account.gid)
        elif data.stat().st_uid != os.getuid():
            raise Halt(
                f"{data} belongs to another user, who ran this command before. Run it as that user "
                "or as root, or remove the folder with all data in it."
            )
        return cls(folder, data, account)

    def own_folder(self, name: str) -> Path:
        """Return a folder that belongs to the servers' account alone."""
        place = self.data / name
        if not place.is_dir():
            place.mkdir(mode=0o700)
            if self.account:
                os.chown(place, self.account.uid, self.account.gid)
        return place


def server_account(data: Path) -> Account | None:
    """Choose who runs the servers; PostgreSQL refuses root, so root gives them to `postgres`."""
    if os.getuid():
        return None
    if data.is_dir() and (owner := data.stat().st_uid):
        return Account.of(owner)
    try:
        return Account.of(pwd.getpwnam("postgres").pw_uid)
    except KeyError:
        raise Halt("There is no system user postgres: install postgresql-15 first.") from None


def can_enter(account: Account, folder: Path) -> bool:
    """Say whether the account may pass through all folders down to this one."""
    answer = subprocess.run(
        ["test", "-x", str(folder)],
        user=account.uid,
        group=account.gid,
        extra_groups=os.getgrouplist(account.name, account.gid),
        cwd="/",
        check=False,
    )
    return answer.returncode == 0


def place_outside(folder: Path, outside: Path, say: Say) -> Path:
    """Return the servers' place outside of a checkout that their account cannot enter."""
    make_folder(outside, 0o755)
    place = outside / hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    inside, pointer = folder / "servers", folder / "servers-are-in"
    if place.exists() and not pointer.exists():
        # Another checkout was at this path before; its files are gone, so its rows are no use here.
        kept = place.with_name(f"{place.name}-until-{datetime.now():%Y%m%d-%H%M%S}")  # noqa: DTZ005
        place.rename(kept)
        say(f"the data of a former checkout at this path is kept in {kept}")
    if inside.is_dir() and not place.exists():
        # mv and not shutil: it keeps the owner when it has to copy.
        subprocess.run(["mv", "--", str(inside), str(place)], check=True)
    pointer.write_text(f"{place}\n")
    say(f"PostgreSQL may not enter {folder}; its data and Redis's are in {place}")
    return place


def socket_folder(home: Home) -> Path:
    """Return a folder for the socket: in the data's place, or a short one if the path is unfit."""
    place = home.data / "socket"
    fits = len(os.fsencode(place / SOCKET_NAME)) <= LONGEST_SOCKET_PATH
    if fits and re.fullmatch(r"[A-Za-z0-9_./+-]+", str(place)):
        return home.own_folder("socket")
    return owned_folder(short_folder(home.data), home.account)


def short_folder(data: Path) -> Path:
    """Return where the socket of a cluster goes whose own path is unfit for one."""
    name = f"shuozhou-mines-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    place = Path(tempfile.gettempdir()) / name
    short = len(os.fsencode(place / SOCKET_NAME)) <= LONGEST_SOCKET_PATH
    return place if short else Path("/tmp") / name  # noqa: S108 - owned_folder checks the owner


def owned_folder(place: Path, account: Account | None) -> Path:
    """Make a folder in a public place; Halt if someone else has made it before us."""
    owner = account.uid if account else os.getuid()
    with suppress(FileExistsError):
        place.mkdir(mode=0o700)
    found = place.lstat()
    ours = found.st_uid in (owner, os.getuid()) and not found.st_mode & 0o077
    if not (ours and stat.S_ISDIR(found.st_mode)):
        raise Halt(
            f"{place} is not a folder of our own: someone else may have put it there to read "
            "along. Look who made it, remove it, and run the command again."
        )
    if account:
        os.chown(place, account.uid, account.gid, follow_symlinks=False)
    return place


# --- PostgreSQL ----------------------------------------------------------------------------------


def start_postgres(home: Home, children: list[Child], *, durable: bool, say: Say) -> str:
    """Start the cluster, made anew if there is none; return the DATABASE_URL of its database."""
    if not (POSTGRES_PROGRAMS / "postgres").exists():
        raise Halt(f"PostgreSQL 15 is not in {POSTGRES_PROGRAMS}.")
    cluster = home.data / "postgres"
    log = home.folder / "log" / "postgres.log"
    if not (cluster / "PG_VERSION").exists():
        make_cluster(home, cluster, durable=durable)
    if end(lambda: processes_working_in(cluster), signal.SIGINT, patience=20):
        say("a PostgreSQL that a killed run had left was stopped")
    # No process works in the cluster now, so whatever this file says is out of date.
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    sockets = socket_folder(home)
    (sockets / SOCKET_NAME).unlink(missing_ok=True)
    (sockets / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
    settings = [f"--{name}={value}" for name, value in postgres_settings(durable=durable).items()]
    child = start(
        "PostgreSQL",
        [POSTGRES_PROGRAMS / "postgres", "-D", cluster, "-k", sockets, *settings],
        mark=home.folder,
        log=log,
        env=plain_environment(),
        cwd=cluster,
        account=home.account,
        stop_signal=signal.SIGINT,  # "fast": do not wait for clients
    )
    children.append(child)
    wait_until(lambda: not psql(home, sockets, "postgres", "SELECT 1;"), child)
    for database, commands in (("template1", PREPARE_TEMPLATE), ("postgres", PREPARE_DATABASE)):
        if refusal := psql(home, sockets, database, commands):
            raise Halt(f"PostgreSQL did not accept its first set-up: {refusal}\n{tail(log)}")
    return f"postgis://portal@/portal?host={quote(str(sockets), safe='/')}"


def postgres_settings(*, durable: bool) -> dict[str, str]:
    """Return the server's settings; only the test cluster may lose data in a power cut."""
    settings = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "60",
        "shared_buffers": "128MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "64MB",
        "jit": "off",
        "log_line_prefix": "%m [%p] ",
        "timezone": "UTC",
        "logging_collector": "off",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return settings


def make_cluster(home: Home, cluster: Path, *, durable: bool) -> None:
    """Make an empty cluster; it gets its name only when it is complete."""
    remove(home.data / "postgres.unfinished")
    unfinished = home.own_folder("postgres.unfinished")
    run(
        [
            *(POSTGRES_PROGRAMS / "initdb", "--pgdata", unfinished, "--username=postgres"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-instructions"),
            *(() if durable else ("--no-sync",)),
        ],
        mark=home.folder,
        log=home.folder / "log" / "initdb.log",
        env=plain_environment(),
        cwd=unfinished,
        account=home.account,
    )
    unfinished.rename(cluster)


def psql(home: Home, sockets: Path, database: str, commands: str) -> str:
    """Run SQL as the superuser; return what went wrong, empty if nothing did."""
    answer = subprocess.run(
        [
            *(POSTGRES_PROGRAMS / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1"),
            *("-h", sockets, "-U", "postgres", database),
        ],
        input=commands.encode(),
        env=plain_environment() | {"PGOPTIONS": "-c client_min_messages=warning"},
        user=home.account.uid if home.account else None,
        group=home.account.gid if home.account else None,
        cwd="/",
        capture_output=True,
        check=False,
    )
    return answer.stderr.decode(errors="replace") if answer.returncode else ""


# --- Redis ---------------------------------------------------------------------------------------


def start_redis(home: Home, children: list[Child], *, durable: bool, say: Say) -> str:
    """Start Redis on a free loopback port with a new password; return its REDIS_URL.

    Not on a Unix socket: redis-py and Celery write the addresses of sockets differently.
    """
    place = home.own_folder("redis")
    if end(lambda: processes_working_in(place), signal.SIGTERM):
        say("a Redis that a killed run had left was stopped")
    password = secrets.token_urlsafe(24)
    for _ in range(5):
        port = free_port()
        child = try_redis(home, place, port, password, durable=durable)
        if child.running():
            children.append(child)
            return f"redis://:{password}@127.0.0.1:{port}/0"
    raise Halt(f"Redis does not start. {tail(child.log)}")


def try_redis(home: Home, place: Path, port: int, password: str, *, durable: bool) -> Child:
    """Start Redis; the child has ended already if someone else has taken the port meanwhile."""
    child = start(
        "Redis",
        ["redis-server", "-"],
        mark=home.folder,
        log=home.folder / "log" / "redis.log",
        env=plain_environment(),
        cwd=place,
        account=home.account,
        stdin=subprocess.PIPE,
    )
    # Through the pipe, so that the password stands neither in a file nor in the process list.
    if child.process.stdin:
        child.process.stdin.write(redis_settings(port, password, durable=durable).encode())
        child.process.stdin.close()
    wait_until(lambda: redis_answers(port, password) or not child.running(), child)
    return child


def redis_settings(port: int, password: str, *, durable: bool) -> str:
    """Return the configuration: no job is ever evicted; if durable, it survives a restart."""
    return f"""
bind 127.0.0.1
port {port}
requirepass {password}
dir ./
daemonize no
databases 16
maxmemory-policy noeviction
save ""
appendonly {"yes" if durable else "no"}
"""


def redis_answers(port: int, password: str) -> bool:
    """Say whether the server at this port knows our password, which only our own can."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while b"PONG" not in answer and (more := line.recv(256)):
                answer += more
            return answer == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False


def free_port() -> int:
    """Return a loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- both ----------------------------------------------------------------------------------------


def plain_environment() -> dict[str, str]:
    """Return an environment without the caller's PG… variables and locale."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": "/"}


def wait_until(ready: Callable[[], bool], child: Child, *, patience: float = 60) -> None:
    """Wait for a server; Halt if it ends or does not get ready."""
    deadline = time.monotonic() + patience
    while not ready():
        halt_if_dead([child])
        if time.monotonic() > deadline:
            raise Halt(f"{child.name} is not ready after {patience:.0f} s. {tail(child.log)}")
        time.sleep(0.05)
