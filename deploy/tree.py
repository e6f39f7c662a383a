"""Refuse committed files that carry an address of a package registry or a path of one machine."""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

# Each pattern and what it finds. Written so that this file does not match itself.
FORBIDDEN = {
    r"\bpypi[.](?:org|python|tuna)|pythonhosted[.]": "address of a Python registry",
    r"\bregistry[.](?:npm|yarn|npmmirror)|\bnpmmirror[.]": "address of an npm registry",
    r"https?://(?:mirrors?|deb|archive|snapshot)[.][\w.-]+": "address of a package mirror",
    r"(?:^|\s)-{2}(?:extra-)?index-url|(?:^|\s)-{2}find-links": "option that names a registry",
    r'"resolved"\s*:': "address in a lock file",
    r"(?<![\w.~/-])/(?:home|Users)/\w": "path of one machine",
    r"(?<![\w.~/-])/[r]oot/": "path of one machine",
    r"[.]{2}/[s]hared/": "path outside of the repository",
}
LOCK_FILES = ("requirements.txt", "requirements-dev.txt")


def committed_files() -> list[Path]:
    """List the files that are committed or about to be: all that git does not ignore."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        capture_output=True,
        check=True,
    )
    names = sorted(set(answer.stdout.decode().split("\0")) - {""})
    return [TOP / name for name in names if (TOP / name).is_file()]


def offences(text: str, extra: dict[str, str] | None = None) -> list[tuple[int, str, str]]:
    """List line number, kind and match of all that a committed text must not hold."""
    found = []
    for pattern, kind in {**FORBIDDEN, **(extra or {})}.items():
        for match in re.finditer(pattern, text, re.MULTILINE):
            found.append((text.count("\n", 0, match.start()) + 1, kind, match[0].strip()))
    return sorted(found)


def own_place() -> dict[str, str]:
    """Return a pattern for this checkout's path, unless it is a usual place to install to."""
    if len(TOP.parts) < 3 or TOP.parts[1] in ("opt", "srv"):
        return {}
    return {re.escape(str(TOP)) + r"(?![\w-])": "path of this checkout"}


def unpinned(text: str) -> list[str]:
    """Name the requirements that lack an exact version or a hash."""
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE).strip())
    return [entry.split()[0] for entry in entries if "==" not in entry or "--hash=" not in entry]


def main() -> int:
    """Print every offence; return 1 if there is one."""
    bad = 0
    place = own_place()
    for file in committed_files():
        content = file.read_bytes()
        if b"\0" in content:
            continue
        for line, kind, match in offences(content.decode(errors="replace"), place):
            print(f"{file.relative_to(TOP)}:{line}: {kind}: {match}")
            bad += 1
    for name in LOCK_FILES:
        for entry in unpinned((TOP / name).read_text()):
            print(f"{name}: no exact version or no hash: {entry}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
