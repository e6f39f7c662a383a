"""Say once what the plan workbook consists of: sheets, columns, units, choices, notes.

Template, parser, marks and tests all read these tables.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from mines.sheets import column_letters
from standards.terms import (
    Disposition,
    ExtraResource,
    GrantWay,
    Method,
    MineState,
    ScaleUnit,
    Term,
)

TEMPLATE_ID = "shuozhou-county-plan"
TEMPLATE_VERSION = "1"
META_SHEET = "_meta"
LISTS_SHEET = "_lists"
MARKS_SHEET = "_marks"
GUIDE_SHEET = "填表说明"
RESULT_SHEET = "核查结果"

TITLE_ROW, NOTE_ROW, HEAD_ROW, FIRST_ROW = 1, 2, 3, 4
LAST_ROW = 3000  # drop-downs and colours reach this far
SERVICE_LIFE = "服务年限"
"""Key of the minimum service life (years) in the thresholds given to the template."""

YES, NO, OPEN = "是", "否", "未判定"
SEPARATOR = "、"


class Kind(Enum):
    """How a cell is written, checked offline and read."""

    ORDER = "order"  # running number, not read
    LOOKUP = "lookup"  # name of the mine of this row by formula, not read
    TEXT = "text"
    RAW = "raw"  # digits that must stay as typed
    CODE = "code"  # number of a merged area
    MINE = "mine"  # registry number of a mine
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"  # several, divided by 、
    YES_NO = "yes_no"
    YES_NO_OPEN = "yes_no_open"
    MINERAL = "mineral"


@dataclass(frozen=True)
class Column:
    """One column; `field` is the attribute of the row it fills."""

    field: str
    head: str
    kind: Kind = Kind.TEXT
    width: int = 12
    note: str = ""
    required: bool = False
    locked: bool = False
    terms: type[Term] | None = None
    minimum: Decimal | None = None
    longest: int = 200


@dataclass(frozen=True)
class Table:
    """One sheet; `field` is the list of ParsedPlan it fills."""

    field: str
    label: str
    sheet: str
    columns: tuple[Column, ...]
    note: str
    blank_rows: int = 30
    positions: dict[str, int] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Number the columns from 1."""
        numbers = {column.field: number for number, column in enumerate(self.columns, start=1)}
        object.__setattr__(self, "positions", numbers)

    def number(self, name: str) -> int:
        """Return the column number of a field, from 1."""
        return self.positions[name]

    def letter(self, name: str) -> str:
        """Return the column letters of a field."""
        return column_letters(self.positions[name])

    def column(self, name: str) -> Column:
        """Return the column of a field."""
        return self.columns[self.positions[name] - 1]

    def cell(self, name: str, row: int) -> str:
        """Return the address of a field in a row, like D7."""
        return f"{self.letter(name)}{row}"

    def span(self, name: str, last: int = LAST_ROW) -> str:
        """Return the absolute range of a field over all data rows, with its sheet."""
        letter = self.letter(name)
        return f"'{self.sheet}'!${letter}${FIRST_ROW}:${letter}${last}"


ZERO = Decimal(0)


def _number(name: str, head: str, *, required: bool = False, note: str = "") -> Column:
    return Column(name, head, Kind.DECIMAL, 13, note, required, minimum=ZERO)


def _fact(name: str, head: str, kind: Kind = Kind.TEXT, width: int = 12) -> Column:
    terms = {"method": Method, "scale_unit": ScaleUnit, "state": MineState}.get(name)
    note = "取自矿山台账，不能修改；有误请先更正台账。"
    return Column(name, head, kind, width, note, locked=True, terms=terms)


ORDER = Column("order", "序号", Kind.ORDER, 6, locked=True)
REMARK = Column("remark", "备注", width=24)
DUE = Column("due_on", "完成时限", Kind.DATE, 13, "填写到日，如 2025-12-31。", required=True)
UNIT = Column("unit", "责任单位", width=18)
PERSON = Column("person", "责任人", width=10)
MINE = Column(
    "registry_no", "台账编号", Kind.MINE, 16, "从下拉列表中选择附表1 的台账编号。", required=True
)
MINE_NAME = Column("name", "矿山名称", Kind.LOOKUP, 30, "按台账编号自动显示。", locked=True)
AREA = Column(
    "area_code", "整合区编号", Kind.CODE, 12, "与附表2 的整合区编号一致，如 Z1。", required=True
)

