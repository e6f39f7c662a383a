"""Hold docs/security.md to the list of requirements and to the tests that it names."""

import re
from collections import Counter

from django.conf import settings

TEXT = (settings.BASE_DIR / "docs" / "security.md").read_text(encoding="utf-8")
REQUIREMENT = re.compile(r"(?<![\d.])\d{1,2}\.\d{1,2}\.\d{1,2}(?![\d.])")


def _rows(heading: str) -> list[list[str]]:
    part = TEXT.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line.strip().strip("|").split("|") for line in part.splitlines() if "|" in line]
    return [[cell.strip() for cell in cells] for cells in lines[2:]]


def _ids(rows: list[list[str]]) -> list[str]:
    return [each for row in rows for each in REQUIREMENT.findall(row[0])]


def test_each_requirement_of_level_two_stands_there_once() -> None:
    applies = _ids(_rows("Requirements that apply"))
    not_now = _ids(_rows("Requirements that do not apply"))
    assert (len(applies), len(not_now)) == (194, 59)
    assert [each for each, times in Counter(applies + not_now).items() if times > 1] == []
    chapters = Counter(each.partition(".")[0] for each in applies + not_now)
    assert sorted(map(int, chapters)) == [*range(1, 8), 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]


def test_each_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)
    assert len(named) >= 50
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (settings.BASE_DIR / path).exists()
        or (
            name
            and not re.search(
                rf"^def {name}\(",
                (settings.BASE_DIR / path).read_text(encoding="utf-8"),
                re.MULTILINE,
            )
        )
    ]
    assert missing == []


def test_what_is_met_names_its_tests_and_what_is_not_says_why() -> None:
    for requirements, status, note, tests in _rows("Requirements that apply"):
        assert status in ("met", "part", "open"), requirements
        assert note, requirements
        assert status == "open" or "`tests/" in tests, requirements
