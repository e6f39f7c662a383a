"""Name the lists that fall out of a check of the registry, and fill them for a reader."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, QuerySet
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font

from mines.check_models import MineCheckRun, MineFinding
from mines.models import Licence, Mine
from rulebook.current import rulebook_of
from standards.rules import RULES
from standards.terms import Verdict

MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class CheckList:
    """Describe one list: which findings of which rule it holds, and what it is for."""

    kind: str
    title: str
    rule: str
    verdicts: tuple[Verdict, ...]
    lead: str


EXPIRING = "expiring"
LISTS = {
    each.kind: each
    for each in (
        CheckList(
            "no-renewal", "不予延续", "S-B12", (Verdict.FAIL,),
            "期限已过仍未达到最低生产规模或服务年限的矿山。系统只提示，是否延续由发证机关决定。",
        ),
        CheckList(
            EXPIRING, "许可证将到期且不符合", "", (Verdict.FAIL,),
            "采矿许可证将在近期到期，而最近一次检查有不符合项的矿山。",
        ),
        CheckList(
            "dormant", "僵尸企业（疑似）", "S-A04", (Verdict.FAIL, Verdict.REVIEW),
            "停产时间超过标准库所定月数的矿山，由人核实停产原因后认定。",
        ),
        CheckList(
            "ore-body", "同一矿体两个采矿权人", "S-D03", (Verdict.FAIL, Verdict.REVIEW),
            "同一矿体登记在两个以上采矿权人名下的矿山，应在整合重组中归并。",
        ),
        CheckList(
            "large-small", "大矿小开", "S-D01", (Verdict.FAIL, Verdict.REVIEW),
            "矿床规模比生产规模高一级或以上的矿山。",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """Show one mine of a list with the finding that put it there."""

    mine: Mine
    ends_on: date | None
    verdict: str
    message: str
    note: str = ""


def findings_of(run: MineCheckRun, user: Any) -> QuerySet[MineFinding]:
    """Return the findings of a run on the mines that this reader may see."""
    return MineFinding.objects.filter(run=run, mine__in=Mine.objects.visible_to(user))


def listed(run: MineCheckRun, kind: CheckList, user: Any, *, county: str = "") -> QuerySet[Any]:
    """Return what a list holds: findings, or mines for the list of expiring licences."""
    if kind.kind == EXPIRING:
        mines = expiring(run, user, within=max(warning_days(run), default=0))
        return mines.filter(county=county) if county else mines
    found = findings_of(run, user).filter(rule=kind.rule, verdict__in=kind.verdicts)
    if county:
        found = found.filter(mine__county=county)
    return found.select_related("mine__county", "mine__holder", "mine__mineral").order_by(
        "mine__county__order", "mine__registry_no", "system"
    )


def expiring(run: MineCheckRun, user: Any, *, within: int) -> QuerySet[Mine]:
    """Return the mines that fail and whose licence ends within so many days of the check."""
    first, last = run.checked_on, run.checked_on + timedelta(days=within)
    failing = MineFinding.objects.filter(run=run, mine=OuterRef("pk"), verdict=Verdict.FAIL)
    mines = Mine.objects.in_scope().visible_to(user).annotate(ends_on=Max("licences__valid_to"))
    return (
        mines.filter(ends_on__gte=first, ends_on__lte=last)
        .filter(Exists(failing))
        .select_related("county", "holder", "mineral")
        .order_by("ends_on", "registry_no")
    )


def warning_days(run: MineCheckRun) -> list[int]:
    """Return the steps of the warning before a licence ends, in days, the longest first."""
    book = rulebook_of(run.rulebook).in_force(run.checked_on)
    steps = [book.whole(f"licence.warning_days_{step}") for step in (1, 2, 3)]
    return sorted((days for days in steps if days is not None), reverse=True)


def rows_of(run: MineCheckRun, kind: CheckList, page: Iterable[Any]) -> list[Row]:
    """Return a page of a list as rows, in a fixed number of queries."""
    items = list(page)
    if kind.kind == EXPIRING:
        return _expiring_rows(run, items)
    ends = _ends([found.mine_id for found in items])
    return [
        Row(found.mine, ends.get(found.mine_id), found.verdict, found.message) for found in items
    ]


def _expiring_rows(run: MineCheckRun, mines: list[Any]) -> list[Row]:
    failed: dict[int, list[str]] = {}
    found = MineFinding.objects.filter(run=run, mine__in=mines, verdict=Verdict.FAIL)
    for mine_id, rule in found.order_by("rule").values_list("mine", "rule").distinct():
        failed.setdefault(mine_id, []).append(f"{rule} {RULES[rule].title}")
    return [
        Row(
            mine,
            mine.ends_on,
            Verdict.FAIL.value,
            "不符合：" + "、".join(failed.get(mine.pk, [])) + "。",
            f"还有 {(mine.ends_on - run.checked_on).days} 天到期",
        )
        for mine in mines
    ]


def _ends(mine_ids: list[int]) -> dict[int, date]:
    """Return the last day of each mine's newest licence period."""
    rows = Licence.objects.filter(mine__in=mine_ids).order_by()
    return dict(rows.values_list("mine").annotate(ends=Max("valid_to")).values_list("mine", "ends"))


