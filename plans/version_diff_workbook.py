"""Write the differences of two versions as a workbook."""

from collections.abc import Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from mines.sheet_writing import cell_at, put
from mines.sheets import column_letters
from plans.version_diff import Difference, Line
from standards.terms import Verdict

KIND_WORDS = {"added": "新增", "gone": "删去", "changed": "修改"}
NOTHING = "没有差异"


def diff_workbook(difference: Difference, *, title: str) -> bytes:
    """Return an xlsx of four sheets: mines, areas, annexes, findings."""
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)  # noqa: S101
    first.title = "矿山与处置"
    _lines(first, title, difference.mines)
    _lines(book.create_sheet("整合区"), title, difference.areas)
    _lines(book.create_sheet("其他附表"), title, difference.annexes)
    sheet = book.create_sheet("检查结论")
    rows = [
        (each.rule, each.subject, _word(each.before), _word(each.after), each.message)
        for each in difference.findings
    ]
    _table(sheet, title, ("规则", "对象", "原结论", "新结论", "说明"), rows)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _lines(sheet: Worksheet, title: str, lines: tuple[Line, ...]) -> None:
    rows = [
        (line.key, line.name, KIND_WORDS[line.kind], cell.field, cell.old, cell.new)
        for line in lines
        for cell in line.cells
    ]
    _table(sheet, title, ("编号", "名称", "变化", "栏目", "原来", "现在"), rows)


def _table(
    sheet: Worksheet, title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> None:
    put(cell_at(sheet, 1, 1), title)
    sheet.cell(1, 1).font = Font(bold=True, size=13)
    for number, head in enumerate(heads, 1):
        put(cell_at(sheet, 2, number), head)
        sheet.cell(2, number).font = Font(bold=True)
        sheet.column_dimensions[column_letters(number)].width = 24
    for at, row in enumerate(rows or [(NOTHING,)], 3):
        for number, text in enumerate(row, 1):
            put(cell_at(sheet, at, number), text)
    sheet.freeze_panes = "A3"


def _word(verdict: Verdict | None) -> str:
    return verdict.label if verdict is not None else "–"
