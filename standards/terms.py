"""Name the closed vocabularies of the Work Plan once, for rules, rows, workbooks and pages.

Each member's value is the code that is stored; `label` is the word a reader sees.
"""

from enum import StrEnum
from typing import Self


class Term(StrEnum):
    """Pair a stored code with the Chinese word of the Work Plan."""

    label: str

    def __new__(cls, code: str, label: str = "") -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.label = label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Return (code, label) pairs in their written order, as Django fields want them."""
        return [(member.value, member.label) for member in cls]

    @classmethod
    def from_label(cls, label: str) -> Self:
        """Return the member with this label; raise ValueError when there is none."""
        for member in cls:
            if member.label == label:
                return member
        raise ValueError(label)


class Disposition(Term):
    """处置方式: the four batches of part 二, and 保留 for a mine that already meets everything."""

    CLOSE = "close", "关闭取缔"
    EXIT = "exit", "引导退出"
    MERGE = "merge", "整合重组"
    UPGRADE = "upgrade", "升级改造"
    KEEP = "keep", "保留(达标)"


class Method(Term):
    """开采方式."""

    OPEN_PIT = "open_pit", "露天开采"
    UNDERGROUND = "underground", "地下开采"
    COMBINED = "combined", "露天-地下联合开采"


class ScaleUnit(Term):
    """Unit of a yearly production figure."""

    WAN_T = "wan_t", "万吨/年"
    WAN_M3 = "wan_m3", "万立方米/年"


class MineState(Term):
    """生产状态."""

    PRODUCING = "producing", "生产"
    CONSTRUCTION = "construction", "基建"
    SUSPENDED = "suspended", "停产"
    HALTED = "halted", "停建"
    PREPARING = "preparing", "筹建"
    CLOSED = "closed", "关闭"


class ScaleClass(Term):
    """矿山规模, for reserves and for production alike."""

    LARGE = "large", "大型"
    MEDIUM = "medium", "中型"
    SMALL = "small", "小型"


class Verdict(Term):
    """Outcome of one rule on one subject; NODATA never counts as a pass."""

    PASS = "pass", "符合"
    FAIL = "fail", "不符合"
    REVIEW = "review", "待研判"
    NODATA = "nodata", "缺数据"
    NA = "na", "不适用"


class Phase(Term):
    """What a rule looks at: a mine as it stands, a merged area, a new right, an added resource."""

    EXISTING = "E", "现有矿山"
    CONSOLIDATED = "C", "整合区"
    NEW = "N", "新设矿业权"
    EXTRA = "X", "新增资源"


class ExtraResource(Term):
    """Kinds of resource that 三(六) lets into a consolidation."""

    GAP = "gap", "夹缝"
    UPPER = "upper", "上部"
    DEEP = "deep", "深部"
    PERIPHERY = "periphery", "周边空白"


class GrantWay(Term):
    """出让方式."""

    AGREEMENT = "agreement", "协议"
    COMPETITION = "competition", "公开竞争"


class RectificationWay(Term):
    """How a mine below the minimum is to reach it or leave (四(二)2)."""

    CONSOLIDATE = "consolidate", "资源整合"
    RAISE = "raise", "产能核增"
    LEAVE = "leave", "退出"
    OTHER = "other", "其他"


class ExplorationStage(Term):
    """勘查程度, from the coarsest to the finest."""

    GENERAL = "general", "普查"
    DETAILED = "detailed", "详查"
    FULL = "full", "勘探"


class OpinionOutcome(Term):
    """What a department or a holder answered."""

    AGREED = "agreed", "同意"
    CONDITIONAL = "conditional", "有条件同意"
    REFUSED = "refused", "不同意"
    SILENT = "silent", "未表态"


class AcceptanceConclusion(Term):
    """验收结论."""

    PASSED = "passed", "通过"
    RECTIFY = "rectify", "限期整改"
    FAILED = "failed", "不通过"


class Presence(Term):
    """Whether a plan holds a part it must have."""

    PRESENT = "present", "有"
    WEAK = "weak", "不充分"
    ABSENT = "absent", "无"


class ZoneKind(Term):
    """What a planning or control layer means for a right that meets it."""

    BLOCK = "block", "规划开采区"
    FORBIDDEN = "forbidden", "规划禁止开采区"
    RESTRICTED = "restricted", "规划限制开采区"
    RED_LINE = "red_line", "管控红线"
    BUFFER = "buffer", "管控缓冲区"
