"""Set up, then run linters, type checks, contracts and all tests: `make test`.

With ARGS, pytest alone is run, with these arguments; `make lint` runs all but pytest.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deploy import application
from deploy.machine import PYTHON, TOP, VAR, VENV, set_up
from deploy.processes import (
    Busy,
    Child,
    Halt,
    Report,
    carry_out,
    claim,
    end,
    halt_if_dead,
    make_folder,
    marked_processes,
    spawn,
    stop_processes,
    wait_for,
)
from deploy.servers import servers

FOLDER = VAR / "test"
RUNNING = FOLDER / "running.json"
AT_ONCE = 2
WHOLE_SUITE = ("-n", "2", "-p", "tests.together")
MANAGE = (PYTHON, "manage.py")
CHECKS: dict[str, tuple[str | Path, ...]] = {
    # The longest first, so that the others run beside it; the summary keeps the order below.
    "types (mypy)": (PYTHON, "-m", "mypy", "."),
    "lint (ruff check)": (PYTHON, "-m", "ruff", "check", "."),
    "layout (ruff format)": (PYTHON, "-m", "ruff", "format", "--check", "."),
    "import contracts": (VENV / "bin" / "lint-imports",),
    "migrations complete": (*MANAGE, "makemigrations", "--check", "--dry-run"),
    "deployment settings": (PYTHON, "-m", "deploy.settings_check"),
    "no foreign addresses": (PYTHON, "-m", "deploy.tree"),
}


@dataclass(frozen=True)
class Outcome:
    """How a part of the tests ended, and how long it took."""

    name: str
    passed: bool
    seconds: float

    def line(self) -> str:
        """Return the line of the summary."""
        return f"  {'ok    ' if self.passed else 'FAILED'}  {self.name:32} {self.seconds:6.1f} s"


def main(report: Report) -> int:
    """Run what was asked for; return 0 if all of it passed."""
    arguments = shlex.split(os.environ.get("ARGS", ""))
    lint_only = sys.argv[1:] == ["lint"]
    print(f"make {'lint' if lint_only else 'test'}", flush=True)
    make_folder(VAR)
    make_folder(FOLDER)
    make_folder(FOLDER / "log")
    outcomes: list[Outcome] = []
    with ExitStack() as stack:
        try:
            stack.enter_context(claim(FOLDER / "lock", patience=3))
        except Busy:
            raise Halt(
                "Another make test of this checkout is running. It was left alone."
            ) from None
        set_up("test", report)
        if count := end(lambda: marked_processes(FOLDER), signal.SIGTERM):
            report.note(f"stopped {count} processes that a killed run had left")
        RUNNING.write_text(json.dumps({"pid": os.getpid()}))
        stack.callback(RUNNING.unlink, missing_ok=True)
        with report.phase("PostgreSQL and Redis"):
            given = stack.enter_context(servers(FOLDER, durable=False, say=report.note))
        env = application.environment(FOLDER, given, PYTHONUTF8="1")
        if not arguments:
            print(flush=True)
            outcomes += run_checks(env, given.children)
        if not lint_only:
            # Over plain http, as the browser journeys need it from the first import on.
            env |= {"PORTAL_HTTP": "1", "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver"}
            with report.phase("static files"):
                application.collect_static(FOLDER, env, given.children)
            print(flush=True)
            outcomes.append(run_tests(arguments or WHOLE_SUITE, env, given.children))
    print("\nSummary" + (" (linters not run, because of ARGS)" if arguments else ""))
    for outcome in outcomes:
        print(outcome.line())
    print(f"  {report.elapsed():.1f} s in all", flush=True)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def run_checks(env: Mapping[str, str], watched: Sequence[Child]) -> list[Outcome]:
    """Run all linters, a few at a time; show the output of those that fail."""
    waiting = list(CHECKS.items())
    running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}
    outcomes: dict[str, Outcome] = {}
    # As in production: secure cookies and https only.
    key = "test:" + "QUFB" * 10 + "QUE="
    env = {**env, "PORTAL_HTTP": "0", "PORTAL_IDENTITY_KEYS": key}
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                name, command = waiting.pop(0)
                with log_of(name).open("wb") as output:
                    process = spawn(command, mark=FOLDER, log=output, env=env, cwd=TOP)
                running[name] = process, time.monotonic()
            for name, (process, began) in list(running.items()):
                if process.poll() is not None:
                    del running[name]
                    outcomes[name] = outcome = Outcome(
                        name, process.returncode == 0, time.monotonic() - began
                    )
                    print(outcome.line(), flush=True)
                    if not outcome.passed:
                        print(log_of(name).read_text(errors="replace"), flush=True)
            halt_if_dead(watched)
            time.sleep(0.05)
    finally:
        stop_processes([process for process, _ in running.values()], patience=3)
    return [outcomes[name] for name in CHECKS]


def log_of(name: str) -> Path:
    """Return the file that holds the output of a check."""
    return FOLDER / "log" / f"{name.split()[0]}.log"


def run_tests(
    arguments: Sequence[str], env: Mapping[str, str], watched: Sequence[Child]
) -> Outcome:
    """Run pytest; its output goes to the reader."""
    began = time.monotonic()
    process = spawn([PYTHON, "-m", "pytest", *arguments], mark=FOLDER, env=dict(env), cwd=TOP)
    wait_for(process, watched=watched)
    if process.returncode < 0:
        print(f"\npytest was killed by {signal.Signals(-process.returncode).name}.", flush=True)
    return Outcome("tests (pytest)", process.returncode == 0, time.monotonic() - began)


if __name__ == "__main__":
    carry_out(main)
