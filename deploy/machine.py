"""Install what is missing: system packages, the virtual environment, browser libraries."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.processes import (
    Busy,
    Halt,
    Report,
    claim,
    make_folder,
    spawn,
    tail,
    wait_for,
)

TOP = Path(__file__).resolve().parent.parent
VAR = TOP / "var"
VENV = TOP / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST_PYTHON, TOO_NEW_PYTHON = (3, 11), (3, 13)
COMMANDS = ("demo", "test", "bench")  # each has a folder with this name in var/
REQUIREMENTS = {"demo": "requirements.txt", "test": "requirements-dev.txt"}
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# Of shuozhou-mines: packages start no service now.\nexit 101\n"


def set_up(purpose: str, report: Report) -> None:
    """Make the machine ready for `demo` or `test`; do nothing that has been done.

    Raises Halt with what to do when it cannot.
    """
    make_folder(VAR)
    log = make_folder(VAR / "log")
    with one_at_a_time(report):
        with report.phase("system packages"):
            install_packages(purpose, log / "packages.log", report)
        with report.phase("Python and browser libraries"):
            install_libraries(purpose, log, report)


@contextmanager
def one_at_a_time(report: Report) -> Iterator[None]:
    """Wait while another command of this checkout is installing."""
    lock = VAR / "set-up.lock"
    try:
        with claim(lock):
            yield
            return
    except Busy:
        report.note("another command is setting up this checkout; waiting for it")
    with claim(lock, patience=1200):
        yield


def running_command() -> str | None:
    """Name a command of this checkout that uses .venv at this moment."""
    for command in COMMANDS:
        folder = VAR / command
        if (folder / "running.json").exists():
            try:
                with claim(folder / "lock"):
                    pass
            except Busy:
                return f"make {command}"
    return None


# --- system packages -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Package:
    """A line of packages.txt."""

    name: str
    purpose: str
    unless: str | None


def listed_packages(text: str) -> list[Package]:
    """Read the list of packages."""
    packages = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            name, purpose, *condition = words
            unless = condition[0].removeprefix("unless:") if condition else None
            packages.append(Package(name, purpose, unless))
    return packages


def wanted_packages(purpose: str) -> list[str]:
    """Name the packages that this purpose needs on this machine."""
    purposes = {"demo"} if purpose == "demo" else {"demo", "servers", "test"}
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        purposes.add("servers")
    return [
        package.name
        for package in listed_packages((TOP / "deploy" / "packages.txt").read_text())
        if package.purpose in purposes and not (package.unless and shutil.which(package.unless))
    ]


def missing_packages(wanted: list[str]) -> list[str]:
    """Name those of the packages that are not installed."""
    if not shutil.which("dpkg-query"):
        raise Halt(
            "This is not a Debian system. Install what corresponds to these packages of Debian 12 "
            f"and give DATABASE_URL and REDIS_URL: {' '.join(wanted)}"
        )
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *wanted],
        capture_output=True,
        text=True,
        check=False,  # it fails when it does not know one of the names
    )
    installed = {
        name
        for name, _, state in (line.partition(" ") for line in answer.stdout.splitlines())
        if state == "installed"
    }
    return [name for name in wanted if name not in installed]


def install_packages(purpose: str, log: Path, report: Report) -> None:
    """Install the missing packages, or say what an administrator must run."""
    missing = missing_packages(wanted_packages(purpose))
    if not missing:
        return
    names = " ".join(missing)
    line = f"apt-get update && apt-get install --yes --no-install-recommends {names}"
    if os.getuid():
        raise Halt(f"System packages are missing. An administrator must run this line:\n\n{line}")
    report.note(f"installed {names}")
    options = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    install = ["install", "--yes", "--no-install-recommends", "--no-upgrade", *missing]
    with log.open("wb") as output, services_kept_still():
        for command in (
            ["dpkg", "--configure", "-a"],  # an earlier run may have been killed here
            ["apt-get", *options, "update"],
            ["apt-get", *options, *install],
        ):
            process = spawn(command, mark=VAR, log=output, env=env)
            wait_for(process, patience=60)
            if process.returncode:
                raise Halt(f"{' '.join(command)} failed. {tail(log)}\n\nThe line was:\n\n{line}")
    if missing_packages(missing):
        raise Halt(f"apt-get did not install {' '.join(missing_packages(missing))}. {tail(log)}")


@contextmanager
def services_kept_still() -> Iterator[None]:
    """Keep new packages from starting the system's own PostgreSQL and Redis.

    A policy of the administrator's stays as it is; one that a killed run of ours left is removed.
    """
    if POLICY.is_symlink() or (POLICY.exists() and POLICY.read_text() != POLICY_TEXT):
        yield
        return
    try:
        POLICY.write_text(POLICY_TEXT)
        POLICY.chmod(0o755)
        yield
    finally:
        POLICY.unlink(missing_ok=True)


# --- Python --------------------------------------------------------------------------------------


def install_libraries(purpose: str, log: Path, report: Report) -> None:
    """Bring .venv and node_modules up to date, both at the same time."""
    steps = [step for step in (python_step(purpose), node_step(purpose)) if step]
    for step in steps:
        report.note(step.note)
        step.begin(log)
    try:
        for step in steps:
            step.finish()
    finally:
        for step in steps:
            step.abandon()


@dataclass
class Step:
    """An installation that runs beside others and leaves a stamp when it is complete."""

    note: str
    commands: list[list[str | Path]]
    log_name: str
    stamp: Path
    stamp_text: str

    def begin(self, log: Path) -> None:
        """Start all commands, one after the other, in one shell."""
        self.stamp.unlink(missing_ok=True)
        self.log = log / self.log_name
        arguments: list[str] = []
        script = "set -e"
        for command in self.commands:
            first = len(arguments) + 1
            arguments += [str(part) for part in command]
            script += "\n" + " ".join(f'"${{{n}}}"' for n in range(first, len(arguments) + 1))
        with self.log.open("wb") as output:
            env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
            command = ["sh", "-c", script, "sh", *arguments]
            self.process = spawn(command, mark=VAR, log=output, env=env, cwd=TOP)

    def finish(self) -> None:
        """Wait for the end and leave the stamp."""
        wait_for(self.process)
        if self.process.returncode:
            raise Halt(f"{self.note}: failed. {tail(self.log)}")
        self.stamp.write_text(self.stamp_text)

    def abandon(self) -> None:
        """Stop what still runs after a failure of another step."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


