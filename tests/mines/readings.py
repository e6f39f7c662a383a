"""Look into readings in tests."""

from mines.readings import Problem, Reading
from mines.rings import Boundary


def only(reading: Reading) -> Problem:
    """Return the one problem of a reading."""
    assert len(reading.problems) == 1, [p.message for p in reading.problems]
    return reading.problems[0]


def as_given(reading: Reading) -> Boundary:
    """Return the boundary as given, which there must be."""
    assert reading.boundary is not None, [p.message for p in reading.problems]
    return reading.boundary


def as_mended(reading: Reading) -> Boundary:
    """Return the mended boundary, which there must be."""
    assert reading.mended is not None, [p.message for p in reading.problems]
    return reading.mended


def codes(reading: Reading) -> list[str]:
    """Return the codes of the problems, in their order."""
    return [problem.code for problem in reading.problems]