DISPOSITIONS = Table(
    "dispositions",
    "附表1",
    "附表1 非煤矿山基本情况与处置",
    (
        ORDER,
        _fact("registry_no", "台账编号", width=16),
        _fact("township", "乡镇"),
        _fact("name", "矿山名称", width=32),
        _fact("holder", "采矿权人", width=28),
        _fact("holder_uscc", "统一社会信用代码", width=21),
        _fact("licence_no", "采矿许可证号", width=26),
        _fact("licence_valid_from", "有效期起", Kind.DATE, 13),
        _fact("licence_valid_to", "有效期止", Kind.DATE, 13),
        _fact("mineral", "开采矿种", width=16),
        _fact("method", "开采方式", Kind.CHOICE, 16),
        _fact("area_km2", "矿区面积（km²）", Kind.DECIMAL),
        _fact("elevation_top_m", "开采标高起（m）", Kind.DECIMAL),
        _fact("elevation_bottom_m", "开采标高止（m）", Kind.DECIMAL),
        _fact("licensed_scale", "证载生产规模", Kind.DECIMAL),
        _fact("design_scale", "设计生产规模", Kind.DECIMAL),
        _fact("scale_unit", "规模单位", Kind.CHOICE),
        _fact("systems_count", "独立生产系统（个）", Kind.INTEGER),
        _fact("measured_wan_t", "探明资源量（万吨）", Kind.DECIMAL),
        _fact("indicated_wan_t", "控制资源量（万吨）", Kind.DECIMAL),
        _fact("inferred_wan_t", "推断资源量（万吨）", Kind.DECIMAL),
        _fact("service_life_years", "剩余服务年限（年，不含基建期）", Kind.DECIMAL, 14),
        _fact("state", "生产状态", Kind.CHOICE, 10),
        Column(
            "disposition",
            "处置方式",
            Kind.CHOICE,
            14,
            "每座矿山选择且只选择一种。",
            required=True,
            terms=Disposition,
        ),
        Column(
            "reason",
            "处置理由",
            width=32,
            note="说明选择该处置方式的理由。",
            required=True,
            longest=500,
        ),
        Column("area_code", "整合区编号", Kind.CODE, 12, "整合重组的矿山必填，其他留空。"),
        Column("due_on", "完成时限", Kind.DATE, 13, "除保留(达标)外必填，如 2025-12-31。"),
        UNIT,
        PERSON,
        REMARK,
    ),
    "灰底各列取自矿山台账，已锁定；请填写白底各列，每座矿山一行，不得增删。",
    blank_rows=0,
)
AREAS = Table(
    "areas",
    "附表2",
    "附表2 整合重组方案",
    (
        ORDER,
        Column(
            "code",
            "整合区编号",
            Kind.CODE,
            12,
            "自编，不得重复，如 Z1。",
            required=True,
            longest=20,
        ),
        Column("name", "整合后矿山名称", width=30, required=True),
        Column("lead", "整合主体", width=28, note="整合后的采矿权人。", required=True),
        Column("mineral", "开采矿种", Kind.MINERAL, 18, "从下拉列表中选择。", required=True),
        Column("method", "开采方式", Kind.CHOICE, 18, required=True, terms=Method),
        _number("scale", "初定生产规模", required=True, note="全区合计，只填数字。"),
        Column("scale_unit", "规模单位", Kind.CHOICE, 13, required=True, terms=ScaleUnit),
        _number("density_t_m3", "体重（吨/立方米）", note="规模单位为万立方米/年时必填。"),
        _number("reserve_wan_t", "可采储量（万吨）"),
        _number("measured_wan_t", "探明资源量（万吨）"),
        _number("indicated_wan_t", "控制资源量（万吨）"),
        _number("inferred_wan_t", "推断资源量（万吨）", note="三类资源量分别填写，不得相加。"),
        _number("service_life_years", "服务年限（年）", required=True),
        Column(
            "life_includes_construction", "服务年限是否含基建期", Kind.YES_NO, 12, required=True
        ),
        _number("construction_years", "基建期（年）", note="服务年限含基建期时必填。"),
        Column("elevation_top_m", "整合后标高起（m）", Kind.DECIMAL, required=True),
        Column("elevation_bottom_m", "整合后标高止（m）", Kind.DECIMAL, required=True),
        _number("area_km2", "整合后面积（km²）", required=True, note="保留 4 位小数。"),
        Column(
            "extra_resources",
            "新增资源类型",
            Kind.CHOICES,
            16,
            "没有新增资源时留空；多种用顿号分开，如 夹缝、深部。",
            terms=ExtraResource,
        ),
        Column("grant_way", "出让方式", Kind.CHOICE, 12, "有新增资源时必填。", terms=GrantWay),
        Column("extra_basis", "新增依据", width=30, note="有新增资源时必填。", longest=500),
        Column("on_ridge", "是否山脊划界", Kind.YES_NO_OPEN, 12, required=True),
        Column(
            "as_new", "是否按新设", Kind.YES_NO, 12, "按新设采矿权办理的选“是”。", required=True
        ),
        Column("leader", "责任领导", width=12),
        DUE,
        REMARK,
    ),
    "每个整合区一行；参与整合的矿山在附表1 填写同一整合区编号。",
)
SYSTEMS = Table(
    "systems",
    "附表2-1",
    "附表2-1 独立生产系统",
    (
        ORDER,
        AREA,
        Column("name", "系统名称", width=24, required=True),
        Column("method", "开采方式", Kind.CHOICE, 18, required=True, terms=Method),
        _number("scale", "生产规模", required=True, note="单位与附表2 该整合区相同。"),
    ),
    "整合后有多个独立生产系统的，每个系统一行；不填按一个系统计。",
)
CORNERS = Table(
    "corners",
    "拐点坐标",
    "拐点坐标",
    (
        AREA,
        Column("region", "区域号", Kind.RAW, 10, "从 1 起；一个整合区有几块就编几号。"),
        Column("point", "点号", Kind.RAW, 10, "每个区域从 1 起，按顺序填写，首点不重复。"),
        Column("x", "X（纵坐标，m）", Kind.RAW, 18, "2000国家大地坐标系，北向。", required=True),
        Column("y", "Y（横坐标，m）", Kind.RAW, 18, "东向，含带号 37 或 38。", required=True),
        Column("elevation_top", "起标高（m）", Kind.RAW, 12, "该区域开采标高上限，可只填一行。"),
        Column("elevation_bottom", "止标高（m）", Kind.RAW, 12, "该区域开采标高下限，可只填一行。"),
    ),
    "2000国家大地坐标系、3度分带、保留 2 位小数；也可以另外上传坐标文件。",
    blank_rows=200,
)


