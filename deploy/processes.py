"""Start, watch and stop child processes so that none of them outlives its purpose."""

import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

# Every child carries this variable with the folder that it works for. What a killed run has left
# behind is found by it: a process number may have gone to a stranger, an environment may not.
MARK = "SHUOZHOU_MINES_CHILD_OF"
SET_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True)


class Halt(Exception):
    """The command cannot go on; the text says why and what to do."""


class Stopped(BaseException):
    """Somebody asked the command to stop (Ctrl-C, SIGTERM, a closed terminal)."""


@dataclass(frozen=True)
class Account:
    """A user of the system that a server runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> "Account":
        """Name the account with this number."""
        entry = pwd.getpwuid(uid)
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


@dataclass
class Child:
    """A process that is meant to run as long as the command does."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM

    def running(self) -> bool:
        """Say whether the process still runs."""
        return self.process.poll() is None

    def end(self) -> str:
        """Say in words how the process ended."""
        code = self.process.returncode
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return what a new child runs before its program, so that it gets `number` with our death."""
    parent = os.getpid()

    def ask() -> None:
        _libc.prctl(SET_DEATH_SIGNAL, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os.kill(os.getpid(), number)

    return ask


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose own parent was killed."""
    _libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stop_with_make() -> None:
    """Ask for SIGTERM if the `make` that runs us is killed."""
    if os.environ.get("MAKELEVEL"):
        _libc.prctl(SET_DEATH_SIGNAL, int(signal.SIGTERM), 0, 0, 0)


def stop_on_signals() -> None:
    """Turn the first signal to stop into Stopped and let no further one disturb the stopping."""

    def stop(number: int, _frame: object) -> NoReturn:
        ignore_signals()
        raise Stopped(signal.Signals(number).name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def ignore_signals() -> None:
    """Let nothing interrupt what follows."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def spawn(
    command: Sequence[str | Path],
    *,
    mark: Path,
    log: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    account: Account | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    stdin: int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own that dies with this process.

    Call it from the main thread: the death signal belongs to the thread that started the child.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=stdin,
        stdout=log,
        stderr=subprocess.STDOUT if log else None,
        env={**(os.environ if env is None else env), MARK: str(mark)},
        cwd=cwd,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=os.getgrouplist(account.name, account.gid) if account else None,
        start_new_session=True,
        preexec_fn=die_with_parent(stop_signal),
        pass_fds=pass_fds,
    )


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    mark: Path,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    account: Account | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    stdin: int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start a long-running child whose output goes to the file `log`, written anew."""
    with log.open("wb") as output:
        process = spawn(
            command,
            mark=mark,
            log=output,
            env=env,
            cwd=cwd,
            account=account,
            stop_signal=stop_signal,
            stdin=stdin,
            pass_fds=pass_fds,
        )
    return Child(name, process, log, stop_signal)


def run(
    command: Sequence[str | Path],
    *,
    mark: Path,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    account: Account | None = None,
    watched: Sequence[Child] = (),
) -> None:
    """Run a program to its end, its output in `log`; Halt with the last lines if it fails."""
    with log.open("wb") as output:
        process = spawn(command, mark=mark, log=output, env=env, cwd=cwd, account=account)
    wait_for(process, watched=watched)
    if process.returncode:
        words = " ".join(str(part) for part in command)
        raise Halt(f"{words}\nended with {process.returncode}. {tail(log)}")


def wait_for(
    process: subprocess.Popen[bytes], *, watched: Sequence[Child] = (), patience: float = 5
) -> None:
    """Wait for a program; stop it if we are stopped or if one of the `watched` children dies."""
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
                return
            halt_if_dead(watched)
    except BaseException:
        stop_processes([process], patience=patience)
        raise


def halt_if_dead(children: Iterable[Child]) -> None:
    """Raise Halt that names the first child which has ended, with the last lines of its log."""
    for child in children:
        if not child.running():
            raise Halt(f"{child.name} {child.end()}. {tail(child.log)}")


def tail(log: Path, lines: int = 25) -> str:
    """Quote the last lines of a log and say where it is."""
    text = log.read_text(errors="replace").splitlines() if log.exists() else []
    quoted = "\n".join(f"    {line}" for line in text[-lines:])
    return f"Its log is {log}; the last lines:\n{quoted}" if text else f"Its log {log} is empty."


def stop(children: Sequence[Child], *, patience: float = 6) -> None:
    """Ask all the children to end, kill those that do not within `patience` seconds."""
    for child in children:
        if child.running():
            child.process.send_signal(child.stop_signal)
    stop_processes([child.process for child in children], patience=patience, asked=True)


def stop_processes(
    processes: Sequence[subprocess.Popen[bytes]], *, patience: float, asked: bool = False
) -> None:
    """End these children and whatever is left in their sessions."""
    if not asked:
        for process in processes:
            if process.poll() is None:
                process.terminate()
    deadline = time.monotonic() + patience
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
    for process in processes:
        # The number of a process stays taken while its session has members, so this hits no other.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# --- what earlier runs have left -----------------------------------------------------------------


def _own_line() -> set[int]:
    """Return this process and its ancestors."""
    line, pid = set(), os.getpid()
    while pid > 0 and pid not in line:
        line.add(pid)
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            break
    return line


def marked_processes(mark: Path) -> list[int]:
    """List the processes that were started for the folder `mark`, by whatever run."""
    wanted = f"{MARK}={mark}".encode()
    return _processes(lambda folder: wanted in (folder / "environ").read_bytes().split(b"\0"))


def processes_working_in(place: Path) -> list[int]:
    """List the processes whose working folder is `place`: servers work in that of their data."""
    return _processes(lambda folder: (folder / "cwd").readlink() == place)


def _processes(is_meant: Callable[[Path], bool]) -> list[int]:
    mine, found = _own_line(), []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) not in mine:
            with suppress(OSError):  # gone meanwhile, or another user's
                if is_meant(folder):
                    found.append(int(folder.name))
    return found


