"""Describe a mine in columns, for the list on screen and for what is taken out of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from mines.models import Boundary, Licence, Mine
from standards.figures import convert
from standards.terms import MineState, ScaleUnit

# A licence that ends so soon is pointed out: an extension is to be asked for 30 days ahead.
SOON = timedelta(days=90)
STATE_TONES: dict[str, str] = {
    MineState.PRODUCING: "done",
    MineState.CONSTRUCTION: "active",
    MineState.PREPARING: "active",
    MineState.SUSPENDED: "waiting",
    MineState.HALTED: "waiting",
    MineState.CLOSED: "stopped",
}

Value = str | Decimal | date | None


@dataclass(frozen=True, slots=True)
class Column:
    """Name one column: its key, its head, its unit, and how its value is read off a mine.

    `sort` is the key of `filters.SORTS`; `shown` says whether the list shows it unasked. `listed`
    leads from a row of the list to the same value; the list reads nothing else of a mine.
    """

    key: str
    label: str
    value: Callable[[Mine], Value]
    listed: str = ""
    unit: str = ""
    num: bool = False
    sort: str = ""
    shown: bool = True


def plain(number: Decimal) -> str:
    """Write a number without trailing zeros and without an exponent."""
    return format(number.normalize(), "f")


def _licence(read: Callable[[Licence], Value]) -> Callable[[Mine], Value]:
    return lambda mine: read(mine.licence) if mine.licence else None


def boundary_of(mine: Mine) -> Boundary | None:
    """Return the boundary that was loaded with the mine, or None when there is none."""
    return getattr(mine, "boundary", None)


def scale_wan_t(mine: Mine) -> Decimal | None:
    """Return the design scales of all systems together in 万吨/年; None while one is unknown."""
    total = Decimal(0)
    systems = mine.systems.all()
    for system in systems:
        unit = ScaleUnit(system.unit) if system.unit else None
        amount = convert(system.design_scale, unit, mine.density)
        if amount is None:
            return None
        total += amount
    if not systems:
        return None
    return total.quantize(Decimal("0.01"), ROUND_HALF_UP).normalize()


def scale_in_words(mine: Mine) -> str:
    """Return each system's design scale as it was entered, with its unit."""
    return "；".join(
        f"{system.name} {plain(system.design_scale)} {system.get_unit_display()}"
        for system in mine.systems.all()
        if system.design_scale is not None
    )


def _area(mine: Mine) -> Decimal | None:
    boundary = boundary_of(mine)
    return boundary.area_km2 if boundary else None


def _drawn(mine: Mine) -> str:
    boundary = boundary_of(mine)
    if boundary is None:
        return "没有范围"
    return "示意" if boundary.is_schematic else "按坐标"


def _verdict(mine: Mine) -> str:
    standing = getattr(mine, "standing", None)
    return standing.get_verdict_display() if standing else ""


COLUMNS = (
    Column("no", "台账编号", lambda mine: mine.registry_no, "registry_no", sort="no", shown=False),
    Column("county", "县（市、区）", lambda mine: mine.county.name, "county__name", sort="county"),
    Column("township", "乡镇", lambda mine: mine.township, "mine__township", shown=False),
    Column(
        "holder", "采矿权人", lambda mine: mine.holder.name, "holder", sort="holder", shown=False
    ),
    Column("mineral", "矿种", lambda mine: mine.mineral.name, "mineral__name", sort="mineral"),
    Column("method", "开采方式", lambda mine: mine.get_method_display(), "method", sort="method"),
    Column("state", "生产状态", lambda mine: mine.get_state_display(), "state", sort="state"),
    Column("scale", "设计规模", scale_wan_t, "scale_wan_t", unit="万吨/年", num=True, sort="scale"),
    Column(
        "life",
        "服务年限",
        lambda mine: mine.service_life_years,
        "service_life_years",
        unit="年",
        num=True,
        sort="life",
    ),
    Column("licence", "采矿许可证号", _licence(lambda row: row.number), "licence_no", shown=False),
    Column("ends", "证到期日", _licence(lambda row: row.valid_to), "licence_ends", sort="ends"),
    Column("area", "范围面积", _area, "area_km2", unit="km²", num=True, sort="area"),
    Column(
        "recoverable",
        "可采储量",
        lambda mine: mine.recoverable,
        "mine__recoverable",
        unit="万吨",
        num=True,
        shown=False,
    ),
    Column("findings", "检查结论", _verdict, "verdict", shown=False),
    Column("as_of", "数据截止", lambda mine: mine.as_of, "as_of", sort="as_of", shown=False),
)

# What a file carries beyond the list.
MORE = (
    Column("systems", "各生产系统设计规模", scale_in_words),
    Column("licensed", "证载规模", _licence(lambda row: row.scale), num=True),
    Column("licensed_unit", "证载规模单位", _licence(lambda row: row.get_scale_unit_display())),
    Column("starts", "证起始日", _licence(lambda row: row.valid_from)),
    Column("top", "开采标高上限", _licence(lambda row: row.elevation_top_m), unit="m", num=True),
    Column(
        "bottom", "开采标高下限", _licence(lambda row: row.elevation_bottom_m), unit="m", num=True
    ),
    Column("density", "体重", lambda mine: mine.density, unit="吨/立方米", num=True),
    Column("suspended", "停产起始日期", lambda mine: mine.suspended_since),
    Column("drawn", "范围来源", _drawn),
    Column("given_by", "数据来源", lambda mine: mine.given_by),
    Column("demo", "示例数据", lambda mine: "是" if mine.is_demo else "否"),
)
NAME = Column("name", "矿山名称", lambda mine: mine.name, "name", sort="name")
FILE_COLUMNS = (NAME, *COLUMNS, *MORE)
