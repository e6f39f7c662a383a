"""Compare two versions entry by entry, and write values as people read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rulebook.models import RulebookEntry
from standards.terms import ExplorationStage

COMPARED = (
    ("value", "数值"),
    ("valid_from", "生效日期"),
    ("valid_to", "失效日期"),
    ("confidence", "可信程度"),
    ("source", "来源文件"),
    ("clause", "条款"),
    ("title", "名称"),
    ("unit", "单位"),
    ("note", "备注"),
)
GROUPS = {
    "scale": "最低生产建设规模",
    "life": "服务年限和许可期限",
    "deadline": "截止日期",
    "licence": "采矿许可证到期",
    "dormant": "僵尸企业",
    "layout": "布局",
    "gap": "夹缝资源",
    "ownership": "同一主体",
    "added": "新增资源和面积",
    "overlap": "矿区范围重叠",
    "zone": "规划和管控图层",
    "layers": "规划和管控图层",
    "opinions": "部门核查",
    "exploration": "勘查程度",
    "minerals": "矿种",
    "safety": "安全距离",
    "acceptance": "验收和治理方案",
    "treatment_plan": "验收和治理方案",
    "notice": "公示和异议",
    "publication": "公示和异议",
    "objection": "公示和异议",
}
OTHERS = "其他"


@dataclass(frozen=True, slots=True)
class Change:
    """Show one field before and after."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Show what became of one entry; `kind` is 修改, 新增 or 删除."""

    kind: str
    entry: RulebookEntry
    changes: tuple[Change, ...]


def group_of(key: str) -> str:
    """Return the group an entry is listed under."""
    return GROUPS.get(key.partition(".")[0], OTHERS)


def differences(
    before: Iterable[RulebookEntry], after: Iterable[RulebookEntry]
) -> list[Difference]:
    """Return what differs, in the order of the keys; entries match by key and first day."""
    old = {(entry.key, entry.valid_from): entry for entry in before}
    found = []
    for entry in after:
        earlier = old.pop((entry.key, entry.valid_from), None)
        changes = _changes(earlier, entry)
        if changes:
            found.append(Difference("修改" if earlier else "新增", entry, changes))
    found += [Difference("删除", entry, _changes(entry, None)) for entry in old.values()]
    return sorted(found, key=lambda each: (each.entry.key, str(each.entry.valid_from or "")))


def _changes(before: RulebookEntry | None, after: RulebookEntry | None) -> tuple[Change, ...]:
    pairs = [(label, _field(before, name), _field(after, name)) for name, label in COMPARED]
    return tuple(Change(label, one, other) for label, one, other in pairs if one != other)


def _field(entry: RulebookEntry | None, name: str) -> str:
    if entry is None:
        return ""
    if name == "value":
        return value_in_words(entry)
    if name == "confidence":
        return str(entry.get_confidence_display())
    value: Any = getattr(entry, name)
    return "" if value is None else str(value)


def value_in_words(entry: RulebookEntry) -> str:
    """Return the value with its unit; "" when it is not known."""
    value = entry.value
    if value is None or value == "":
        return ""
    if isinstance(value, list):
        return "、".join(value)
    if entry.kind == "number":
        return f"{value} {entry.unit}"
    if entry.key.startswith("exploration.") and value in list(ExplorationStage):
        return ExplorationStage(value).label
    return str(value)
