"""Resolve requirements and browser libraries anew, without addresses: `make lock`."""

import shutil
import subprocess

from deploy.machine import REQUIREMENTS, TOP
from deploy.processes import Halt, Report, carry_out


def main(report: Report) -> int:
    """Write requirements*.txt with exact versions and hashes, and package-lock.json."""
    if not shutil.which("uv"):
        raise Halt("uv is missing: python3 -m pip install uv, or take it from its own site.")
    for purpose, name in REQUIREMENTS.items():
        with report.phase(name):
            command = ["uv", "pip", "compile", "--quiet", "--python-version", "3.11"]
            command += ["--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"]
            command += ["--no-emit-find-links", "--output-file", name, "pyproject.toml"]
            command += ["--extra", "dev"] if purpose == "test" else []
            subprocess.run(command, cwd=TOP, check=True)
    with report.phase("package-lock.json"):
        # .npmrc tells npm to leave the addresses out.
        subprocess.run(["npm", "install", "--package-lock-only"], cwd=TOP, check=True)
    return 0


if __name__ == "__main__":
    carry_out(main)