def list_sizes(run: MineCheckRun, user: Any) -> dict[str, int]:
    """Return how many entries each list has for this reader."""
    counted = counts_by_rule(run, user)
    sizes = {
        kind.kind: sum(
            counted.get(kind.rule, {}).get(verdict.value, 0) for verdict in kind.verdicts
        )
        for kind in LISTS.values()
    }
    sizes[EXPIRING] = listed(run, LISTS[EXPIRING], user).count()
    return sizes


def counts_by_rule(run: MineCheckRun, user: Any) -> dict[str, dict[str, int]]:
    """Count a run's kept findings by rule and verdict, as far as this reader may see."""
    found: dict[str, dict[str, int]] = {}
    rows = findings_of(run, user).order_by().values("rule", "verdict").annotate(n=Count("pk"))
    for row in rows:
        found.setdefault(row["rule"], {})[row["verdict"]] = row["n"]
    return found


HEADS = (
    ("台账编号", 18), ("矿山名称", 36), ("县（市、区）", 14), ("采矿权人", 36), ("矿种", 18),
    ("许可证有效期止", 16), ("结论", 10), ("说明", 70), ("提示", 20),
)  # fmt: skip


def xlsx(run: MineCheckRun, kind: CheckList, items: Iterable[Any]) -> bytes:
    """Return a list as a workbook; words stay words, whatever they begin with."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(kind.title)
    sheet.freeze_panes = "C3"
    for index, (_, width) in enumerate(HEADS):
        sheet.column_dimensions[chr(ord("A") + index)].width = width
    origin = f"{run.checked_on.isoformat()} 检查，标准库{run.rulebook}。{kind.lead}"
    sheet.append([_cell(sheet, origin)])
    sheet.append([_cell(sheet, head, bold=True) for head, _ in HEADS])
    for row in _in_pages(run, kind, items):
        sheet.append([_cell(sheet, value) for value in _values(row)])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _in_pages(run: MineCheckRun, kind: CheckList, items: Iterable[Any]) -> Iterator[Row]:
    page: list[Any] = []
    for item in items:
        page.append(item)
        if len(page) == 500:
            yield from rows_of(run, kind, page)
            page = []
    yield from rows_of(run, kind, page)


def _values(row: Row) -> tuple[Any, ...]:
    mine = row.mine
    return (
        mine.registry_no, mine.name, mine.county.name, mine.holder.name, mine.mineral.name,
        row.ends_on, Verdict(row.verdict).label, row.message, row.note,
    )  # fmt: skip


def _cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:
    cell: Any = WriteOnlyCell(sheet)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    elif isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    if bold:
        cell.font = Font(bold=True)
    return cell
