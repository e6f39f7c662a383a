"""Break Chinese lines as an official document wants them: 28 characters, flush on both sides."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from supervision.document_fonts import Font

MM = 72 / 25.4
"""Points in a millimetre."""

AREA_WIDTH_MM = 156.0
AREA_HEIGHT_MM = 225.0
LINES_ON_PAGE = 22
CHARACTERS_IN_LINE = 28
CHARACTER_MM = AREA_WIDTH_MM / CHARACTERS_IN_LINE
LINE_MM = AREA_HEIGHT_MM / LINES_ON_PAGE

CLOSING = "，。、；：？！）》〉」』】〕”’％%‰℃°…—·"
OPENING = "（《〈「『【〔“‘"
COUNTED = "年月日时分座个家份处项次期号类种批万亿元吨米度"
TIGHTEST = -0.05
WIDEST = 0.15
"""Bounds of the letter spacing in a justified line (em)."""

_ATOM = re.compile(rf"[0-9A-Za-z][0-9A-Za-z.,:/+\-²³]*[%‰℃{COUNTED}]?|—+|…+|\s+|.", flags=re.DOTALL)


@dataclass(frozen=True)
class Line:
    """One printed line and the letter spacing that makes it flush (points)."""

    text: str
    spacing: float

    @property
    def css_spacing(self) -> str:
        """Return the spacing as a CSS length."""
        return f"{self.spacing:.3f}pt"


def pieces(text: str) -> Iterator[str]:
    """Yield the runs that no line break may split: numbers, and marks with their neighbour."""
    held = ""
    for atom in _ATOM.findall(text):
        starts_line_badly = atom[0] in CLOSING
        if held and not starts_line_badly and held[-1] not in OPENING:
            yield held
            held = ""
        held += " " if atom.isspace() else atom
    if held:
        yield held


def set_lines(
    text: str, font: Font, *, size: float, width: float, first_indent: float = 0, grid: float = 0
) -> tuple[Line, ...]:
    """Return the lines of a paragraph of `size` points set `width` points wide.

    `grid` is the pitch of a full-width character (points), the natural spacing of the text; 0 for
    none. All lines but the last are made flush.
    """
    natural = grid - size if grid else 0.0
    lines: list[Line] = []
    room, held, run = width - first_indent, "", 0.0
    for piece in _fitting(text, font, size, width):
        advance = font.advance(piece) * size
        count = len(held) + len(piece)
        loose = run + advance + natural * count
        tight = run + advance + TIGHTEST * size * count
        if held and loose > room + 0.05 and not (piece[-1] in CLOSING and tight <= room):
            lines.append(_flush(held, font, size, room))
            room, held, run = width, "", 0.0
            piece = piece.lstrip()
            advance = font.advance(piece) * size
        held += piece
        run += advance
    last = held.rstrip()
    overfull = font.advance(last) * size + natural * len(last) > room
    lines.append(_flush(last, font, size, room) if overfull else Line(last, natural))
    return tuple(lines)


def _fitting(text: str, font: Font, size: float, width: float) -> Iterator[str]:
    """Yield the pieces, those too long for any line cut into their characters."""
    for piece in pieces(" ".join(text.split())):
        if font.advance(piece) * size > width:
            yield from piece
        else:
            yield piece


def _flush(text: str, font: Font, size: float, room: float) -> Line:
    text = text.rstrip()
    spacing = (room - font.advance(text) * size) / len(text)
    return Line(text, max(TIGHTEST * size, min(spacing, WIDEST * size)))


# What a title's lines must not cut; runs of digits, 《…》 and 〔…〕 never are.
WORDS = (
    "县(市、区)",
    "县（市、区）",
    "综合整治整合",
    "整治整合",
    "非煤矿山",
    "非煤行业",
    "行业管理",
    "工作专班",
    "工作方案",
    "实施方案",
    "专班",
    "办公室",
    "朔州市",
    "朔城区",
    "平鲁区",
    "山阴县",
    "应县",
    "右玉县",
    "怀仁市",
    "进展情况",
    "情况",
    "通报",
    "季度",
    "工作",
    "进展",
    "会议",
    "纪要",
    "简报",
    "矿业权",
    "采矿权",
    "资源",
    "管理",
    "完成",
    "推进",
    "全市",
    "关于",
    "文件",
)
_WORD = re.compile(
    r"\d+年|第?[一二三四五六七八九十\d]+季度|《[^》]{1,10}》|〔[^〕]*〕\d*号?|[0-9A-Za-z.%]+|"
    + "|".join(re.escape(word) for word in WORDS)
    + "|.",
    flags=re.DOTALL,
)
GOOD_LINE_END = "的及和与、，：》"
LONGEST_TITLE_LINE = 19


def break_title(title: str, longest: int = LONGEST_TITLE_LINE) -> tuple[str, ...]:
    """Return a title's lines, of lengths that make a trapezoid or a rhombus.

    `longest` is the most characters a line may hold. A newline in the title fixes the break.
    """
    if "\n" in title:
        return tuple(line.strip() for line in title.split("\n") if line.strip())
    words = tuple(_title_words(title.strip()))
    count = -(-_length("".join(words)) // longest)
    while count < len(words):
        divisions = list(_divisions(words, count, longest))
        if divisions:
            return min(divisions, key=_title_cost)
        count += 1
    return words


def _length(text: str) -> int:
    """Count in full-width characters, two half-width ones for one."""
    half = sum(character.isascii() for character in text)
    return len(text) - half + -(-half // 2)


def _title_words(title: str) -> list[str]:
    words: list[str] = []
    for word in _WORD.findall(title):
        if words and (word[0] in CLOSING or word == "的" or words[-1][-1] in OPENING):
            words[-1] += word
        else:
            words.append(word)
    return words


def _divisions(words: tuple[str, ...], count: int, longest: int) -> Iterator[tuple[str, ...]]:
    """Yield every way to set the words in `count` lines that are not too long."""
    if count == 1:
        line = "".join(words)
        if _length(line) <= longest:
            yield (line,)
        return
    if _length("".join(words)) > count * longest:
        return
    for cut in range(1, len(words) - count + 2):
        line = "".join(words[:cut])
        if _length(line) > longest:
            return
        for rest in _divisions(words[cut:], count - 1, longest):
            yield (line, *rest)


def _title_cost(lines: tuple[str, ...]) -> float:
    lengths = [_length(line) for line in lines]
    mean = sum(lengths) / len(lengths)
    cost = sum((length - mean) ** 2 for length in lengths) / len(lengths)
    steps = [later - earlier for earlier, later in pairwise(lengths)]
    if any(step == 0 for step in steps):
        cost += 6  # a rectangle is neither of the two shapes
    if any(a < 0 < b for a, b in pairwise(steps)):
        cost += 30  # an hourglass
    for line, following in pairwise(lines):
        if line[-1] not in GOOD_LINE_END:
            cost += 4 if _ends_with_word(line) and _starts_with_word(following) else 14
    return cost


def _ends_with_word(line: str) -> bool:
    return any(line.endswith(word) for word in WORDS)


def _starts_with_word(line: str) -> bool:
    return any(line.startswith(word) for word in WORDS)
