"""Delete all that the commands have made in this checkout: `make clean`."""

from contextlib import ExitStack
from pathlib import Path

from deploy.machine import COMMANDS, TOP, VAR, VENV
from deploy.processes import Busy, Halt, Report, carry_out, claim, remove
from deploy.servers import short_folder

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis")


def main(report: Report) -> int:
    """Delete and say what; refuse while a command of this checkout runs."""
    with ExitStack() as stack:
        for command in COMMANDS:
            if (VAR / command).is_dir():
                try:
                    stack.enter_context(claim(VAR / command / "lock"))
                except Busy:
                    raise Halt(f"make {command} of this checkout runs; stop it first.") from None
        for path in sorted(made_here()):
            print(f"deleting {path}", flush=True)
            remove(path)
    print(f"done in {report.elapsed():.1f} s")
    return 0


def made_here() -> set[Path]:
    """List what the commands have made: in the checkout and, if they had to, outside of it."""
    paths = {VAR, VENV, TOP / "node_modules", *(TOP / name for name in CACHES)}
    libraries = {VENV, TOP / "node_modules"}
    paths |= {path for path in TOP.rglob("__pycache__") if not libraries & set(path.parents)}
    for command in COMMANDS:
        folder = VAR / command
        place = folder / "servers"
        pointer = folder / "servers-are-in"
        if pointer.exists():
            place = Path(pointer.read_text().strip())
            paths.add(place)
        paths.add(short_folder(place))
    return {path for path in paths if path.exists()}


if __name__ == "__main__":
    carry_out(main)
