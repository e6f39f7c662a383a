"""Say once what the registry workbook holds: sheets, columns, units, choices, other names.

Template, parser, preview, the mapping of a county's own table and the tests read these tables.
Every value travels as text in one canonical form (see `mines.workbook_cells`), "" for none.
"""

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from mines.sheets import column_letters
from standards.terms import AcceptanceConclusion, Method, MineState, ScaleUnit, Term

TITLE_ROW, NOTE_ROW, HEAD_ROW, FIRST_ROW = 1, 2, 3, 4
GUIDE_SHEET, LISTS_SHEET = "填表说明", "_lists"
LICENCE_NO_LENGTH = 30


class StockKind(Term):
    """Classes of GB/T 17766-2020, as the registry stores them."""

    MEASURED = "measured", "探明资源量"
    INDICATED = "indicated", "控制资源量"
    INFERRED = "inferred", "推断资源量"
    PROVED = "proved", "证实储量"
    PROBABLE = "probable", "可信储量"


class StockUnit(Term):
    """Units of stocks that the standards can read."""

    WAN_T = "万吨", "万吨"
    WAN_M3 = "万立方米", "万立方米"


class Kind(Enum):
    """How a cell is written and read."""

    TEXT = "text"
    CODE = "code"  # letters and digits of a number, full-width ones made ordinary
    DECIMAL = "decimal"
    DATE = "date"
    TERM = "term"
    YES_NO = "yes_no"
    MINERAL = "mineral"
    CORNER = "corner"  # digits that stay as they were typed
    PERIOD = "period"  # two days in one cell, only in a county's own table
    HEIGHTS = "heights"  # two elevations in one cell, only in a county's own table


@dataclass(frozen=True)
class Column:
    """One column; `aliases` are other heads under which counties keep it.

    `places` and `below` are what the row can hold. `units` maps what a head may say in brackets
    to the factor that leads to our unit.
    """

    field: str
    head: str
    kind: Kind = Kind.TEXT
    width: int = 12
    note: str = ""
    required: bool = False
    terms: type[Term] | None = None
    places: int = 4
    minimum: Decimal | None = Decimal(0)
    below: Decimal = Decimal(10) ** 6
    longest: int = 80
    aliases: tuple[str, ...] = ()
    units: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True)
