"""Run one of our own readers in a child process that may die without harm."""

import ctypes
import logging
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CLONE_NEWNET, CLONE_NEWUSER, PR_SET_PDEATHSIG = 0x40000000, 0x10000000, 1
log = logging.getLogger(__name__)


class ChildFailed(Exception):
    """A child that ended without an answer."""


class TooSlow(ChildFailed):
    """The child was stopped when its time ran out."""


class Killed(ChildFailed):
    """The child was ended by a limit on memory or processor time."""


class Broken(ChildFailed):
    """The child ended with an error of its own, which is in the log."""


def output_of(
    module: str, arguments: Sequence[str], *, seconds: float, given: bytes = b""
) -> bytes:
    """Return what `python -m module` writes; it sees neither our environment nor our secrets.

    Raises TooSlow, Killed or Broken.
    """
    try:
        child = subprocess.run(  # noqa: S603
            [sys.executable, "-B", "-m", module, *arguments],
            cwd=PROJECT,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONUTF8": "1"},
            input=given,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as slow:
        raise TooSlow from slow
    if child.returncode < 0:
        raise Killed
    if child.returncode > 0:
        log.error("%s failed: %s", module, child.stderr[-2000:].decode("utf-8", "replace"))
        raise Broken
    return child.stdout


def give_up_powers(*, memory_bytes: int, cpu_seconds: int, file_bytes: int = 0) -> None:
    """Take away this process's means to do harm: memory, time, files, network."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # An empty network, where the kernel lets an ordinary process have one.
    if system.unshare(CLONE_NEWNET) != 0:
        system.unshare(CLONE_NEWUSER | CLONE_NEWNET)
