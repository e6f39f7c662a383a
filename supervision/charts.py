"""Draw a chart as one SVG that serves the page and the PDF alike.

Colour is given as presentation attributes only, and each filling differs in grey print too.
"""

import hashlib
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from standards.terms import Disposition

Figure = Decimal | int | float | None
"""A number to draw; None leaves a gap and prints as an em dash in the table."""


MOST_ACROSS = 8


@dataclass(frozen=True)
class Series:
    """One row of figures, one figure for each category of its chart.

    A series named like a disposition (关闭取缔 …) wears that disposition's colour and hatch.
    """

    name: str
    values: tuple[Figure, ...]


@dataclass(frozen=True)
class Chart:
    """Figures to draw over categories; `unit` is printed with the scale (座, 万吨/年, %)."""

    kind: Literal["bar", "grouped", "line"]
    title: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str

    def __post_init__(self) -> None:
        """Raise ValueError when a series does not cover the categories exactly."""
        if not self.series or not self.categories:
            raise ValueError(f"统计图『{self.title}』没有数据。请至少给出一个系列和一个类别。")
        if self.kind == "bar" and len(self.series) != 1:
            raise ValueError(f"统计图『{self.title}』是单系列柱图,却有 {len(self.series)} 个系列。")
        for series in self.series:
            if len(series.values) != len(self.categories):
                raise ValueError(
                    f"统计图『{self.title}』的系列『{series.name}』有 {len(series.values)} 个数,"
                    f"而类别有 {len(self.categories)} 个。请补齐后再生成。"
                )

    def figures(self) -> tuple[tuple[str, ...], ...]:
        """Return the chart's table, head row first: categories across while there are few."""
        printed = [[figure(value) for value in series.values] for series in self.series]
        names = [series.name for series in self.series]
        if len(self.categories) <= MOST_ACROSS:
            rows = [(name, *values) for name, values in zip(names, printed, strict=True)]
            return (("", *self.categories), *rows)
        by_category = zip(self.categories, *printed, strict=True)
        return (("", *names), *by_category)


def figure(value: Figure) -> str:
    """Return a figure as it is printed: no exponent, no trailing zeros of a float, — for None."""
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


WIDTH, HEIGHT = 640, 264
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 40, 42
PLOT_WIDTH = WIDTH - LEFT - RIGHT
INK, MUTED, LINE_GREY, PAPER, TEAL = "#1b2430", "#5b6675", "#c9cfcc", "#ffffff", "#0f5c63"
# No blanks after the commas: WeasyPrint would take them for a part of the name.
FAMILIES = "SimHei,Noto Sans CJK SC,Microsoft YaHei,PingFang SC,sans-serif"
TEXT_SIZE, SMALL_SIZE = 14, 12

Hatch = Literal["solid", "wide", "cross", "dots", "level"]
DISPOSITION_LOOKS: dict[str, tuple[str, Hatch]] = {
    Disposition.CLOSE.label: ("#7a1f2b", "solid"),
    Disposition.EXIT.label: ("#c77d1e", "wide"),
    Disposition.MERGE.label: ("#1f6f8b", "cross"),
    Disposition.UPGRADE.label: ("#4f8a3c", "dots"),
    Disposition.KEEP.label: (MUTED, "level"),
}
PLAIN_LOOKS: tuple[tuple[str, Hatch], ...] = (
    (TEAL, "solid"),
    ("#c77d1e", "wide"),
    ("#1f6f8b", "cross"),
    ("#4f8a3c", "dots"),
    (MUTED, "level"),
    ("#7a1f2b", "solid"),
)
DASHES = ("none", "9 5", "3 4", "12 4 3 4", "6 2")


def render_chart_svg(chart: Chart) -> str:
    """Return the chart as one <svg> without scripts, styles or links, titled for screen readers."""
    return tostring(_Drawing(chart).svg, encoding="unicode")


def _looks(chart: Chart) -> list[tuple[str, Hatch]]:
    """Return a look for each series, or for each bar of a single series."""
    if chart.kind == "bar":
        return [DISPOSITION_LOOKS.get(name, PLAIN_LOOKS[0]) for name in chart.categories]
    return [
        DISPOSITION_LOOKS.get(series.name, PLAIN_LOOKS[i % len(PLAIN_LOOKS)])
        for i, series in enumerate(chart.series)
    ]


def scale_steps(lowest: float, highest: float) -> list[float]:
    """Return four to eight round values that reach from the lowest to the highest, 0 included."""
    lowest, highest = min(0.0, lowest), max(0.0, highest)
    if lowest == highest:
        highest = 1.0
    rough = (highest - lowest) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(lowest / step), math.ceil(highest / step)
    return [round(i * step, 9) for i in range(first, last + 1)]