class Table:
    """One sheet with its columns in order."""

    key: str
    sheet: str
    columns: tuple[Column, ...]
    note: str
    blank_rows: int = 50
    positions: dict[str, int] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Number the columns from 1."""
        numbers = {column.field: at for at, column in enumerate(self.columns, start=1)}
        object.__setattr__(self, "positions", numbers)

    def cell(self, field: str, row: int) -> str:
        """Return the address of a field in a row, like D7."""
        return f"{column_letters(self.positions[field])}{row}"


def _number(
    field: str,
    head: str,
    whole_digits: int,
    places: int,
    *,
    note: str = "",
    aliases: tuple[str, ...] = (),
    units: tuple[tuple[str, Decimal], ...] = (),
    minimum: Decimal | None = Decimal(0),
) -> Column:
    return Column(
        field,
        head,
        Kind.DECIMAL,
        13,
        note,
        places=places,
        minimum=minimum,
        below=Decimal(10) ** whole_digits,
        aliases=aliases,
        units=units,
    )


TONNES = (
    ("万吨", Decimal(1)),
    ("千吨", Decimal("0.1")),
    ("吨", Decimal("0.0001")),
)
AREAS = (
    ("km²", Decimal(1)),
    ("km2", Decimal(1)),
    ("平方公里", Decimal(1)),
    ("平方千米", Decimal(1)),
    ("公顷", Decimal("0.01")),
    ("hm²", Decimal("0.01")),
    ("hm2", Decimal("0.01")),
    ("m²", Decimal("0.000001")),
    ("m2", Decimal("0.000001")),
    ("平方米", Decimal("0.000001")),
)
SCALES = (
    ("万吨/年", Decimal(1)),
    ("万吨", Decimal(1)),
    ("万t/a", Decimal(1)),
    ("吨/年", Decimal("0.0001")),
    ("万立方米/年", Decimal(1)),
    ("万立方米", Decimal(1)),
    ("万m³/a", Decimal(1)),
    ("万m3/a", Decimal(1)),
)
VOLUME_UNITS = ("万立方米/年", "万立方米", "万m³/a", "万m3/a")

REGISTRY_NO = Column(
    "registry_no",
    "台账编号",
    Kind.CODE,
    17,
    "新增的矿山留空，系统自动编号。",
    longest=20,
    aliases=("编号", "矿山编号"),
)
MINE_KEY = Column(
    "key", "台账编号或矿山名称", width=30, note="与附表1 的台账编号或矿山名称一致。", required=True
)

MINES = Table(
    "mines",
    "附表1 非煤矿山基本情况",
    (
        REGISTRY_NO,
        Column(
            "county", "县（市、区）", width=12, aliases=("县区", "县市区", "所在县区", "行政区")
        ),
        Column("township", "乡镇", longest=40, aliases=("所在乡镇", "乡（镇）")),
        Column(
            "name",
            "矿山名称",
            width=32,
            required=True,
            aliases=("名称", "矿区名称", "采矿权名称", "项目名称"),
        ),
        Column(
            "holder",
            "采矿权人",
            width=30,
            required=True,
            aliases=("矿业权人", "企业名称", "采矿权人名称", "单位名称"),
        ),
        Column(
            "uscc",
            "统一社会信用代码",
            Kind.CODE,
            21,
            "18 位，没有时留空。",
            longest=18,
            aliases=("信用代码", "社会信用代码"),
        ),
        Column(
            "licence_no",
            "采矿许可证号",
            Kind.CODE,
            26,
            "C 加 22 位数字；旧证号照原样填写。",
            longest=60,
            aliases=("许可证号", "采矿证号", "证号"),
        ),
        Column(
            "valid_from",
            "有效期起",
            Kind.DATE,
            13,
            aliases=("有效期起始", "许可证有效期起", "发证日期"),
        ),
        Column(
            "valid_to",
            "有效期止",
            Kind.DATE,
            13,
            aliases=("有效期至", "许可证有效期止", "到期日期"),
        ),
        Column("issuer", "发证机关", width=20, longest=60),
        Column(
            "mineral",
            "开采矿种",
            Kind.MINERAL,
            18,
            "从下拉列表中选择。",
            required=True,
            aliases=("矿种", "主矿种", "开采主矿种"),
        ),
        Column("method", "开采方式", Kind.TERM, 16, terms=Method),
        _number("area_km2", "矿区面积（km²）", 5, 4, aliases=("面积",), units=AREAS),
        _number("elevation_top_m", "开采标高起（m）", 5, 2, minimum=None, aliases=("标高上限",)),
        _number("elevation_bottom_m", "开采标高止（m）", 5, 2, minimum=None, aliases=("标高下限",)),
        _number("scale", "证载生产规模", 7, 3, aliases=("生产规模", "设计生产能力"), units=SCALES),
        Column("scale_unit", "规模单位", Kind.TERM, 13, terms=ScaleUnit, aliases=("单位",)),
        _number("recoverable", "可采储量（万吨）", 10, 4, units=TONNES),
        _number("density", "体重（吨/立方米）", 1, 3),
        _number("service_life_years", "服务年限（年）", 4, 2, aliases=("剩余服务年限",)),
        Column("life_includes_construction", "服务年限是否含基建期", Kind.YES_NO, 12),
        _number("construction_years", "基建期（年）", 3, 2),
        Column("state", "生产状态", Kind.TERM, 10, terms=MineState, aliases=("状态", "矿山状态")),
        Column("suspended_since", "停产起始日期", Kind.DATE, 13),
        Column("last_production_on", "最近生产日期", Kind.DATE, 13),
        Column("is_on_ridge", "是否以山脊划界", Kind.YES_NO, 12, aliases=("山脊划界",)),
        Column("ore_bodies", "矿体编号", width=16, note="多个用顿号分开。", longest=300),
        Column("safety_licence_no", "安全生产许可证", width=22, longest=40),
        Column("safety_licence_valid_to", "安全生产许可证有效期止", Kind.DATE, 13),
        Column("accepted_on", "环境恢复验收日期", Kind.DATE, 13),
        Column("acceptance", "县级验收结论", Kind.TERM, 12, terms=AcceptanceConclusion),
    ),
    "每座矿山一行；数据截止日期和来源在上传时填写。新增矿山的台账编号留空。",
)
CORNERS = Table(
    "corners",
    "拐点坐标",
    (
        MINE_KEY,
        Column("region", "区域号或名称", Kind.CORNER, 14, "有几块就分几个编号。"),
        Column("point", "点号", Kind.CORNER, 8, "每圈从 1 起，首点不重复。"),
        Column("x", "X（纵坐标，m）", Kind.CORNER, 18, "2000国家大地坐标系，北向。", required=True),
        Column("y", "Y（横坐标，m）", Kind.CORNER, 18, "东向，含带号 37 或 38。", required=True),
        Column("top", "起标高（m）", Kind.CORNER, 12, "写在区域的第一行。"),
        Column("bottom", "止标高（m）", Kind.CORNER, 12, "写在区域的第一行。"),
        Column("hole", "扣除区", Kind.CORNER, 8, "扣除区的各点填同一个编号，如 1；其他留空。"),
    ),
    "2000国家大地坐标系、3 度分带、高斯-克吕格投影。没有列出拐点的矿山，其矿区范围保持不变。",
    blank_rows=200,
)
SYSTEMS = Table(
    "systems",
    "生产系统",
    (
        MINE_KEY,
        Column("name", "系统名称", width=24, required=True, longest=40),
        Column("method", "开采方式", Kind.TERM, 16, terms=Method),
        _number("design_scale", "设计规模", 7, 3),
        Column("unit", "规模单位", Kind.TERM, 13, terms=ScaleUnit),
    ),
    "每个独立生产系统一行。没有列出系统的矿山，其生产系统保持不变。",
)
STOCKS = Table(
    "stocks",
    "资源储量",
    (
        MINE_KEY,
        Column("stock_class", "类别", Kind.TERM, 14, required=True, terms=StockKind),
        dataclasses.replace(_number("amount", "数量", 10, 4), required=True),
        Column("unit", "单位", Kind.TERM, 10, required=True, terms=StockUnit),
        Column("as_of", "截止日期", Kind.DATE, 13, "留空时按上传时填写的截止日期。"),
    ),
    "资源量、储量分类填写，不得相加。没有列出的矿山，其资源储量保持不变。",
)
TABLES = (MINES, CORNERS, SYSTEMS, STOCKS)

OWN_ONLY = (
    Column("validity", "有效期（起止写在一格）", Kind.PERIOD, aliases=("有效期", "有效期限")),
    Column("heights", "开采标高（起止写在一格）", Kind.HEIGHTS, aliases=("开采标高", "标高")),
    _number("design_scale", "设计规模", 7, 3, aliases=("设计生产规模",), units=SCALES),
    *(
        _number(
            f"stock_{kind.value}",
            f"{kind.label}（万吨）",
            10,
            4,
            aliases=(kind.label.removesuffix("资源量").removesuffix("储量"),),
            units=TONNES,
        )
        for kind in StockKind
    ),
)
"""Columns that only a county's own table has, because our template keeps them on other sheets."""

MAPPED = (*MINES.columns, *OWN_ONLY)
"""What a column of a county's own table may be."""

LICENCE_FIELDS = (
    "licence_no",
    "valid_from",
    "valid_to",
    "issuer",
    "area_km2",
    "elevation_top_m",
    "elevation_bottom_m",
    "scale",
    "scale_unit",
)
HEADS = {column.field: column.head for table in TABLES for column in table.columns} | {
    column.field: column.head for column in MAPPED
}
