"""Say what was read from a county's coordinates: a boundary, its problems, a mended boundary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mines.rings import Boundary

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """Name one thing wrong with the input, in a Chinese sentence that says what to do.

    `line` is the 1-based line of a text, or the 1-based point of a geometry file.
    """

    code: str
    severity: Severity
    line: int | None
    message: str
    found: str
    expected: str
    fix: str | None


@dataclass(frozen=True)
class Reading:
    """Hold what an input gave.

    `boundary` is the input as given, even with errors as long as its corners could be read, so
    that it can be drawn. `mended` differs from it only where a problem could be put right, and
    carries no error of its own; it is for the user to accept, never taken silently.
    """

    boundary: Boundary | None
    problems: tuple[Problem, ...] = ()
    mended: Boundary | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Return the problems for which the given boundary is refused."""
        return tuple(p for p in self.problems if p.severity == "error")

    @property
    def accepted(self) -> bool:
        """Tell whether the given boundary can be taken as it stands."""
        return self.boundary is not None and not self.errors


@dataclass(frozen=True)
class Limits:
    """State what is plausible where the coordinates come from, and how much is read.

    Metres. `zones` are the 3-degree zones that may occur, `reach_m` how far from its central
    meridian a zone may be used, `overlap_m2` what two regions may share through rounding.
    """

    zones: tuple[int, ...] = (37, 38)
    x_min: int = 4_300_000
    x_max: int = 4_500_000
    reach_m: int = 170_000
    max_points: int = 1000
    max_bytes: int = 1_000_000
    overlap_m2: float = 1.0


def problem(
    code: str,
    what: str,
    *,
    found: str = "",
    expected: str = "",
    fix: str | None = None,
    line: int | None = None,
    place: str = "",
    severity: Severity = "error",
) -> Problem:
    """Build a problem whose message names the place, what is wrong, what is right, what to do."""
    where = place or (f"第 {line} 行" if line is not None else "")
    message = f"{where}{what}"
    message += f"。应为:{expected}。" if expected else "。"
    if fix:
        message += f"{fix}。"
    return Problem(code, severity, line, message, found, expected, fix)


def refused(*problems: Problem) -> Reading:
    """Return a reading without any boundary."""
    return Reading(None, tuple(problems))


def list_places(lines: Sequence[int], noun: str = "行") -> str:
    """Return "第 3 行", "第 3、4 行" or "第 3、4、5 行等 12 处" for one problem in many places."""
    shown = "、".join(str(line) for line in lines[:3])
    more = f"等 {len(lines)} 处" if len(lines) > 3 else ""
    return f"第 {shown} {noun}{more}"