def descendants() -> list[int]:
    """List the children of this process, adopted orphans included, that have not ended."""
    me = str(os.getpid())

    def is_mine(folder: Path) -> bool:
        state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        return parent == me and state != "Z"

    return _processes(is_mine)


def end(find: Callable[[], list[int]], first: signal.Signals, *, patience: float = 10) -> int:
    """End the processes that `find` lists, gently and then not; return how many there were."""
    there = find()
    for number in (first, signal.SIGKILL):
        deadline = time.monotonic() + patience
        asked: set[int] = set()
        while (left := find()) and time.monotonic() < deadline:
            for pid in set(left) - asked:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            asked |= set(left)
            time.sleep(0.05)
    return len(there)


# --- one run at a time ---------------------------------------------------------------------------


class Busy(Exception):
    """Another run holds the folder."""


@contextmanager
def claim(lock: Path, *, patience: float = 0) -> Iterator[None]:
    """Hold the lock file; the kernel lets go of it when this process dies, however it dies.

    Raises Busy when another process still holds it after `patience` seconds.
    """
    deadline = time.monotonic() + patience
    with lock.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() >= deadline:
                    raise Busy from None
                time.sleep(0.1)
        yield


def make_folder(folder: Path, mode: int = 0o711) -> Path:
    """Create a folder; the mode lets the account of the servers pass through to its own."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(mode)
    return folder


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# --- what the reader sees ------------------------------------------------------------------------


class Report:
    """Print one line for each phase, with the seconds that it took."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._open = False
        self._notes: list[str] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time what happens inside; the line is begun at once and completed at the end."""
        began = time.monotonic()
        print(f"  {name} ".ljust(46, "."), end=" ", flush=True)
        self._open = True
        try:
            yield
        except BaseException:
            print("stopped", flush=True)
            raise
        else:
            print(f"{time.monotonic() - began:6.1f} s", flush=True)
        finally:
            self._open = False
            for note in self._notes:
                print(f"    {note}", flush=True)
            self._notes.clear()

    def note(self, text: str) -> None:
        """Print a remark, after the line of the phase that it falls in."""
        if self._open:
            self._notes.append(text)
        else:
            print(f"    {text}", flush=True)

    def elapsed(self) -> float:
        """Return the seconds since the command began."""
        return time.monotonic() - self.began


def carry_out(command: Callable[[Report], int]) -> NoReturn:
    """Run a command to its exit code; say why when it cannot go on."""
    stop_with_make()
    stop_on_signals()
    adopt_orphans()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    code = 1
    try:
        code = command(Report())
    except Halt as reason:
        print(f"\n{reason}", file=sys.stderr, flush=True)
    except Stopped as why:
        print(f"\nStopped ({why}).", file=sys.stderr, flush=True)
        code = 130
    except BrokenPipeError:
        code = 1
    finally:
        ignore_signals()
        end(descendants, signal.SIGTERM, patience=3)
    raise SystemExit(code)
