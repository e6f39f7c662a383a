"""Measure what is held to a limit, each benchmark by itself: `make bench`."""

from deploy import application
from deploy.machine import PYTHON, TOP, VAR, set_up
from deploy.processes import Busy, Halt, Report, carry_out, claim, make_folder, spawn, wait_for
from deploy.servers import servers

FOLDER = VAR / "bench"


def main(report: Report) -> int:
    """Run all benchmarks; return 1 if one of them missed its limit."""
    names = sorted(
        file.stem for file in (TOP / "benchmarks").glob("*.py") if not file.name.startswith("_")
    )
    if not names:
        print("There is no benchmark in benchmarks/.")
        return 0
    for folder in (VAR, FOLDER, FOLDER / "log"):
        make_folder(folder)
    missed = []
    try:
        with claim(FOLDER / "lock"):
            set_up("test", report)
            with servers(FOLDER, durable=False, say=report.note) as given:
                env = application.environment(FOLDER, given, PORTAL_HTTP="1", PORTAL_DEMO="1")
                application.prepare(FOLDER, env, given.children, report)
                for name in names:
                    print(f"\n{name}", flush=True)
                    process = spawn(
                        [str(PYTHON), "-m", f"benchmarks.{name}"], mark=FOLDER, env=env, cwd=TOP
                    )
                    wait_for(process, watched=given.children)
                    if process.returncode:
                        missed.append(name)
    except Busy:
        raise Halt("Another make bench of this checkout runs; it was left alone.") from None
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nall within their limits")
    return 1 if missed else 0


if __name__ == "__main__":
    carry_out(main)