class _Drawing:
    """The chart while it is drawn; positions in the units of the 640 x 264 view box."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.looks = _looks(chart)
        self.legend = _place_legend(chart)
        self.top = TOP + 18 * max((row for _, _, row in self.legend), default=0)
        self.plot_height = HEIGHT - self.top - BOTTOM
        numbers = [float(v) for series in chart.series for v in series.values if v is not None]
        self.steps = scale_steps(min(numbers, default=0), max(numbers, default=0))
        self.key = "c" + hashlib.sha256(repr(chart).encode()).hexdigest()[:10]
        self.svg = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {WIDTH} {HEIGHT}",
                "width": "100%",
                "role": "img",
                "aria-labelledby": f"{self.key}-title {self.key}-desc",
                "font-family": FAMILIES,
                "font-size": str(TEXT_SIZE),
            },
        )
        self._describe()
        self._define_hatches()
        self._draw_scale()
        self._draw_categories()
        if chart.kind == "line":
            self._draw_lines()
        else:
            self._draw_bars()
        self._draw_legend()

    def _describe(self) -> None:
        chart = self.chart
        SubElement(self.svg, "title", {"id": f"{self.key}-title"}).text = chart.title
        told = "；".join(
            f"{series.name}："
            + "，".join(
                f"{category}{figure(value)}"
                for category, value in zip(chart.categories, series.values, strict=True)
            )
            for series in chart.series
        )
        unit = f"单位：{chart.unit}。" if chart.unit else ""
        SubElement(self.svg, "desc", {"id": f"{self.key}-desc"}).text = f"{unit}{told}。"

    def _define_hatches(self) -> None:
        definitions = SubElement(self.svg, "defs")
        for i, (colour, hatch) in enumerate(self.looks):
            if hatch == "solid":
                continue
            side = {"wide": 9, "cross": 7, "dots": 6, "level": 5}[hatch]
            pattern = SubElement(
                definitions,
                "pattern",
                {
                    "id": f"{self.key}-{i}",
                    "width": str(side),
                    "height": str(side),
                    "patternUnits": "userSpaceOnUse",
                },
            )
            square = {"width": str(side), "height": str(side), "fill": PAPER}
            SubElement(pattern, "rect", square)
            if hatch == "dots":
                mark = {"cx": "3", "cy": "3", "r": "1.7", "fill": colour}
                SubElement(pattern, "circle", mark)
                continue
            strokes = {
                "wide": f"M-2,2 L2,-2 M0,{side} L{side},0 M{side - 2},{side + 2} L{side + 2},"
                f"{side - 2}",
                "cross": f"M0,0 L{side},{side} M{side},0 L0,{side}",
                "level": f"M0,{side / 2} L{side},{side / 2}",
            }[hatch]
            width = {"wide": "2.4", "cross": "1.3", "level": "1.2"}[hatch]
            SubElement(
                pattern,
                "path",
                {"d": strokes, "stroke": colour, "stroke-width": width, "fill": "none"},
            )

    def _fill(self, i: int) -> str:
        colour, hatch = self.looks[i]
        return colour if hatch == "solid" else f"url(#{self.key}-{i})"

    def _y(self, value: float) -> float:
        low, high = self.steps[0], self.steps[-1]
        return self.top + self.plot_height * (high - value) / (high - low)

    def _text(self, x: float, y: float, text: str, anchor: str = "middle", **more: str) -> None:
        attributes = {"x": _n(x), "y": _n(y), "text-anchor": anchor, "fill": INK}
        attributes.update({name.replace("_", "-"): value for name, value in more.items()})
        SubElement(self.svg, "text", attributes).text = text

    def _stroke(self, x1: float, y1: float, x2: float, y2: float, colour: str) -> None:
        ends = {"x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2)}
        SubElement(self.svg, "line", {**ends, "stroke": colour, "stroke-width": "1"})

    def _draw_scale(self) -> None:
        for value in self.steps:
            y = self._y(value)
            self._stroke(LEFT, y, WIDTH - RIGHT, y, INK if value == 0 else LINE_GREY)
            self._text(LEFT - 7, y + 4.5, figure(value), "end", font_size=str(SMALL_SIZE))
        if self.chart.unit:
            label = f"单位：{self.chart.unit}"
            self._text(4, 16, label, "start", font_size=str(SMALL_SIZE))

    def _band(self) -> float:
        return PLOT_WIDTH / len(self.chart.categories)

    def _draw_categories(self) -> None:
        band = self._band()
        size = TEXT_SIZE if band >= 44 else SMALL_SIZE
        every = max(1, math.ceil(size * 2.4 / band))
        in_line = max(2, int(band // size))
        for i, category in enumerate(self.chart.categories):
            if i % every:
                continue
            x = LEFT + band * (i + 0.5)
            lines = [category] if _wide(category) <= in_line else _halves(category, in_line)
            for k, line in enumerate(lines):
                y = HEIGHT - BOTTOM + 18 + k * (size + 2)
                self._text(x, y, line, font_size=str(size))

    def _draw_bars(self) -> None:
        band, many = self._band(), len(self.chart.series)
        slot = min(64.0 if many == 1 else 40.0, band * 0.78 / many)
        width = slot * (0.72 if many == 1 else 0.88)
        for s, series in enumerate(self.chart.series):
            for c, value in enumerate(series.values):
                if value is None:
                    continue
                middle = LEFT + band * (c + 0.5) + slot * (s - (many - 1) / 2)
                top, foot = sorted((self._y(float(value)), self._y(0)))
                attributes = {"x": _n(middle - width / 2), "y": _n(top), "width": _n(width)}
                look = c if self.chart.kind == "bar" else s
                attributes |= {"height": _n(foot - top), "fill": self._fill(look)}
                attributes |= {"stroke": self.looks[look][0], "stroke-width": "1"}
                SubElement(self.svg, "rect", attributes)
                label = figure(value)
                if len(label) * SMALL_SIZE * 0.56 <= slot + 3:
                    y = top - 4 if value >= 0 else foot + SMALL_SIZE
                    self._text(middle, y, label, font_size=str(SMALL_SIZE))

    def _draw_lines(self) -> None:
        band = self._band()
        for s, series in enumerate(self.chart.series):
            colour = self.looks[s][0]
            points = [
                (LEFT + band * (c + 0.5), self._y(float(value)), figure(value))
                if value is not None
                else None
                for c, value in enumerate(series.values)
            ]
            path = ""
            previous = None
            for point in points:
                if point is not None:
                    path += f"{'L' if previous else 'M'}{_n(point[0])},{_n(point[1])} "
                previous = point
            self._dash(path.strip(), s)
            for point in points:
                if point is not None:
                    self._mark(point[0], point[1], s, colour)
                    if len(self.chart.series) == 1 and band >= 30:
                        self._text(point[0], point[1] - 9, point[2], font_size=str(SMALL_SIZE))

    def _dash(self, path: str, s: int) -> None:
        stroke = {"stroke": self.looks[s][0], "stroke-width": "2", "fill": "none"}
        dashes = {"stroke-dasharray": DASHES[s % len(DASHES)]}
        SubElement(self.svg, "path", {"d": path, **stroke, **dashes})

    def _mark(self, x: float, y: float, s: int, colour: str) -> None:
        shape = {"stroke": colour, "stroke-width": "1.6", "fill": PAPER if s % 2 else colour}
        if s % 3 == 0:
            SubElement(self.svg, "circle", {"cx": _n(x), "cy": _n(y), "r": "4", **shape})
        elif s % 3 == 1:
            square = {"x": _n(x - 3.8), "y": _n(y - 3.8), "width": "7.6", "height": "7.6"}
            SubElement(self.svg, "rect", {**square, **shape})
        else:
            corners = f"M{_n(x)},{_n(y - 5)} L{_n(x + 5)},{_n(y + 4)} L{_n(x - 5)},{_n(y + 4)} Z"
            SubElement(self.svg, "path", {"d": corners, **shape})

    def _draw_legend(self) -> None:
        for s, x, row in self.legend:
            name, y = self.chart.series[s].name, 12 + 18 * row
            if self.chart.kind == "line":
                self._dash(f"M{_n(x)},{y} L{_n(x + 26)},{y}", s)
                self._mark(x + 13, y, s, self.looks[s][0])
            else:
                box = {"x": _n(x), "y": str(y - 7), "width": "26", "height": "13"}
                box |= {"fill": self._fill(s), "stroke": self.looks[s][0], "stroke-width": "1"}
                SubElement(self.svg, "rect", box)
            self._text(x + 31, y + 5, name, "start")


def _place_legend(chart: Chart) -> list[tuple[int, float, int]]:
    """Return (series, x, row) of each legend entry, right of the unit, in as few rows as fit."""
    if len(chart.series) == 1:
        return []
    left = LEFT + 50.0
    widths = [31 + _wide(series.name) * TEXT_SIZE + 14 for series in chart.series]
    x = max(left, WIDTH - sum(widths))
    places, row = [], 0
    for s, width in enumerate(widths):
        if x + width > WIDTH + 14 and x > left:
            x, row = left, row + 1
        places.append((s, x, row))
        x += width
    return places


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _wide(text: str) -> float:
    """Count in full-width characters, two half-width ones for one."""
    return sum(0.55 if character.isascii() else 1.0 for character in text)


def _halves(text: str, in_line: int) -> list[str]:
    """Return two lines; what does not fit into them ends in an ellipsis (the table has it all)."""
    if len(text) <= 2 * in_line:
        middle = -(-len(text) // 2)
        return [text[:middle], text[middle:]]
    return [text[:in_line], text[in_line : 2 * in_line - 1] + "…"]
