"""Draw a chart as one SVG that serves the page and the PDF alike."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Figure = Decimal | int | float | None
"""A number to draw; None leaves a gap and prints as an em dash in the table."""


@dataclass(frozen=True)
class Series:
    """One row of figures, one figure for each category of its chart.

    A series named like a disposition (关闭取缔 …) wears that disposition's colour and hatch.
    """

    name: str
    values: tuple[Figure, ...]


@dataclass(frozen=True)
class Chart:
    """Figures to draw over categories; `unit` is the word printed with the scale (座, 万吨/年, %)."""

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
