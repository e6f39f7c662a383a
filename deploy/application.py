"""Prepare the Django project and start its three processes."""

import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from deploy.machine import PYTHON, REQUIREMENTS, TOP, VENV, digest
from deploy.processes import Child, Report, make_folder, run, start
from deploy.servers import Servers

# What a caller's shell may hold that would lead our children astray.
FOREIGN = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS", "VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE"),
    *("DATABASE_URL_FILE", "REDIS_URL_FILE", "SECRET_KEY_FILE"),
)


def environment(folder: Path, given: Servers, **more: str) -> dict[str, str]:
    """Return the environment of every process of the application."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    local = ",".join(filter(None, [kept.get("no_proxy", ""), "127.0.0.1,localhost"]))
    return {
        **kept,
        "PATH": f"{VENV / 'bin'}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "no_proxy": local,
        "NO_PROXY": local,
        "DATABASE_URL": given.database_url,
        "REDIS_URL": given.redis_url,
        "SECRET_KEY": secret_key(folder / "secret"),
        "PORTAL_VAR": str(folder),
        "PORTAL_STATIC_ROOT": str(folder / "static"),
        **more,
    }


def secret_key(file: Path) -> str:
    """Read the folder's secret, made at the first run, so that sessions outlive a restart."""
    if not file.exists() or not file.read_text().strip():
        new = file.with_suffix(".new")
        with open(new, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as handle:
            handle.write(secrets.token_urlsafe(50))
        new.rename(file)
    return file.read_text().strip()


def manage(*words: str, folder: Path, env: Mapping[str, str], watched: list[Child]) -> None:
    """Run a command of manage.py; Halt if it fails."""
    log = folder / "log" / f"{words[0]}.log"
    run([PYTHON, "manage.py", *words], mark=folder, log=log, env=env, cwd=TOP, watched=watched)


def prepare(folder: Path, env: Mapping[str, str], watched: list[Child], report: Report) -> None:
    """Bring database, static files and fixtures up to date."""
    make_folder(folder / "media", 0o700)
    with report.phase("database"):
        manage("migrate", "--noinput", folder=folder, env=env, watched=watched)
        manage("createcachetable", folder=folder, env=env, watched=watched)
    with report.phase("static files"):
        collect_static(folder, env, watched)
    with report.phase("fixtures"):
        manage("load_fixtures", folder=folder, env=env, watched=watched)


def collect_static(folder: Path, env: Mapping[str, str], watched: list[Child]) -> None:
    """Collect the static files, unless nothing has changed since the last time."""
    stamp = folder / "static.stamp"
    now = static_inputs()
    if (folder / "static").is_dir() and stamp.exists() and stamp.read_text() == now:
        return
    stamp.unlink(missing_ok=True)
    manage("collectstatic", "--noinput", folder=folder, env=env, watched=watched)
    stamp.write_text(now)


def static_inputs() -> str:
    """Return a digest of all that collected static files come from."""
    ours = [
        file
        for place in [TOP / "static", *TOP.glob("*/static")]
        for file in sorted(place.rglob("*"))
        if file.is_file() and "node_modules" not in file.parts
    ]
    rules = [
        TOP / "shuozhou_mines" / "settings.py",
        TOP / "shuozhou_mines" / "browser_libraries.py",
    ]
    pins = [TOP / "package-lock.json", TOP / REQUIREMENTS["demo"]]
    names = "\n".join(str(file.relative_to(TOP)) for file in ours)
    return f"{digest(*ours, *rules, *pins)}\n{names}\n"


def start_processes(
    folder: Path, env: Mapping[str, str], listening: socket.socket, children: list[Child]
) -> None:
    """Start web, worker and scheduler; append each to `children` at once."""
    celery: list[str | Path] = [PYTHON, "-m", "celery", "-A", "shuozhou_mines"]
    gunicorn: list[str | Path] = [PYTHON, "-m", "gunicorn", "shuozhou_mines.wsgi"]
    place = listening.fileno()
    commands: list[tuple[str, str, list[str | Path], list[int]]] = [
        (
            "the web server",
            "web",
            [
                *gunicorn,
                *("--bind", f"fd://{place}", "--workers", "2", "--threads", "4"),
                *("--worker-class", "gthread", "--timeout", "60", "--graceful-timeout", "3"),
                *("--no-control-socket", "--access-logfile", "-"),
            ],
            [place],
        ),
        (
            "the worker",
            "worker",
            [
                *celery,
                *("worker", "--concurrency", "2", "--loglevel", "INFO", "--hostname", "demo@%h"),
                *("--without-gossip", "--without-mingle"),
            ],
            [],
        ),
        (
            "the scheduler",
            "scheduler",
            [
                *celery,
                *("beat", "--loglevel", "INFO", "--pidfile", ""),
                *("--schedule", folder / "beat-schedule"),
            ],
            [],
        ),
    ]
    for name, log, command, sockets in commands:
        children.append(
            start(
                name,
                command,
                mark=folder,
                log=folder / "log" / f"{log}.log",
                env=env,
                cwd=TOP,
                pass_fds=sockets,
            )
        )
