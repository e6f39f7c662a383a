"""Set up, start and walk the demo, and keep it serving: `make demo`."""

import http.client
import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy import application
from deploy.machine import PYTHON, TOP, VAR, set_up
from deploy.processes import (
    Busy,
    Child,
    Halt,
    Report,
    Stopped,
    carry_out,
    claim,
    end,
    halt_if_dead,
    make_folder,
    marked_processes,
    spawn,
    stop,
    tail,
    wait_for,
)
from deploy.servers import servers

FOLDER = VAR / "demo"
RUNNING = FOLDER / "running.json"
FIRST_PORT = 8000


def main(report: Report) -> int:
    """Run the demo until it is stopped; return the exit code."""
    make_folder(VAR)
    make_folder(FOLDER)
    make_folder(FOLDER / "log")
    with only_one():
        RUNNING.unlink(missing_ok=True)
        set_up("demo", report)
        if count := end(lambda: marked_processes(FOLDER), signal.SIGTERM):
            report.note(f"stopped {count} processes that a killed run had left")
        with ExitStack() as stack:
            serve(stack, report)
    print("The demo has stopped, and all that it started.", flush=True)
    return 0


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the demo's folder; Halt with the address if a demo of this checkout is serving."""
    with ExitStack() as stack:
        try:
            stack.enter_context(claim(FOLDER / "lock", patience=1))
        except Busy:
            if RUNNING.exists():
                raise Halt(describe_other()) from None
            print(
                "  another make demo of this checkout is starting or stopping; waiting for it",
                flush=True,
            )
            try:
                stack.enter_context(claim(FOLDER / "lock", patience=20))
            except Busy:
                raise Halt(describe_other()) from None
        yield


def describe_other() -> str:
    """Say where the other demo of this checkout serves."""
    try:
        other = json.loads(RUNNING.read_text())
    except (OSError, ValueError):
        return "Another make demo of this checkout is just starting. Nothing was changed."
    return (
        f"Another make demo of this checkout serves at {other['url']} (process {other['pid']}).\n"
        "It was left as it is. To start it anew, stop it first: Ctrl-C in its window, or\n"
        f"kill {other['pid']}"
    )


def serve(stack: ExitStack, report: Report) -> None:
    """Start everything, walk, and wait until we are stopped (return) or a child dies (Halt)."""
    children: list[Child] = []
    listening = stack.enter_context(socket_to_listen_on(report))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with report.phase("PostgreSQL and Redis"):
        given = stack.enter_context(servers(FOLDER, durable=True, say=report.note))
    env = application.environment(
        FOLDER,
        given,
        PORTAL_HTTP="1",
        PORTAL_DEMO="1",
        PORTAL_SITE_URL=url,
        ALLOWED_HOSTS="127.0.0.1,localhost",
    )
    application.prepare(FOLDER, env, given.children, report)
    stack.callback(stop, children)
    with report.phase("web, worker and scheduler"):
        application.start_processes(FOLDER, env, listening, children)
        listening.close()
        watched = [*given.children, *children]
        wait_until_ready(url, watched)
    RUNNING.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    stack.callback(RUNNING.unlink, missing_ok=True)  # first of all that is undone
    ready = report.elapsed()
    try:
        print(f"\nServing at {url} after {ready:.1f} s. Now the walk through it:\n", flush=True)
        walk(url, env, watched)
        print(f"\n{logins()}\n", flush=True)
        print(f"The demo serves at {url} until Ctrl-C. Logs: {FOLDER / 'log'}", flush=True)
        while True:
            halt_if_dead(watched)
            time.sleep(0.2)
    except Stopped as why:
        print(f"\nStopping ({why}).", flush=True)


@contextmanager
def socket_to_listen_on(report: Report) -> Iterator[socket.socket]:
    """Take the port of the web server now, so that nobody else can before it starts."""
    try:
        wanted = int(os.environ.get("PORT") or FIRST_PORT)
    except ValueError:
        raise Halt(f"PORT must be a number, not {os.environ['PORT']!r}.") from None
    for port in range(wanted, wanted + 100):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen(64)
        except (OSError, OverflowError):
            listening.close()
            continue
        if port != wanted:
            report.note(f"port {wanted} is not free; the demo uses {port}")
        with listening:
            yield listening
        return
    raise Halt(f"No port from {wanted} to {wanted + 99} is free. Give another: make demo PORT=9000")


def wait_until_ready(url: str, watched: Sequence[Child], *, patience: float = 90) -> None:
    """Wait until the site says that it is ready; Halt with its answer if it does not."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + patience
    answer = "no answer"
    while time.monotonic() < deadline:
        halt_if_dead(watched)
        try:
            with direct.open(f"{url}/readyz", timeout=5) as page:
                answer = page.read(500).decode(errors="replace")
                # Pages need no queue, but a demo whose worker hears nothing is of no use.
                if json.loads(answer).get("queue"):
                    return
        except urllib.error.HTTPError as refusal:
            answer = f"{refusal.code} {refusal.read(500).decode(errors='replace')}"
        except (OSError, ValueError, http.client.HTTPException) as failure:
            answer = str(failure)
        time.sleep(0.1)
    logs = "\n".join(tail(child.log, 8) for child in watched)
    raise Halt(f"{url}/readyz is not ready after {patience:.0f} s: {answer}\n{logs}")


def walk(url: str, env: Mapping[str, str], watched: Sequence[Child]) -> None:
    """Walk through the running site; its steps go to the reader."""
    command: list[str | Path] = [PYTHON, "manage.py", "walk", "--url", url]
    process = spawn(command, mark=FOLDER, env=env, cwd=TOP)
    wait_for(process, watched=watched)
    if process.returncode:
        telling = [child for child in watched if child.log.stem in ("web", "worker")]
        logs = "\n".join(f"{child.name}: {tail(child.log)}" for child in telling)
        raise Halt(f"The walk ended with {process.returncode}, so the demo stops.\n{logs}")


def logins() -> str:
    """List the demo accounts with their password, from the fixture that made them."""
    demo = json.loads((TOP / "fixtures" / "demo" / "users.json").read_text(encoding="utf-8"))
    width = max(len(row["username"]) for row in demo["users"])
    rows = [f"  {row['username']:{width}}  {row['name']}" for row in demo["users"]]
    return "\n".join([f"Demo logins, all with the password {demo['password']}", *rows])


if __name__ == "__main__":
    carry_out(main)
