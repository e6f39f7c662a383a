"""Gather what the page of a mine shows beside its facts: findings, output, holder, papers."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.urls import reverse

from mines.check_models import MineCheckRun
from mines.checks import worst_findings
from mines.columns import plain, scale_wan_t
from mines.facts import mine_facts, mineral_facts
from mines.models import Holder, Mine
from standards.facts import ClassRow
from standards.figures import Grade, convert, production_grade, reserve_grade
from standards.terms import ScaleUnit

# A chain of parents is longer only by mistake.
MOST_PARENTS = 8
YEARS_SHOWN = 10
ADDED = (
    ("outputs", "登记年度产量"),
    ("acceptances", "登记环境验收"),
    ("treatment_plans", "登记治理方案备案"),
    ("treatment_checks", "登记年度检查"),
    ("right_events", "登记出让转让"),
    ("documents", "上传文件"),
)


def findings_of(mine: Mine) -> dict[str, Any]:
    """Return what the newest check found, the gravest first, for components/findings.html."""
    run = MineCheckRun.objects.newest_finished()
    if run is None:
        return {"run": None, "rows": [], "none": "全市台账还没有检查过；每天夜间自动检查一次。"}
    rows = [
        {
            "verdict": found.verdict,
            "sentence": found.message,
            "code": found.rule,
            "clause": run.rules.get(found.rule, {}).get("clause", ""),
            "quote": run.rules.get(found.rule, {}).get("quote", ""),
            "figures": [{**figure, "required": None} for figure in found.figures],
            "remedy": found.would_pass,
            "subject": found.subject_name if found.system else "",
        }
        for found in worst_findings(mine)
    ]
    seen = getattr(mine, "standing", None)
    none = "最近一次检查没有发现不符合、待研判或缺数据的项目。"
    if seen is None or seen.run_id != run.pk:
        none = "这座矿山在最近一次检查之后才进入台账，下一次检查后显示结果。"
    return {"run": run, "rows": rows, "none": none}


def holder_chain(holder: Holder) -> list[dict[str, Any]]:
    """Return the holder's parents from the nearest up, each with its share in the one below."""
    chain: list[dict[str, Any]] = []
    seen, child = {holder.pk}, holder
    while child.parent_id and child.parent_id not in seen and len(chain) < MOST_PARENTS:
        parent = Holder.objects.get(pk=child.parent_id)
        share = child.parent_share
        chain.append(
            {
                "name": parent.name,
                "uscc": parent.uscc,
                "share": "持股比例未填" if share is None else f"持股 {plain(share * 100)}%",
                "is_whole": share == 1,
            }
        )
        seen.add(parent.pk)
        child = parent
    return chain


def production(mine: Mine) -> dict[str, Any]:
    """Set the three figures beside each other: licensed, designed, and really raised by year."""
    licence, design = mine.licence, scale_wan_t(mine)
    licensed = (
        f"{plain(licence.scale)} {licence.get_scale_unit_display()}"
        if licence and licence.scale is not None
        else ""
    )
    return {
        "licensed": licensed,
        "design": "" if design is None else f"{plain(design)} 万吨/年",
        "years": [_year(mine, row) for row in mine.yearoutputs.all()[:YEARS_SHOWN]],
    }


def _year(mine: Mine, row: Any) -> dict[str, Any]:
    unit = ScaleUnit(row.unit)
    raised = convert(row.amount, unit, mine.density)
    licence = _licence_in(mine, row.year)
    allowed = (
        convert(licence.scale, ScaleUnit(licence.scale_unit), mine.density)
        if licence and licence.scale is not None and licence.scale_unit
        else None
    )
    share = raised / allowed * 100 if raised is not None and allowed else None
    return {
        "year": row.year,
        "amount": plain(row.amount),
        "unit": unit.label.removesuffix("/年"),
        "share": "" if share is None else f"{share.quantize(Decimal(1), ROUND_HALF_UP)}%",
        "is_over": share is not None and share > 100,
        "given": f"{row.as_of:%Y-%m-%d}，{row.given_by}",
    }


def _licence_in(mine: Mine, year: int) -> Any:
    """Return the licence period that held at the end of a year, or last in it."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    held = [row for row in mine.licences.all() if row.valid_from <= last and row.valid_to >= first]
    return max(held, key=lambda row: row.valid_from) if held else None


def classes(mine: Mine) -> list[dict[str, Any]]:
    """Return the classes of the national tables with limits, source and how certain it is."""
    facts, mineral = mine_facts(mine), mineral_facts(mine.mineral)
    rows = (
        ("生产规模", production_grade(facts), mineral.production),
        ("资源储量规模", reserve_grade(facts), mineral.reserve),
    )
    return [_class(label, grade, row) for label, grade, row in rows]


def _class(label: str, grade: Grade, row: ClassRow | None) -> dict[str, Any]:
    used = grade.row or row
    if used is None:
        return {"label": label, "value": "", "note": "国家规模表没有这个矿种，不能判断。"}
    limits = "，".join(
        f"{name} ≥ {plain(limit)}"
        for name, limit in (("大型", used.large), ("中型", used.medium))
        if limit is not None
    )
    doubt = "；这一行有待核对" if grade.doubtful or used.confidence == "hearsay" else ""
    note = f"{limits} {used.unit}（{used.source}{doubt}）"
    return {"label": label, "value": grade.size.label if grade.size else "不能判断", "note": note}


def links_to_add(mine: Mine, *, may_edit: bool) -> dict[str, dict[str, str] | None]:
    """Return where each kind of row is added, by its name; None for those who only read."""
    return {
        kind: {"url": reverse("mine-record", args=[mine.registry_no, kind]), "label": label}
        if may_edit
        else None
        for kind, label in ADDED
    }
