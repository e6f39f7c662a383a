"""Make the files that go with a notice: the lists of mines and areas as a workbook and as CSV."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from standards.terms import Disposition

MINE_COLUMNS = {
    "name": "矿山名称",
    "disposition": "处置方式",
    "reason": "处置理由",
    "mineral": "开采矿种",
    "holder": "采矿权人",
    "scale": "生产规模",
    "area_km2": "矿区面积（km²）",
    "method": "开采方式",
    "township": "乡镇",
    "licence_no": "采矿许可证号",
    "area_code": "整合区编号",
    "due_on": "完成时限",
    "registry_no": "台账编号",
}
AREA_COLUMNS = {
    "code": "整合区编号",
    "name": "整合后矿山名称",
    "lead_enterprise": "整合主体",
    "members": "参与整合矿山",
    "mineral": "开采矿种",
    "method": "开采方式",
    "scale": "初定生产规模",
    "service_life_years": "服务年限（年）",
    "area_km2": "面积（km²）",
    "elevation": "开采标高",
    "due_on": "完成时限",
}
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def notice_workbook(content: dict[str, Any], *, demo: bool) -> bytes:
    """Return the frozen content as xlsx: one sheet of mines, one of merged areas."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    mines = workbook.create_sheet("矿山与处置")
    _fill(mines, MINE_COLUMNS, content["mines"], demo=demo)
    _fill(workbook.create_sheet("整合区"), AREA_COLUMNS, content["areas"], demo=demo)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def notice_csv(content: dict[str, Any]) -> bytes:
    """Return the mines as CSV in UTF-8 with a mark, as spreadsheet programs expect it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(MINE_COLUMNS.values())
    for row in content["mines"]:
        writer.writerow(_harmless(_shown(key, row[key])) for key in MINE_COLUMNS)
    return out.getvalue().encode("utf-8-sig")


def notice_geojson(content: dict[str, Any], shapes: Sequence[tuple[str, str, dict[str, Any], str]],
                   *, demo: bool) -> bytes:  # fmt: skip
    """Return the frozen outlines as GeoJSON (CGCS2000); shapes of (kind, name, facts, geometry)."""
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(geometry),
            "properties": {"kind": kind, "name": name, **facts},
        }
        for kind, name, facts, geometry in shapes
    ]
    collection = {
        "type": "FeatureCollection",
        "crs_note": "CGCS2000 (EPSG:4490)",
        "county": content["county"],
        "demo": demo,
        "features": features,
    }
    return json.dumps(collection, ensure_ascii=False).encode()


def _fill(
    sheet: Worksheet, columns: dict[str, str], rows: Sequence[dict[str, Any]], *, demo: bool
) -> None:
    heads = [*columns.values(), *(["说明"] if demo else [])]
    for at, head in enumerate(heads, 1):
        cell = sheet.cell(1, at)
        _write(cell, head)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="E7EEEE")
        sheet.column_dimensions[get_column_letter(at)].width = 18
    for line, row in enumerate(rows, 2):
        texts = [_shown(key, row[key]) for key in columns] + (["示例数据"] if demo else [])
        for at, text in enumerate(texts, 1):
            cell = sheet.cell(line, at)
            _write(cell, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "B2"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _write(cell: Any, text: str) -> None:
    """Write text as text, so that nothing typed by anybody becomes a formula."""
    cell.value = text
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(STARTS_A_FORMULA)


def _shown(key: str, value: Any) -> str:
    if key == "disposition":
        return Disposition(value).label
    return "、".join(value) if isinstance(value, list) else str(value)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text
