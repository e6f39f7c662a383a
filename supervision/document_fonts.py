"""Find the faces of GB/T 9704-2012 on this machine and measure them.

The official fonts are licensed and named first; where an administrator has not installed them,
free ones that cover the text take their place.
"""

import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import Any

from fontTools.pens.boundsPen import BoundsPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Face:
    """A face the standard names: licensed families first, then free families and their weight."""

    official: tuple[str, ...]
    free: tuple[str, ...]
    free_weight: int = 400

    @property
    def families(self) -> tuple[str, ...]:
        """Return all families in the order in which they are tried."""
        return self.official + self.free

    @property
    def css_stack(self) -> str:
        """Return the value of font-family."""
        return ",".join(f'"{family}"' for family in (*self.families, *LAST_RESORT))

    @property
    def font(self) -> "Font":
        """Return the first installed font of this face."""
        return find_font(self)

    @property
    def css_weight(self) -> int:
        """Return 400 for an official font, which is drawn in its weight, or the free one's."""
        return 400 if self.font.family in self.official else self.free_weight


LAST_RESORT = ("Noto Serif CJK SC", "Noto Sans CJK SC")
TITLE_SONG = Face(
    ("方正小标宋简体", "方正小标宋_GBK", "FZXiaoBiaoSong-B05S"), ("Noto Serif CJK SC",), 700
)
FANGSONG = Face(("仿宋_GB2312", "FangSong_GB2312", "FangSong", "仿宋"), ("Noto Serif CJK SC",))
KAITI = Face(("楷体_GB2312", "KaiTi_GB2312", "KaiTi", "楷体"), ("AR PL KaitiM GB",))
HEITI = Face(("SimHei", "黑体"), ("Noto Sans CJK SC",), 700)
SONGTI = Face(("SimSun", "宋体"), ("Noto Serif CJK SC",))


@dataclass(frozen=True)
class Font:
    """An installed font file; all measures are in em."""

    family: str
    path: str
    index: int

    def _open(self) -> Any:
        return TTFont(self.path, fontNumber=self.index, lazy=True)

    @cached_property
    def _tables(self) -> "_Tables":
        with self._open() as font:
            units = font["head"].unitsPerEm
            return _Tables(
                units,
                font["hhea"].ascent / units,
                -font["hhea"].descent / units,
                font.getBestCmap() or {},
                font["hmtx"].metrics,
            )

    def advance(self, text: str) -> float:
        """Return how far the text runs; a character the font lacks counts as a full one."""
        return sum(self._tables.advance(character) for character in text)

    def ink(self, text: str) -> tuple[float, float]:
        """Return how far the text's ink reaches above and below the baseline."""
        return _ink(self, text)

    def baseline(self, line_height: float) -> float:
        """Return the baseline's distance from the top of a line box of this height (em)."""
        ascent, descent = self._tables.ascent, self._tables.descent
        return (line_height - ascent - descent) / 2 + ascent


@dataclass
class _Tables:
    """What is read once from a font file."""

    units: int
    ascent: float
    descent: float
    glyphs: dict[int, str]
    widths: dict[str, tuple[int, int]]
    advances: dict[str, float] = field(default_factory=dict)

    def advance(self, character: str) -> float:
        known = self.advances.get(character)
        if known is None:
            glyph = self.glyphs.get(ord(character))
            known = 1.0 if glyph is None else self.widths[glyph][0] / self.units
            self.advances[character] = known
        return known


@lru_cache(maxsize=256)
def _ink(font: Font, text: str) -> tuple[float, float]:
    tables = font._tables
    bottoms, tops = [], []
    with font._open() as opened:
        glyphs = opened.getGlyphSet()
        for character in text:
            name = tables.glyphs.get(ord(character))
            pen = BoundsPen(glyphs)
            if name is not None:
                glyphs[name].draw(pen)
            if pen.bounds is not None:
                bottoms.append(pen.bounds[1])
                tops.append(pen.bounds[3])
    if not tops:
        return 0.88, -0.12
    return max(tops) / tables.units, min(bottoms) / tables.units


@cache
def find_font(face: Face) -> Font:
    """Return the first family of the face that fontconfig has; raise FileNotFoundError if none."""
    for family in (*face.families, *LAST_RESORT):
        weight = 200 if family in face.free and face.free_weight >= 700 else 80
        found, path, index = _match(f"{family}:weight={weight}")
        if family in found:
            return Font(family, path, index)
    raise FileNotFoundError(
        f"这台机器上没有『{face.families[0]}』,也没有可以代替它的字体。"
        "请安装软件包 fonts-noto-cjk 和 fonts-arphic-gkai00mp,或安装该字体。"
    )


def _match(pattern: str) -> tuple[list[str], str, int]:
    command = shutil.which("fc-match")
    if command is None:
        raise FileNotFoundError("找不到 fc-match。请安装软件包 fontconfig。")
    answer = subprocess.run(  # noqa: S603 - the pattern holds nothing but the families above
        [command, "--format=%{family}\n%{file}\n%{index}", pattern],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    families, path, index = answer.stdout.split("\n")
    return families.split(","), path, int(index)
