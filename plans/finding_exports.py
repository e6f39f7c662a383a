"""Write findings into files that leave the portal: a workbook without formulas, and a PDF."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font

from plans.finding_lists import ruling_line
from plans.models import CheckRun, Finding
from plans.rulings import Ruled
from shuozhou_mines.errors import Refused
from shuozhou_mines.printing import write_pdf

# A PDF is made while the reader waits; this many take a few seconds.
MOST_ON_PAPER = 200
COLUMNS = (
    ("结论", 9), ("规则", 9), ("对象", 34), ("说明", 60), ("数据", 46), ("怎样才符合", 46),
    ("条款", 10), ("依据原文", 60), ("人工认定", 12), ("认定理由", 40), ("依据文件", 30),
    ("认定人", 12), ("认定情况", 30),
)  # fmt: skip


def findings_workbook(run: CheckRun, rows: Sequence[Ruled]) -> bytes:
    """Return one sheet of findings; every cell is text, whatever it begins with."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("检查结果")
    sheet.freeze_panes = "A3"
    for index, (_, width) in enumerate(COLUMNS):
        sheet.column_dimensions[chr(ord("A") + index)].width = width
    sheet.append([_text(sheet, _title(run))])
    sheet.append([_text(sheet, name, bold=True) for name, _ in COLUMNS])
    for row in rows:
        sheet.append([_text(sheet, value) for value in _cells(row)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def findings_pdf(run: CheckRun, rows: Sequence[Ruled]) -> bytes:
    """Return the findings on paper; raise Refused for more than fit a reader's patience."""
    if len(rows) > MOST_ON_PAPER:
        raise Refused(
            f"要打印的检查结果有 {len(rows)} 条，超过 {MOST_ON_PAPER} 条。"
            "请先按结论、规则、矿山或整合区筛选，或者导出 Excel 表。"
        )
    context = {
        "title": _title(run),
        "printed_at": timezone.localtime(),
        "rows": [
            {
                "finding": row.finding,
                "label": row.finding.get_verdict_display(),
                "figures": figures_text(row.finding),
                "ruling": ruling_line(row.ruling, row.finding) if row.ruling else None,
            }
            for row in rows
        ],
    }
    return write_pdf(render_to_string("pdf/findings.html", context))


EXPORTS: dict[str, Callable[[CheckRun, Sequence[Ruled]], bytes]] = {
    "xlsx": findings_workbook,
    "pdf": findings_pdf,
}


def figures_text(finding: Finding) -> str:
    """Write a finding's figures in one line."""
    return "；".join(
        f"{figure['label']}：{figure['value']}{figure['unit']}" for figure in finding.figures
    )


def _title(run: CheckRun) -> str:
    plan = run.version.plan
    return (
        f"{plan}第{run.version.number}版检查结果"
        f"（按 {run.checked_on:%Y-%m-%d} 有效的标准，标准库 {run.rulebook_version}）"
    )


def _cells(row: Ruled) -> list[str]:
    finding = row.finding
    cells = [
        finding.get_verdict_display(), finding.rule, finding.subject_name, finding.message,
        figures_text(finding), finding.would_pass, finding.clause, finding.quote,
    ]  # fmt: skip
    if row.ruling is None:
        return [*cells, "", "", "", "", ""]
    line = ruling_line(row.ruling, finding)
    return [
        *cells, line["decision"], line["reason"], line["basis_document"], line["who"],
        line["notes"],
    ]  # fmt: skip


def _text(sheet: Any, value: str, *, bold: bool = False) -> Any:
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", value))
    # openpyxl takes a text that begins with "=" for a formula.
    cell.data_type = "s"
    cell.alignment = Alignment(wrap_text=not bold, vertical="top")
    cell.font = Font(bold=bold)
    return cell