def _closing(field_name: str, label: str, sheet: str) -> Table:
    return Table(
        field_name,
        label,
        sheet,
        (
            ORDER,
            MINE,
            MINE_NAME,
            Column("cause", "原因类别", width=18, required=True),
            Column("basis", "依据", width=28, longest=500),
            Column("measure", "处置措施", width=28, longest=500),
            Column("debts", "补偿及债务情况", width=24, longest=500),
            UNIT,
            DUE,
            Column("notice_no", "公告文号", width=20),
        ),
        f"附表1 中处置方式为“{sheet.split()[1]}”的矿山，每座一行。",
    )


CLOSINGS = _closing("closings", "附表3", "附表3 关闭取缔")
EXITS = _closing("exits", "附表4", "附表4 引导退出")
UPGRADES = Table(
    "upgrades",
    "附表5",
    "附表5 升级改造",
    (
        ORDER,
        MINE,
        MINE_NAME,
        Column("content", "改造内容", width=32, required=True, longest=500),
        _number("scale_before_wan_t", "核增前规模（万吨/年）"),
        _number("scale_after_wan_t", "核增后规模（万吨/年）"),
        _number("investment_wan_yuan", "投资（万元）"),
        UNIT,
        DUE,
        REMARK,
    ),
    "附表1 中处置方式为“升级改造”的矿山，每座一行。",
)
ZONES = Table(
    "zones",
    "附表6",
    "附表6 集中开采区",
    (
        ORDER,
        Column("name", "集中开采区或产业园区名称", width=28),
        Column("place", "位置", width=24),
        Column("minerals", "主要矿种", width=18),
        Column("mines_count", "矿山数（座）", Kind.INTEGER, minimum=ZERO),
        _number("area_km2", "面积（km²）"),
        _number("scale_wan_t", "规划生产规模（万吨/年）"),
        Column("content", "建设内容", width=32, longest=500),
        UNIT,
        Column("due_on", "完成时限", Kind.DATE, 13, "填写到日，如 2025-12-31。"),
        REMARK,
    ),
    "没有集中开采区的，在备注列说明原因即可，其他列可以留空。",
    blank_rows=15,
)
SUPPLIES = Table(
    "supplies",
    "附表7",
    "附表7 砂石市场供需",
    (
        ORDER,
        Column("product", "砂石产品", width=18, required=True),
        _number("demand_wan_t", "年需求量（万吨）", required=True),
        _number("supply_before_wan_t", "整合前年供应量（万吨）"),
        _number("supply_after_wan_t", "整合后年供应量（万吨）", required=True),
        Column("release_plan", "有序投放安排", width=32, longest=500),
        REMARK,
    ),
    "整合后不能满足市场需求的，填写有序投放安排。",
    blank_rows=15,
)
TASKS = Table(
    "tasks",
    "附表8",
    "附表8 任务分解",
    (
        ORDER,
        Column("task", "任务", width=24, required=True),
        Column("content", "工作内容", width=36, longest=500),
        Column("unit", "责任单位", width=18, required=True),
        PERSON,
        Column("starts_on", "开始时间", Kind.DATE, 13, "填写到日，如 2025-06-01。"),
        DUE,
        REMARK,
    ),
    "每项任务一行，写明责任单位和完成时限。",
)

TABLES: Sequence[Table] = (
    DISPOSITIONS,
    AREAS,
    SYSTEMS,
    CORNERS,
    CLOSINGS,
    EXITS,
    UPGRADES,
    ZONES,
    SUPPLIES,
    TASKS,
)
DETAIL_OF: Sequence[tuple[Table, Disposition]] = (
    (CLOSINGS, Disposition.CLOSE),
    (EXITS, Disposition.EXIT),
    (UPGRADES, Disposition.UPGRADE),
)


def table_of(name: str) -> Table:
    """Return the table that fills this list of ParsedPlan."""
    return next(table for table in TABLES if table.field == name)


def facts() -> list[Column]:
    """Return the locked columns of 附表1: what the registry says of a mine."""
    return [
        column for column in DISPOSITIONS.columns if column.locked and column.kind is not Kind.ORDER
    ]
