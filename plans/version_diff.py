"""Set two versions of a plan side by side: rows added, gone, changed, and what the checks say.

Rows are compared as texts by key, a mine's registry number or an area's code. Findings are compared
in the database, so that the time does not grow with what is the same.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from plans.models import CheckRun, Disposition, MergedArea, PlanVersion
from standards.rules import SEVERITY
from standards.terms import Disposition as Kind
from standards.terms import ExtraResource, GrantWay, Method, ScaleUnit, Verdict

Row = Mapping[str, str]

SHEETS = {
    "closings": "附表3 关闭取缔",
    "exits": "附表4 引导退出",
    "upgrades": "附表5 升级改造",
    "zones": "附表6 集中开采区",
    "supplies": "附表7 砂石市场供需",
    "tasks": "附表8 任务分解",
}
# What a row of an annex is known by; where two rows share it, their place tells them apart.
SHEET_KEYS = {"zones": "name", "supplies": "product", "tasks": "task"}
KEPT_APART = frozenset({"row", "registry_no"})


@dataclass(frozen=True, slots=True)
class Cell:
    """Hold one value that differs, before and after; "" where there is none."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one row that differs; `kind` is added, gone or changed."""

    key: str
    name: str
    kind: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class FindingLine:
    """Hold one finding whose verdict differs; a side that does not know it is None."""

    rule: str
    subject: str
    before: Verdict | None
    after: Verdict | None
    message: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold all in which two versions differ."""

    mines: tuple[Line, ...]
    areas: tuple[Line, ...]
    annexes: tuple[Line, ...]
    findings: tuple[FindingLine, ...]
    findings_total: int

    @property
    def is_empty(self) -> bool:
        """Tell whether the versions say the same."""
        return not (self.mines or self.areas or self.annexes or self.findings_total)


def compare(old: PlanVersion, new: PlanVersion, *, most_findings: int | None = None) -> Difference:
    """Return in what a version differs from an older one, in eight queries at most."""
    findings = _findings(old, new)
    return Difference(
        mines=tuple(lines(_mines(old), _mines(new))),
        areas=tuple(lines(_areas(old), _areas(new))),
        annexes=tuple(lines(_annexes(old), _annexes(new))),
        findings=tuple(findings[:most_findings]),
        findings_total=len(findings),
    )


def lines(old: Mapping[str, Row], new: Mapping[str, Row]) -> Iterable[Line]:
    """Yield the rows that differ, by key; `名称` names a row and is compared too."""
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        fields = dict.fromkeys([*(before or {}), *(after or {})])
        cells = tuple(
            Cell(field, (before or {}).get(field, ""), (after or {}).get(field, ""))
            for field in fields
            if (before or {}).get(field, "") != (after or {}).get(field, "")
        )
        kind = "added" if before is None else "gone" if after is None else "changed"
        yield Line(key, (after or before or {}).get("名称", ""), kind, cells)


# Rows ---------------------------------------------------------------------------------------------

KINDS, METHODS = dict(Kind.choices()), dict(Method.choices())
UNITS, WAYS = dict(ScaleUnit.choices()), dict(GrantWay.choices())


def _mines(version: PlanVersion) -> dict[str, Row]:
    rows = Disposition.objects.filter(version=version).order_by("mine__registry_no")
    return {
        number: {
            "名称": name,
            "处置方式": KINDS[kind],
            "处置理由": reason,
            "整合区": area or "",
            "完成时限": _text(due),
            "责任单位": unit,
            "责任人": person,
            "备注": remarks,
        }
        for number, name, kind, reason, area, due, unit, person, remarks in rows.values_list(
            "mine__registry_no", "mine__name", "kind", "reason", "area__code", "due_on",
            "responsible_unit", "responsible", "remarks",
        )
    }  # fmt: skip


def _areas(version: PlanVersion) -> dict[str, Row]:
    areas = MergedArea.objects.filter(version=version).select_related("mineral").order_by("code")
    members: dict[int, list[str]] = {}
    named = Disposition.objects.filter(version=version, area__isnull=False)
    for area, name in named.order_by("mine__registry_no").values_list("area_id", "mine__name"):
        members.setdefault(area, []).append(name)
    return {area.code: _area(area, members.get(area.pk, [])) for area in areas}


def _area(area: MergedArea, members: Sequence[str]) -> Row:
    outline = area.outline
    return {
        "名称": area.name,
        "参与整合矿山": "、".join(members),
        "整合主体": area.lead_enterprise,
        "开采矿种": area.mineral.name if area.mineral else "",
        "开采方式": METHODS.get(area.method, ""),
        "初定生产规模": f"{_text(area.scale)} {UNITS.get(area.scale_unit, '')}".strip(),
        "体重": _text(area.density),
        "可采储量（万吨）": _text(area.recoverable),
        "探明资源量（万吨）": _text(area.stocks.get("measured")),
        "控制资源量（万吨）": _text(area.stocks.get("indicated")),
        "推断资源量（万吨）": _text(area.stocks.get("inferred")),
        "独立生产系统": "；".join(_system(row) for row in area.systems),
        "服务年限（年）": _text(area.service_life_years),
        "服务年限含基建期": _yes_or_no(area.life_includes_construction),
        "基建期（年）": _text(area.construction_years),
        "标高上限（m）": _text(area.elevation_top_m),
        "标高下限（m）": _text(area.elevation_bottom_m),
        "整合后面积（km²）": _text(area.declared_area_km2),
        "计算面积（km²）": _text(area.area_km2),
        "范围": f"{outline.num_coords} 个拐点，{_mark(outline)}" if outline else "",
        "新增资源类型": "、".join(ExtraResource(kind).label for kind in area.extra_kinds),
        "出让方式": WAYS.get(area.grant_way, ""),
        "新增依据": area.extra_reason,
        "以山脊划界": _yes_or_no(area.is_on_ridge),
        "按新设采矿权": _yes_or_no(area.is_new_right),
        "责任领导": area.responsible,
        "完成时限": _text(area.due_on),
        "备注": area.remarks,
    }


def _system(row: Mapping[str, Any]) -> str:
    return f"{row.get('name') or ''} {METHODS.get(row.get('method') or '', '')} {row.get('scale')}"


def _mark(outline: Any) -> str:
    """Return where an outline lies, and a mark by which any other shape reads differently."""
    west, south, east, north = outline.extent
    mark = hashlib.sha256(bytes(outline.wkb)).hexdigest()[:8]
    return f"东经 {west:.5f}–{east:.5f}，北纬 {south:.5f}–{north:.5f}，图形摘要 {mark}"


def _annexes(version: PlanVersion) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for sheet, label in SHEETS.items():
        for place, row in enumerate(version.sheets.get(sheet, []), 1):
            known_by = row.get("registry_no") or row.get(SHEET_KEYS.get(sheet, "")) or f"{place}"
            key = f"{label} {known_by}"
            if key in found:
                key = f"{key}（{place}）"
            found[key] = {
                ANNEX_WORDS.get(name, name): _text(value)
                for name, value in row.items()
                if name not in KEPT_APART
            }
    return found


ANNEX_WORDS = {
    "cause": "原因类别", "basis": "依据", "measure": "处置措施", "debts": "补偿及债务情况",
    "unit": "责任单位", "due_on": "完成时限", "notice_no": "公告文号", "content": "内容",
    "scale_before_wan_t": "核增前规模（万吨/年）", "scale_after_wan_t": "核增后规模（万吨/年）",
    "investment_wan_yuan": "投资（万元）", "remark": "备注", "name": "名称", "place": "位置",
    "minerals": "主要矿种", "mines_count": "矿山数", "area_km2": "面积（km²）",
    "scale_wan_t": "规划生产规模（万吨/年）", "product": "砂石产品",
    "demand_wan_t": "年需求量（万吨）", "supply_before_wan_t": "整合前年供应量（万吨）",
    "supply_after_wan_t": "整合后年供应量（万吨）", "release_plan": "有序投放安排",
    "task": "任务", "person": "责任人", "starts_on": "开始时间",
}  # fmt: skip


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _yes_or_no(value: bool | None) -> str:
    return {True: "是", False: "否", None: ""}[value]


# Findings -----------------------------------------------------------------------------------------

# Of several findings of a rule on one subject the worst counts. What passes or does not apply on
# both sides is no news, nor is a verdict that stays.
FINDINGS = """
WITH weighed AS MATERIALIZED (
    SELECT verdict, place FROM unnest(%(verdicts)s::text[], %(places)s::int[])
        AS given(verdict, place)
), old AS MATERIALIZED (
    SELECT DISTINCT ON (rule, phase, subject_kind, subject_key)
        rule, phase, subject_kind, subject_key, subject_name, finding.verdict, message
    FROM plans_finding AS finding JOIN weighed ON weighed.verdict = finding.verdict
    WHERE run_id = %(old)s ORDER BY rule, phase, subject_kind, subject_key, place, id
), new AS MATERIALIZED (
    SELECT DISTINCT ON (rule, phase, subject_kind, subject_key)
        rule, phase, subject_kind, subject_key, subject_name, finding.verdict, message
    FROM plans_finding AS finding JOIN weighed ON weighed.verdict = finding.verdict
    WHERE run_id = %(new)s ORDER BY rule, phase, subject_kind, subject_key, place, id
)
SELECT rule, coalesce(new.subject_name, old.subject_name), old.verdict, new.verdict,
    coalesce(new.message, old.message)