def digest(*files: Path) -> str:
    """Return a digest of the contents of these files."""
    whole = hashlib.sha256()
    for file in files:
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def python_step(purpose: str) -> Step | None:
    """Return what is to be done for .venv; None if it holds what the purpose needs."""
    stamp = VENV / "complete.json"
    demo, test = (digest(TOP / REQUIREMENTS[name]) for name in ("demo", "test"))
    held = read_stamp(stamp)
    works = held.get("place") == str(VENV) and held.get("python") == python_version(PYTHON)
    if works and (held.get("test") == test or (purpose == "demo" and held.get("demo") == demo)):
        return None
    if "test" in held:
        purpose = "test"  # what was there stays there
    requirements = TOP / REQUIREMENTS[purpose]
    base = suitable_python()
    version = python_version(base)
    text = {"place": str(VENV), "python": version, "demo": demo}
    if purpose == "test":
        text["test"] = test
    if (works or not held) and holds_exactly(requirements):
        # Made or brought up to date by hand, with these very versions.
        stamp.write_text(json.dumps(text | {"python": python_version(PYTHON) or ""}))
        return None
    commands: list[list[str | Path]] = []
    if not (works and held.get("demo") == demo):
        # Half built, of another Python or of other requirements: from the beginning.
        if other := running_command():
            raise Halt(f".venv must be made anew, but {other} of this checkout uses it; stop it.")
        commands.append([base, "-m", "venv", "--clear", VENV])
    pip: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    commands.append([*pip, "install", "--require-hashes", "--no-deps", "-r", requirements])
    return Step(
        f"installed {requirements.name} into .venv", commands, "pip.log", stamp, json.dumps(text)
    )


def read_stamp(stamp: Path) -> dict[str, str]:
    """Read what an installation has left; empty if it was not completed."""
    try:
        content = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def python_version(python: str | Path) -> str | None:
    """Return version and place of an interpreter; None if it does not run."""
    ask = "import sys; print('%d.%d.%d' % sys.version_info[:3], sys.base_prefix)"
    try:
        answer = subprocess.run(
            [str(python), "-I", "-c", ask], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return answer.stdout.strip() or None


def suitable_python() -> str:
    """Return a Python that the project runs on: this one, or another of the machine."""
    for name in (sys.executable, "python3", "python3.12", "python3.11", "/usr/bin/python3"):
        version = python_version(name)
        if version:
            numbers = tuple(int(part) for part in version.split()[0].split("."))
            if OLDEST_PYTHON <= numbers < TOO_NEW_PYTHON:
                return name
    raise Halt("Python 3.11 or 3.12 is missing; it is in the Debian package python3.")


def holds_exactly(requirements: Path) -> bool:
    """Say whether .venv has every required distribution in the required version, completely."""
    ask = """
import importlib.metadata as metadata, json
print(json.dumps({
    d.metadata["Name"].lower().replace("_", "-").replace(".", "-"): d.version
    for d in metadata.distributions() if d.files is not None
}))
"""
    if not PYTHON.exists():
        return False
    answer = subprocess.run([PYTHON, "-I", "-c", ask], capture_output=True, check=False)
    there = json.loads(answer.stdout) if answer.returncode == 0 else {}
    lines = requirements.read_text().splitlines()
    pins = [line.split()[0].partition("==") for line in lines if "==" in line]
    return bool(pins) and all(there.get(name) == version for name, _, version in pins)


# --- browser libraries ---------------------------------------------------------------------------


def node_step(purpose: str) -> Step | None:
    """Return what is to be done for node_modules; None if it holds what the purpose needs."""
    stamp = TOP / "node_modules" / ".complete.json"
    lock = digest(TOP / "package-lock.json", TOP / "package.json")
    held = read_stamp(stamp)
    if held.get("lock") == lock and (purpose == "demo" or held.get("purpose") == "test"):
        return None
    if held.get("purpose") == "test":
        purpose = "test"  # what was there stays there
    if not shutil.which("npm"):
        raise Halt("npm is missing; it is in the Debian package npm.")
    command: list[str | Path] = ["npm", "ci", "--no-audit", "--no-fund"]
    command.append("--omit=dev" if purpose == "demo" else "--include=dev")
    text = json.dumps({"lock": lock, "purpose": purpose})
    return Step("installed package-lock.json into node_modules", [command], "npm.log", stamp, text)