FROM old FULL JOIN new USING (rule, phase, subject_kind, subject_key)
LEFT JOIN weighed ON weighed.verdict = new.verdict
WHERE old.verdict IS DISTINCT FROM new.verdict
    AND (coalesce(old.verdict, 'na') IN ('fail', 'review', 'nodata')
        OR coalesce(new.verdict, 'na') IN ('fail', 'review', 'nodata'))
ORDER BY weighed.place NULLS LAST, rule, subject_key
"""


def _findings(old: PlanVersion, new: PlanVersion) -> list[FindingLine]:
    """Return the findings whose verdict differs between the newest checks, the worst first."""
    runs = [_newest_run(version) for version in (old, new)]
    if None in runs:
        return []
    given = {
        "old": runs[0],
        "new": runs[1],
        "verdicts": [verdict.value for verdict in SEVERITY],
        "places": list(SEVERITY.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(FINDINGS, given)
        rows = cursor.fetchall()
    return [
        FindingLine(
            rule, subject, Verdict(before) if before else None, Verdict(after) if after else None,
            message,
        )
        for rule, subject, before, after, message in rows
    ]  # fmt: skip


def _newest_run(version: PlanVersion) -> int | None:
    runs = CheckRun.objects.filter(version=version).order_by("-pk")
    return runs.values_list("pk", flat=True).first()
